"""Documents named in calls of Frappe's own API: whether they are ours, and what the caller may do with them."""

from typing import Any, TypeGuard

import frappe

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
