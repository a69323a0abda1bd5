"""Who sees which of the engine's rows: by role, by User Permissions on Sync Space, and by the synced DocType itself.

Frappe asks twice: `permission_query_conditions` for lists, `has_permission` for one document. Both use one rule.
"""

from collections.abc import Iterable
from typing import Any, TypeGuard

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.model.document import Document

from hisabi_sync import document_clauses
from hisabi_sync.engine.model import ids
from hisabi_sync.space_clauses import CLAUSES, KEYS

MANAGER, AUDITOR = "Sync Manager", "Sync Auditor"


def is_manager() -> bool:
	"""Whether the user is a Sync Manager, who may resolve conflicts and process failed items again."""
	return MANAGER in frappe.get_roles()


def reads(user: str | None = None) -> bool:
	"""Whether the user may see conflicts and items at all; `has_permission` decides which ones."""
	return bool({MANAGER, AUDITOR, "System Manager"} & set(frappe.get_roles(user)))


def allowed_spaces(user: str, doctype: str) -> set[str] | None:
	"""Spaces that User Permissions restrict the user to, or None when they do not."""
	rows = get_user_permissions(user).get("Sync Space") or []
	names = {row.get("doc") for row in rows if row.get("applicable_for") in (None, "", doctype)}
	return names or None


READING = ("read", "select", "report", "export", "print", "email")


def sees_everywhere(user: str) -> bool:
	"""Whether no User Permission keeps the user to some spaces."""
	return not get_user_permissions(user).get("Sync Space")


def may_change_for_all(doc: Document, ptype: str | None = None, user: str | None = None) -> bool:
	"""Hook for a document that holds in every space: only users who may see every space can change it."""
	return ptype in (None, *READING) or sees_everywhere(user or frappe.session.user)


def conditions(doctype: str, user: str | None = None) -> str:
	"""The WHERE clause of a list, or an empty text."""
	user = user or frappe.session.user
	parts, spaces = [], allowed_spaces(user, doctype)
	if spaces is not None:
		parts.append(CLAUSES[doctype].format(spaces=_escaped(spaces)))
	return " AND ".join([*parts, *document_clauses.conditions(doctype, user)])


def _escaped(names: Iterable[str]) -> str:
	return ", ".join(frappe.db.escape(name, percent=False) for name in sorted(names))


def has_permission(doc: Document, ptype: str | None = None, user: str | None = None) -> bool:
	"""Hook for one document: whether the list would show it."""
	if not _may_hold(doc, user or frappe.session.user):
		return False
	clause = "" if doc.is_new() else conditions(doc.doctype, user)
	if not clause:
		return True
	name = frappe.db.escape(str(doc.name), percent=False)
	return bool(frappe.db.sql(f"SELECT 1 FROM `tab{doc.doctype}` WHERE name = {name} AND {clause}"))  # noqa: S608


def _may_hold(doc: Document, user: str) -> bool:
	"""Whether the user may act in the spaces that a document names, so that none is made in, or moved to, another space."""
	spaces = allowed_spaces(user, doc.doctype)
	named = {ids.space(kind, doc.get(field)) for field, kind in KEYS.items() if doc.get(field)}
	return spaces is None or named <= spaces


APP = "hisabi_sync"


def is_ours(doctype: Any) -> TypeGuard[str]:
	"""Whether something is the name of a DocType of this app."""
	if not isinstance(doctype, str) or not frappe.db.exists("DocType", doctype):
		return False
	return frappe.local.module_app.get(frappe.scrub(frappe.get_meta(doctype).module)) == APP


def may_read(doctype: str, name: Any) -> bool:
	"""Whether a document is there and the caller may read it."""
	return may(doctype, name, "read")


def may(doctype: str, name: object, right: str) -> bool:
	"""Whether a document is there and the caller has a right to it."""
	name = str(name)
	return bool(frappe.db.exists(doctype, name)) and frappe.has_permission(doctype, right, doc=name)
