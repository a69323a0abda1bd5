"""DocTypes and their entity types, made and taken away again as a person would in the Desk."""

from contextlib import contextmanager

import frappe

from hisabi_sync.engine.database import retry
from tests.support.phone import new_id


def column(name, fieldtype="Data", options=None, **more):
	label = name.replace("_", " ").capitalize()
	return {"fieldname": name, "fieldtype": fieldtype, "label": label, "options": options, **more}


def columns(*given):
	"""Columns by their names, which hold plain text, or by what `column` takes: (name, type, options)."""
	return [column(one) if isinstance(one, str) else column(*one) for one in given]


def permission(role="System Manager", **more):
	return {"role": role, "read": 1, "write": 1, "create": 1, "delete": 1, **more}


def permissions(roles):
	"""Of {role: [(permission level, only own documents)]}."""
	return [
		permission(role, permlevel=level, if_owner=own)
		for role, levels in roles.items()
		for level, own in levels
	]


def make(name, fields, **values):
	"""A DocType: rows with `istable`, or documents with random names that a System Manager may do everything with."""
	given = {"doctype": "DocType", "name": name, "module": "Desk", "custom": 1}
	given["fields"] = [dict(field) for field in fields]  # Frappe writes into what it is given
	usual = {} if values.get("istable") else {"autoname": "hash", "permissions": [permission()]}
	frappe.get_doc({**given, **usual, **values}).insert()
	# Renames remember, for one request, which fields link to a DocType; tests go on in the same process.
	frappe.flags.link_fields = None


def sync(name, space_type, space_path, **values):
	"""Make an entity type of the DocType, which devices call by its name, and commit."""
	given = {"entity_type": name, "document_type": name, "space_type": space_type, "space_path": space_path}
	frappe.get_doc({"doctype": "Sync Entity", **given, **values}).insert()
	frappe.db.commit()


@contextmanager
def synced(prefix, *fields, rows):
	"""Gives the name of a new DocType of the wallet contract with these columns, and `rows` as those of its table `lines`."""
	name = new_id(prefix).replace("-", " ")
	frappe.set_user("Administrator")
	retry.run(lambda: _make_synced(name, fields, rows))
	yield name
	remove(name, f"{name} Line")


def _make_synced(name, fields, rows):
	make(f"{name} Line", columns(*rows), istable=1)
	make(name, columns("wallet", *fields, ("lines", "Table", f"{name} Line")))
	sync(name, "wallet", "wallet", check_permissions=0)


def remove(*names):
	"""Take DocTypes away, those with rows before the rows; what a test left half done is rolled back.

	Frappe leaves their tables. Other tests would find addresses of ours in them, so they are dropped too.
	"""
	frappe.set_user("Administrator")
	frappe.db.rollback()
	found = frappe.get_all("Sync Entity", {"document_type": ["in", names]}, pluck="name")
	for doctype, name in [*(("Sync Entity", n) for n in found), *(("DocType", n) for n in names)]:
		frappe.delete_doc(doctype, name, force=True, ignore_missing=True)
	frappe.db.commit()
	drop(*names)


def drop(*names):
	"""Drop the tables of DocTypes that are gone."""
	for name in names:
		frappe.db.sql_ddl(f"DROP TABLE IF EXISTS `tab{name}`")
