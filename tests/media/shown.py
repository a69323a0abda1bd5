"""A DocType with files that not everybody may read, in a space of the wallet contract or of the mobile one."""

import os

import frappe

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import entity_types
from tests.support import doctypes
from tests.support.doctypes import column
from tests.support.users import make_user

NAME = f"Sealed Photo {os.getpid()}"
FIELDS = (
	column("country", "Link", "Country"),
	column("note"),
	column("code", unique=1),
	column("photo", "Attach Image"),
	column("scan", "Attach", permlevel=1),
)
COLUMNS = (column("picture", "Attach Image"), column("receipt", "Attach", permlevel=1))
# Role -> [(permission level, only own documents)]
ROLES = {
	f"Sealed Chief {os.getpid()}": ((0, 0), (1, 0)),
	f"Sealed Clerk {os.getpid()}": ((0, 0),),
	f"Sealed Guest {os.getpid()}": ((0, 1),),
}
CHIEF, CLERK, GUEST = ROLES
COUNTRY, ELSEWHERE = "Yemen", "Oman"


def make(name: str, space_type: str, path: str) -> None:
	"""The DocType, its rows, and its entity type, whose documents name their space in a column."""
	frappe.set_user("Administrator")
	for role in ROLES:
		frappe.get_doc({"doctype": "Role", "role_name": role, "desk_access": 1}).insert(
			ignore_if_duplicate=True
		)
	doctypes.make(f"{name} Row", COLUMNS, istable=1)
	fields = (column(path), *FIELDS, column("pages", "Table", f"{name} Row"))
	doctypes.make(name, fields, permissions=doctypes.permissions(ROLES))
	doctypes.sync(name, space_type, path, check_permissions=1)
	entity_types.forget()
	entity_types.registry()


def remove(name: str) -> None:
	names = (name, f"{name} Row")
	doctypes.remove(*names)
	doctypes.drop(*names)


def make_people() -> dict[str, str]:
	"""Users: a chief and another one, a clerk, a guest who reads what he made, and a chief who is kept to a country."""
	roles = {"chief": CHIEF, "second": CHIEF, "clerk": CLERK, "guest": GUEST, "kept": CHIEF}
	people = {who: retry.run(lambda r=role: make_user(r, "Hisabi User")) for who, role in roles.items()}
	given = {"user": people["kept"], "allow": "Country", "for_value": ELSEWHERE}
	frappe.get_doc({"doctype": "User Permission", **given}).insert()
	frappe.db.commit()
	return people
