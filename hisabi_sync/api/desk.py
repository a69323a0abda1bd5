"""What the endpoints of the conflict centre have in common: roles, permissions, rows and pages."""

import frappe

from hisabi_sync import permissions
from hisabi_sync.api import arguments as args
from hisabi_sync.engine import retry, strict_json
from hisabi_sync.engine.errors import RequestError

MAX_ROWS, MAX_REASON = 2000, 2000


def require_manager():
	if not permissions.settles():
		raise RequestError("permission_denied")


def require_reader():
	if not permissions.reads():
		raise RequestError("permission_denied")


def visible(doctype, given, argument):
	"""The name in the argument, of a row that the caller may see; unknown and hidden ones are answered alike."""
	name = args.text(given, argument)
	if not frappe.db.exists(doctype, name) or not frappe.has_permission(doctype, "read", doc=name):
		frappe.clear_messages()
		raise RequestError("not_found")
	return name


def reason(given):
	value = given.get("reason")
	if value in (None, ""):
		return None
	if not isinstance(value, str) or len(value) > MAX_REASON:
		raise RequestError("invalid_argument", argument="reason")
	return value.strip()


def mapping(given, name):
	"""An object or its JSON text; an empty dict when it is not there."""
	value = _parsed(given, name)
	if value in (None, ""):
		return {}
	if not isinstance(value, dict):
		raise RequestError("invalid_argument", argument=name)
	return value


def _parsed(given, name):
	value = given.get(name)
	if not isinstance(value, str) or not value:
		return value
	try:
		return strict_json.parse(value)
	except ValueError:
		raise RequestError("invalid_argument", argument=name) from None


def rows(given, name, key):
	"""`[{id, version?}]` from a list of ids or of objects with `key` and perhaps `version`, each id once."""
	value = _parsed(given, name)
	if not isinstance(value, list) or not value or len(value) > MAX_ROWS:
		raise RequestError("invalid_argument", argument=name, limit=MAX_ROWS)
	found = {}
	for part in value:
		row = {key: part} if isinstance(part, str) else part
		if not isinstance(row, dict):
			raise RequestError("invalid_argument", argument=name)
		version = args.whole_number(row, "version", None, 0, 2**53)
		found.setdefault(args.text(row, key), version)
	return [{"id": identity, **({"version": v} if v else {})} for identity, v in found.items()]


def transaction(work, dry_run=False):
	"""Run the work in a transaction that is tried again after a deadlock; a dry run leaves nothing."""

	def whole():
		answer = work()
		frappe.db.rollback() if dry_run else frappe.db.commit()
		return answer

	return retry.run(whole)


def page(doctype, filters, fields, given):
	"""`(rows, next)` of what the caller may see, newest first; `next` is the `after` of the next page or None."""
	limit = args.whole_number(given, "limit", 50, 1, 500)
	after = args.optional_text(given, "after")
	if after:
		filters = [*filters, ["name", "<", after]]
	found = frappe.get_list(
		doctype, filters=filters, fields=fields, order_by="name desc", limit_page_length=limit + 1
	)
	return found[:limit], found[limit - 1].name if len(found) > limit else None


def filters(given, names):
	"""Filters `[field, operator, value]` for those of the arguments that are there: one text each, or a list of them."""
	chosen = []
	for name in names:
		values = args.text_list(given, name)
		if values:
			chosen.append([name, "in", values])
	return [*chosen, *_times(given)]


def _times(given):
	bounds = (("since", ">="), ("until", "<"))
	moments = [(operator, args.instant(given, name)) for name, operator in bounds]
	return [["creation", operator, moment] for operator, moment in moments if moment]
