"""What the endpoints of the conflict centre have in common: roles, permissions, rows and pages."""

import frappe

from hisabi_sync import permissions
from hisabi_sync.api import arguments as args
from hisabi_sync.engine import retry
from hisabi_sync.engine.errors import RequestError


def require_manager():
	"""For Sync Managers."""
	if not permissions.settles():
		raise RequestError("permission_denied")


def require_reader():
	"""For Sync Managers and Sync Auditors."""
	if not permissions.reads():
		raise RequestError("permission_denied")


def visible(doctype, given, argument):
	"""The name in the argument, of a row that the caller may see; unknown and hidden ones are answered alike."""
	name = args.text(given, argument)
	if not frappe.db.exists(doctype, name) or not frappe.has_permission(doctype, "read", doc=name):
		frappe.clear_messages()
		raise RequestError("not_found")
	return name


def transaction(work, dry_run=False):
	"""Run the work in a transaction that is tried again after a deadlock; a dry run leaves nothing."""

	def whole():
		answer = work()
		frappe.db.rollback() if dry_run else frappe.db.commit()
		return answer

	return retry.run(whole)


def page(doctype, filters, fields, given):
	"""`(rows, next)` of what the caller may see, newest first; `next` is the `after` of the next page or None."""
	limit = given.limit
	if given.after:
		filters = [*filters, ["name", "<", given.after]]
	found = frappe.get_list(
		doctype, filters=filters, fields=fields, order_by="name desc", limit_page_length=limit + 1
	)
	return found[:limit], found[limit - 1].name if len(found) > limit else None


def filters(given, model):
	"""Filters `[field, operator, value]` for those of the arguments of the model that are there, and for times."""
	named = {name: given.get(name) for name in model.model_fields}
	return [*([name, "in", values] for name, values in named.items() if values), *_times(given)]


def _times(given):
	bounds = (("since", ">="), ("until", "<"))
	moments = [(operator, given.get(name)) for name, operator in bounds]
	return [["creation", operator, moment] for operator, moment in moments if moment]
