"""A DocType with files that not everybody may read, in a space of the wallet contract or of the mobile one."""

import os

import frappe

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import files, ids
from hisabi_sync.engine.resolution import cases
from hisabi_sync.media import rows
from tests.media.uploads import PNG, attachment, get, upload
from tests.support import doctypes
from tests.support.doctypes import column
from tests.support.phone import create, delete, update
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
BLIND = ("guest", "kept")  # who may not read the chief's records in Yemen
SEEING = ("chief", "second", "clerk")
UNKNOWN = "0" * 32
ATTACHMENT = "Hisabi Attachment"


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


def make_people() -> dict[str, str]:
	"""Users: a chief and another one, a clerk, a guest who reads what he made, and a chief who is kept to a country."""
	roles = {"chief": CHIEF, "second": CHIEF, "clerk": CLERK, "guest": GUEST, "kept": CHIEF}
	people = {who: retry.run(lambda r=role: make_user(r, "Hisabi User")) for who, role in roles.items()}
	given = {"user": people["kept"], "allow": "Country", "for_value": ELSEWHERE}
	frappe.get_doc({"doctype": "User Permission", **given}).insert()
	frappe.db.commit()
	return people


def made(phone, **payload):
	"""Client id of a record of the phone's."""
	(result,) = phone.push(create(NAME, **{"country": COUNTRY, **payload}))
	assert result["status"] == "accepted", result
	return result["client_id"]


def answer(phone, key):
	response = phone.call("media.download_url", {"key": key, "device_id": phone.device_id})
	return response.status_code, response.json()


def is_given(phone, key):
	"""Whether a phone gets the file; a key that it may not use is answered as one that nobody has."""
	status, body = answer(phone, key)
	if status == 200:
		return get(body["message"]["url"]).content == PNG
	assert (status, body) == answer(phone, UNKNOWN)
	return False


def given(office, key):
	return tuple(who for who, phone in office.items() if is_given(phone, key))


def name_of(client_id, doctype=NAME):
	frappe.db.rollback()
	filters = {"client_id": client_id, "entity_type": doctype}
	return frappe.db.get_value("Sync Record", filters, "document_name")


def record_of(phone, client_id):
	return ids.record(ids.space("wallet", phone.wallet_id), NAME, client_id)


def media(key):
	frappe.db.rollback()
	return rows.get(key)


def attached(phone, status="accepted", **payload):
	"""Client id of an attachment of the phone's."""
	(result,) = phone.push(attachment(**payload))
	assert result["status"] == status, result
	return result["client_id"]


def leave_deleted(phone, client_id):
	phone.push(delete(ATTACHMENT, client_id, 1))


def leave_replaced(phone, client_id):
	(result,) = phone.push(update(ATTACHMENT, client_id, 1, file_id=upload(phone)))
	assert result["status"] == "accepted", result


def leave_emptied(phone, client_id):
	(result,) = phone.push(update(ATTACHMENT, client_id, 1, file_id=None))
	assert result["status"] == "accepted", result


def refusal(phone, item):
	(result,) = phone.push(item)
	assert result["status"] == "error", result
	return {name: result.get(name) for name in ("error_code", "error_message", "detail")}


# How a record names a file.
NAMINGS = (
	lambda key: {"photo": key},
	lambda key: {"photo": files.url_of(key)},
	lambda key: {"pages": [{"picture": key}]},
)


def settled(user, name, choice, member=None, **more):
	frappe.db.rollback()
	frappe.set_user(user)
	try:
		cases.resolve(name, cases.Resolution(choice, **more), member=member)
		frappe.db.commit()
	finally:
		frappe.db.rollback()
		frappe.set_user("Administrator")


def person(*roles):
	return make_user("Sync Manager", *roles)
