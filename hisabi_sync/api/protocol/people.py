"""What calls for people have in common: the roles that they need, the rows that they may see, and a transaction for their work."""

from collections.abc import Callable
from typing import TypeVar

import frappe

from hisabi_sync import permissions
from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model.errors import RequestError

T = TypeVar("T")


def require_manager() -> None:
	"""For Sync Managers."""
	if not permissions.settles():
		raise RequestError("permission_denied")


def require_reader() -> None:
	"""For Sync Managers and Sync Auditors."""
	if not permissions.reads():
		raise RequestError("permission_denied")


def visible(doctype: str, given: args.Given, argument: str, right: str = "read") -> str:
	"""The name in the argument, of a row that the caller may see; unknown and hidden ones are answered alike.

	Raises permission_denied for one that may be seen, where `right` is another right that the caller does not have.
	"""
	name = args.text(given, argument)
	if not frappe.db.exists(doctype, name) or not frappe.has_permission(doctype, "read", doc=name):
		frappe.clear_messages()
		raise RequestError("not_found")
	if not frappe.has_permission(doctype, right, doc=name):
		frappe.clear_messages()
		raise RequestError("permission_denied")
	return name


def transaction(work: Callable[[], T], dry_run: bool = False) -> T:
	"""Run the work in a transaction that is tried again after a deadlock; a dry run leaves nothing."""

	def whole() -> T:
		answer = work()
		frappe.db.rollback() if dry_run else retry.commit()
		return answer

	return retry.run(whole)
