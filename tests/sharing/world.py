"""A sales force of DocTypes made in the Desk: regions in a tree, reps who are users, and visits that lie in a region."""

import os

import frappe

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import memberships
from hisabi_sync.hisabi_sync.doctype.sync_space_type import sync_space_type
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.phone import new_id
from tests.support.users import make_user

REGION, REP, CREW, SEAT, VISIT = (
	f"{name} {os.getpid()}"
	for name in ("Sales Region", "Sales Rep", "Sales Crew", "Sales Seat", "Sales Visit")
)
ROLE = f"Road {os.getpid()}"
PARENT = f"parent_{frappe.scrub(REGION)}"


RIGHTS = [permission(), permission(ROLE)]

_soon = memberships.soon


def ensure():
	"""Make the DocTypes and the role, and commit. Jobs would wait for the worker of another test."""
	memberships.soon = lambda space_type: None
	frappe.get_doc({"doctype": "Role", "role_name": ROLE}).insert()
	tree = [
		("region_name", "Data"),
		("is_group", "Check"),
		(PARENT, "Link", REGION),
		("boss", "Link", "User"),
	]
	doctypes.make(REGION, columns(*tree), is_tree=1, autoname="field:region_name", allow_rename=1)
	doctypes.make(REP, columns(("user", "Link", "User"), ("region", "Link", REGION), "team"))
	doctypes.make(SEAT, columns(("rep", "Link", REP), ("user", "Link", "User")), istable=1)
	crew = [("region", "Link", REGION), ("lead", "Link", REP), ("seats", "Table", SEAT)]
	doctypes.make(CREW, columns(*crew), is_submittable=1)
	doctypes.make(VISIT, columns("note", ("region", "Link", REGION)), permissions=RIGHTS)
	frappe.db.commit()


def remove():
	memberships.soon = _soon
	frappe.set_user("Administrator")
	frappe.db.rollback()
	remove_kinds(kinds())
	frappe.db.delete("User Permission", {"allow": REGION})
	doctypes.remove(VISIT, CREW, REP, REGION, SEAT)
	frappe.delete_doc("Role", ROLE, force=True)
	frappe.db.commit()


def kind(*rules, key_kind="Document", key_doctype=REGION, name=None):
	"""Name of a new Sync Space Type with the rules, committed."""
	given = {"space_type": name or new_id("sales").lower(), "title": "Sales", "key_kind": key_kind}
	doc = {"doctype": "Sync Space Type", **given, "key_doctype": key_doctype, "rules": list(rules)}
	made = retry.run(lambda: frappe.get_doc(doc).insert())
	frappe.db.commit()
	if frappe.db.count("User") > sync_space_type.AT_ONCE:
		memberships.run(made.name)  # as a worker does it
	return made.name


def kinds():
	return frappe.get_all("Sync Space Type", {"name": ["like", "sales-%"]}, pluck="name")


def remove_kinds(names):
	for name in names:
		frappe.delete_doc("Sync Space Type", name, force=True)
	frappe.db.commit()


def rule(kind, **values):
	return {"kind": kind, "member_role": "member", "descendants": 1, **values}


def by_role(**values):
	return rule("Users with a role", role=ROLE, **values)


def by_permission(**values):
	return rule("User Permissions", source_doctype=REGION, **values)


def by_rep(**values):
	return rule(
		"Named in documents", **{"source_doctype": REP, "user_path": "user", "key_path": "region", **values}
	)


def region(above=None, name=None):
	"""Name of a new region, in another one if one is given."""
	name = name or new_id("Region")
	frappe.get_doc({"doctype": REGION, "region_name": name, "is_group": 1, PARENT: above}).insert()
	frappe.db.commit()
	return name


def document(doctype, **values):
	doc = frappe.get_doc({"doctype": doctype, **values}).insert()
	frappe.db.commit()
	return doc


def change(doc, **values):
	"""Change a document as its form does."""
	doc = frappe.get_doc(doc.doctype, doc.name)
	doc.update(values)
	doc.save()
	frappe.db.commit()
	return doc


def delete(doc):
	frappe.delete_doc(doc.doctype, doc.name)
	frappe.db.commit()


def permit(user, name, **values):
	given = {"user": user, "allow": REGION, "for_value": name, "apply_to_all_doctypes": 1, **values}
	return document("User Permission", **given)


def user(*roles):
	return make_user(*roles, password=None)


def member(space_type, key, person):
	"""(role, whether a rule made the row) of an active membership, or None."""
	name = ids.member(ids.space(space_type, key), person)
	row = frappe.db.get_value("Sync Space Member", name, ["role", "status", "rule"])
	return (row[0], bool(row[2])) if row and row[1] == "active" else None


def keys(space_type, person):
	"""Keys of the spaces that a person is an active member of."""
	frappe.db.rollback()
	rows = frappe.db.sql(
		"""SELECT s.space_key FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		WHERE m.user = %s AND m.status = 'active' AND s.space_type = %s""",
		(person, space_type),
	)
	return {row[0] for row in rows}
