"""A DocType with a field of every type that a column may hold oddly, made as a person would in the Desk."""

import os

import frappe

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import new_id
from tests.support.users import make_user

# Names of this test run alone: another one on the same site takes its own away again.
ODD = f"Odd Thing {os.getpid()}"
WITH_ROWS, ROW, SPACE_TYPE = f"{ODD} List", f"{ODD} Row", "odd-team"
FIELDS = (
	"team",
	"title",
	("at", "Datetime"),
	("day", "Date"),
	("clock", "Time"),
	("facts", "JSON"),
	("price", "Float"),
	("count", "Int"),
	("state", "Select", "Open\nDone"),
	("note", "Small Text"),
	"code",
)
MEANT = {"title_field": "title", "allow_rename": 1}


def ensure():
	rows = columns(("row_at", "Datetime"), ("row_clock", "Time"), "row_note")
	doctypes.make(ROW, rows, istable=1)
	doctypes.make(ODD, columns(*FIELDS), **MEANT)
	doctypes.make(WITH_ROWS, columns("team", "title", ("rows", "Table", ROW)), **MEANT)
	for name, mode in ((ODD, "Bulk"), (WITH_ROWS, "Document")):
		doctypes.sync(name, SPACE_TYPE, "team", check_permissions=0, write_mode=mode)


def remove():
	doctypes.remove(ODD, WITH_ROWS, ROW)


def set_type(field, fieldtype):
	"""Change a field's type as a person does in the form of the DocType; the column follows."""
	fits = {"Int": ("0", "^[0-9]+$"), "Date": (None, "^[0-9]{4}-"), "Data": (None, "")}.get(
		fieldtype, (None, "")
	)
	query = f"UPDATE `tab{ODD}` SET `{field}` = %s WHERE `{field}` IS NULL OR `{field}` NOT REGEXP %s"  # noqa: S608
	frappe.db.sql(query, fits)
	frappe.db.sql(f"UPDATE `tab{ODD}` SET facts = NULL WHERE NOT JSON_VALID(facts)")  # noqa: S608
	doc = frappe.get_doc("DocType", ODD)
	doc.get("fields", {"fieldname": field})[0].fieldtype = fieldtype
	doc.save()
	frappe.db.commit()
	frappe.clear_cache(doctype=ODD)
	entity_types.forget()


def team(user=None, key=None):
	"""A Caller of a new device in a team space."""
	user = user or make_user("System Manager", password=None)
	key = key or new_id("team")
	space = spaces.ensure(SPACE_TYPE, key)
	spaces.set_member(space, user, "owner")
	device, _ = device_tokens.register(user, new_id("device"))
	frappe.db.commit()
	return Caller(user, space, device.name, SPACE_TYPE, key)


def write(name, column, value):
	"""Put a value into the table as an import or another program would, past every hook."""
	if column == "facts":  # as a table has it whose field became JSON later
		frappe.db.sql_ddl(f"ALTER TABLE `tab{ODD}` MODIFY facts longtext")
	frappe.db.sql(f"UPDATE `tab{ODD}` SET `{column}` = %s WHERE name = %s", (value, name))  # noqa: S608
	frappe.db.commit()
