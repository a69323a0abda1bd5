"""A DocType with Frappe's permissions of every kind, people who may read different parts of it, and one space of theirs."""

import os
from contextlib import contextmanager

import frappe

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.pull import pull
from hisabi_sync.engine.sharing import spaces
from tests.support import doctypes
from tests.support.doctypes import column, permission
from tests.support.engine import change, document_of, send
from tests.support.phone import new_id
from tests.support.users import make_user

NOTE = f"Sight Note {os.getpid()}"
ROW = f"{NOTE} Row"
SPACE_TYPE = f"sight-team-{os.getpid()}"
FIELDS = (
	column("team"),
	column("title"),
	column("body", "Small Text"),
	column("country", "Link", "Country"),
	column("salary", "Int", permlevel=1),
	column("pin", permlevel=1),
	column("code", unique=1),
	column("lines", "Table", ROW),
)
COLUMNS = (column("label"), column("cost", "Int", permlevel=1))
READS = {**dict.fromkeys(("write", "create", "delete", "report", "export", "print"), 0), "read": 1}
# Role -> [(permission level, only own documents)]
ROLES = {
	f"Sight Chief {os.getpid()}": ((0, 0), (1, 0)),
	f"Sight Clerk {os.getpid()}": ((0, 0),),
	f"Sight Guest {os.getpid()}": ((0, 1),),
}
CHIEF, CLERK, GUEST = ROLES
READER = f"Sight Reader {os.getpid()}"
# What only who reads level 1 may find anywhere.
SECRET_VALUES = {"salary": 774411, "pin": "pin-883355"}
SECRETS = ("774411", "pin-883355", "662200")
# What nobody finds who may not read the document at all.
TEXTS = ("Board minutes zq", "fire somebody zq", "fire nobody zq")
COUNTRY, ELSEWHERE = "Yemen", "Oman"


def ensure():
	"""The DocTypes, their roles and their entity type."""
	for role in (*ROLES, READER):
		frappe.get_doc({"doctype": "Role", "role_name": role, "desk_access": 1}).insert(
			ignore_if_duplicate=True
		)
	if not frappe.db.exists("DocType", NOTE):
		doctypes.make(ROW, COLUMNS, istable=1)
		read_only = [permission(READER, permlevel=level, **READS) for level in (0, 1)]
		rights = [*doctypes.permissions(ROLES), *read_only]
		doctypes.make(NOTE, FIELDS, title_field="title", permissions=rights)
		doctypes.sync(NOTE, SPACE_TYPE, "team", check_permissions=1)
	frappe.db.commit()
	entity_types.forget()


def remove():
	doctypes.remove(NOTE, ROW)


class Office:
	"""People in one space of notes, each with a device. `callers` are by the name of the person."""

	def __init__(self):
		key = new_id("team")
		self.key, self.space = key, spaces.ensure(SPACE_TYPE, key)
		frappe.db.commit()
		self.callers = {}
		people = {"chief": CHIEF, "clerk": CLERK, "kept": CLERK, "guest": GUEST, "reader": READER}
		for name, role in people.items():
			self.callers[name] = self._person(name, role)
		self.author = self._device(self.callers["chief"].user)
		user = self.callers["kept"].user
		given = {"user": user, "allow": "Country", "for_value": ELSEWHERE}
		frappe.get_doc({"doctype": "User Permission", **given}).insert()
		frappe.db.commit()
		entity_types.registry()

	def _person(self, name, role):
		user = make_user(role, "Hisabi User", "Sync Manager", prefix=name)
		spaces.set_member(self.space, user, "owner")
		return self._device(user)

	def _device(self, user):
		device, _ = device_tokens.register(user, new_id("device"))
		frappe.db.commit()
		return Caller(user, self.space, device.name, SPACE_TYPE, self.key)

	def __getattr__(self, name):
		return self.__dict__["callers"][name]

	def note(self, **values):
		"""A note of the chief's in Yemen at version 2, written on another device of his; returns its client id."""
		client_id = new_id("note")
		given = {
			"title": TEXTS[0],
			"body": TEXTS[1],
			"country": COUNTRY,
			"lines": [{"label": "one", "cost": 662200}],
			**SECRET_VALUES,
			**values,
		}
		first = send(self.author, change(NOTE, client_id, **given))[0]
		assert first.status == "accepted", first
		second = send(self.author, change(NOTE, client_id, "update", 1, body=TEXTS[2]))[0]
		assert second.doc_version == 2, second
		return client_id

	def document(self, client_id):
		return document_of(self.chief, client_id)


def shown(caller, client_id):
	"""The one oracle: the payload that a pull shows a caller of a record, or None for a tombstone."""
	with as_user(caller.user):
		page = pull(caller, limit=5000)
	item = next((item for item in page.items if item.client_id == client_id), None)
	return None if item is None or item.deleted_at else item.payload


@contextmanager
def as_user(user):
	frappe.db.rollback()
	frappe.set_user(user)
	try:
		yield
	finally:
		frappe.set_user("Administrator")


def record(office, client_id):
	return ids.record(office.space, NOTE, client_id)
