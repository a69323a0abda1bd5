"""Who sees which of the engine's rows: by role, by User Permissions on Sync Space, and by the synced DocType itself.

Frappe asks twice: `permission_query_conditions` for lists, `has_permission` for one document. Both use one rule.
"""

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions

from hisabi_sync.engine import ids
from hisabi_sync.engine.entities import registry
from hisabi_sync.space_clauses import CLAUSES, KEYS

MANAGER, AUDITOR = "Sync Manager", "Sync Auditor"
# DocTypes whose rows show values of the records of an entity type.
SHOWING_VALUES = ("Sync Conflict", "Sync Item")


def settles():
	"""Whether the user may settle conflicts and process failed items again."""
	return MANAGER in frappe.get_roles()


def reads():
	"""Whether the user may see conflicts and items at all; which ones is for `has_permission` to say."""
	return bool({MANAGER, AUDITOR, "System Manager"} & set(frappe.get_roles()))


def allowed_spaces(user, doctype):
	"""Spaces that User Permissions restrict the user to, or None when they do not."""
	rows = get_user_permissions(user).get("Sync Space") or []
	names = {row.get("doc") for row in rows if row.get("applicable_for") in (None, "", doctype)}
	return names or None


def hidden_types(user):
	"""Entity types under Frappe's permissions whose DocType the user may not read."""
	return {
		entity.name
		for entity in registry().by_name.values()
		if entity.check_permissions and not frappe.has_permission(entity.doctype, "read", user=user)
	}


def conditions(doctype, user=None):
	"""The WHERE clause of a list, or an empty text."""
	user = user or frappe.session.user
	parts, spaces = [], allowed_spaces(user, doctype)
	if spaces is not None:
		parts.append(CLAUSES[doctype].format(spaces=_escaped(spaces)))
	hidden = hidden_types(user) if doctype in SHOWING_VALUES else ()
	if hidden:
		parts.append(f"`tab{doctype}`.entity_type NOT IN ({_escaped(hidden)})")
	return " AND ".join(parts)


def _escaped(names):
	return ", ".join(frappe.db.escape(name) for name in sorted(names))


def has_permission(doc, ptype=None, user=None):
	"""Hook for one document: whether the list would show it."""
	if not _may_hold(doc, user or frappe.session.user):
		return False
	clause = "" if doc.is_new() else conditions(doc.doctype, user)
	if not clause:
		return True
	query = f"SELECT 1 FROM `tab{doc.doctype}` WHERE name = %s AND {clause}"  # noqa: S608
	return bool(frappe.db.sql(query, (doc.name,)))


def _may_hold(doc, user):
	"""Whether the spaces that a document names are left to the user; a document is neither made nor moved elsewhere."""
	spaces = allowed_spaces(user, doc.doctype)
	named = {ids.space(kind, doc.get(field)) for field, kind in KEYS.items() if doc.get(field)}
	return spaces is None or named <= spaces
