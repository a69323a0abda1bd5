"""A DocType with every kind of field that a conflict may be about, made as a person would in the Desk."""

import os

import frappe

from tests.support import doctypes
from tests.support.doctypes import column, columns

# Names of this test run alone: another one on the same site takes its own away again.
METER = f"Conflict Meter {os.getpid()}"
ROW, SPACE_TYPE = f"{METER} Row", "conflict-team"
FIELDS = (
	column("team"),
	column("title"),
	column("code", unique=1),
	column("note", "Text Editor"),
	column("remark", "Long Text"),
	column("snippet", "Code"),
	column("state", "Select", "Draft\nSent\nDone"),
	column("currency", "Link", "Currency"),
	column("price", "Currency", "currency"),
	column("read_at", "Datetime"),
	column("due", "Date"),
	column("active", "Check"),
	column("reading", "Float"),
	column("settings", "JSON"),
	column("parent_meter", "Link", METER),
	column("phones", "Table", ROW),
)


def ensure():
	"""The DocTypes and their entity type; what is there already stays."""
	if not frappe.db.exists("DocType", ROW):
		doctypes.make(ROW, columns("phone", "label"), istable=1)
	if not frappe.db.exists("DocType", METER):
		doctypes.make(METER, FIELDS, title_field="title")
	if not frappe.db.exists("Sync Entity", METER):
		doctypes.sync(METER, SPACE_TYPE, "team", check_permissions=0)
	frappe.db.commit()


def remove():
	doctypes.remove(METER, ROW)
