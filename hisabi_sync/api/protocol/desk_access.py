"""Who may use the calls for people: the roles that these need, and the rows that a caller may see."""

import frappe

from hisabi_sync import permissions
from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.engine.model.errors import RequestError


def require_manager() -> None:
	"""For Sync Managers."""
	if not permissions.is_manager():
		raise RequestError("permission_denied")


def require_reader() -> None:
	"""For Sync Managers and Sync Auditors."""
	if not permissions.reads():
		raise RequestError("permission_denied")


def visible(doctype: str, arguments: args.Arguments, argument: str, right: str = "read") -> str:
	"""The name in the argument, of a row that the caller may see. Raises not_found alike for unknown and for hidden rows.

	Raises permission_denied when the caller may see the row but does not have `right`.
	"""
	name = args.text(arguments, argument)
	if not frappe.db.exists(doctype, name) or not frappe.has_permission(doctype, "read", doc=name):
		frappe.clear_messages()
		raise RequestError("not_found")
	if not frappe.has_permission(doctype, right, doc=name):
		frappe.clear_messages()
		raise RequestError("permission_denied")
	return name
