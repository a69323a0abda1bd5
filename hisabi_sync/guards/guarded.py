"""Guards for calls of Frappe's that answer every signed-in user: they check the right to the document first.

A guard refuses documents that the caller may not read in the same way as documents that do not exist. `guards/table.py` lists
the calls; `hooks.override_whitelisted_methods` puts `guarded.<name>` before each of them. A call that passes goes on to the next
function in line: another app's override, else Frappe's own function.
"""

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

import frappe
from frappe import client
from frappe.desk import search
from frappe.desk.doctype.dashboard_chart import dashboard_chart
from frappe.desk.doctype.number_card import number_card
from frappe.handler import is_valid_http_method

from hisabi_sync import compat, permissions
from hisabi_sync.guards import table
from hisabi_sync.permissions import is_ours, may, may_read

COLUMN = re.compile(r"[A-Za-z0-9_]{1,64}")
CHART_COLUMNS = ("value_based_on", "based_on", "aggregate_function_based_on", "group_by_based_on")


def go_on(method: str, *arguments: Any, **named: Any) -> Any:
	"""Call the function behind the guard with these arguments."""
	function = _next(method)
	if function is None:
		return _original(method)(*arguments, **named)
	frappe.is_whitelisted(function)
	is_valid_http_method(function)
	return frappe.call(function, **{**frappe.local.form_dict, **named})


def _next(method: str) -> Callable[..., Any] | None:
	"""The function of the app whose turn it is after ours, or None."""
	name = compat.override_after(method, table.MODULE)
	return frappe.get_attr(name) if name else None


def _original(method: str) -> Callable[..., Any]:
	return frappe.get_attr(table.METHODS.get(method, method))


def is_on(method: str) -> bool:
	"""Whether the site lets a guard stand before this call."""
	off = frappe.conf.get(table.OFF)
	return not (off is True or off == 1 or (isinstance(off, list) and method in off))


def _before(
	method: str, like: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
	"""Make a function the guard of a call. It runs unless the site switched it off, and has the signature of `like`."""

	def decorate(guard: Callable[..., Any]) -> Callable[..., Any]:
		@frappe.whitelist()
		@functools.wraps(like or guard)
		def guarded(**arguments: Any) -> Any:
			return guard(**arguments) if is_on(method) else go_on(method, **arguments)

		return guarded

	return decorate


@_before("frappe.client.get_count")
def get_count(doctype: Any, filters: Any = None, debug: Any = False, cache: Any = False) -> Any:
	"""`frappe.client.get_count` for those who may read the DocType."""
	_check(doctype)
	options = {"filters": filters, "debug": debug, "cache": cache}
	return go_on("frappe.client.get_count", doctype=doctype, **options)


@_before("frappe.desk.form.linked_with.get")
def linked_documents(doctype: Any, docname: Any) -> Any:
	"""`frappe.desk.form.linked_with.get` for those who may read the document."""
	_check(doctype, docname)
	return go_on("frappe.desk.form.linked_with.get", doctype=doctype, docname=docname)


def _check(doctype: Any, docname: Any = None) -> None:
	"""Not with `throw`: versions of Frappe differ in what they raise then."""
	if not frappe.has_permission(doctype, "read", doc=docname):
		raise frappe.PermissionError


@_before("frappe.client.get")
def get(doctype: Any, name: Any = None, filters: Any = None, parent: Any = None) -> Any:
	"""`frappe.client.get`; filters find only documents that the caller may read."""
	if isinstance(name, dict | list):
		name, filters = None, name
	if not name and filters not in (None, "") and is_ours(doctype) and not frappe.get_meta(doctype).issingle:
		conditions = frappe.parse_json(filters)
		found = frappe.get_list(doctype, filters=conditions, parent_doctype=parent, pluck="name", limit=1)
		if not found:
			raise frappe.DoesNotExistError
		name = found[0]
	return go_on("frappe.client.get", doctype=doctype, name=name, filters=filters, parent=parent)


@_before("frappe.desk.search.get_link_title")
def get_link_title(doctype: Any, docname: Any) -> Any:
	"""`frappe.desk.search.get_link_title`, for documents that the caller may read."""
	if is_ours(doctype) and not may_read(doctype, docname):
		return None
	return go_on("frappe.desk.search.get_link_title", doctype=doctype, docname=docname)


@_before("frappe.client.validate_link", client.validate_link)
def validate_link(**arguments: Any) -> Any:
	"""`frappe.client.validate_link`, which forms use to clear a field: a document that the caller may not read counts as missing."""
	doctype = arguments.get("doctype")
	if is_ours(doctype) and frappe.has_permission(doctype, "read"):
		if not may_read(doctype, arguments.get("docname")):
			return {"name": None}
	return go_on("frappe.client.validate_link", **arguments)


def _searching(function: Callable[..., Any]) -> Callable[..., Any]:
	"""A search that always applies the User Permissions on spaces; callers cannot switch them off."""

	method = f"frappe.desk.search.{function.__name__}"

	@_before(method, function)
	def guarded(**arguments: Any) -> Any:
		if is_ours(arguments.get("doctype")) and "ignore_user_permissions" in arguments:
			arguments["ignore_user_permissions"] = False
		return go_on(method, **arguments)

	return guarded


search_link, search_widget = _searching(search.search_link), _searching(search.search_widget)
CHART = "frappe.desk.doctype.dashboard_chart.dashboard_chart.get"


@_before(CHART, dashboard_chart.get)
def chart(**arguments: Any) -> Any:
	"""`frappe.desk.doctype.dashboard_chart.dashboard_chart.get` for those who may read what it counts.

	Frappe caches one answer for everybody, so users who are restricted to some spaces get a fresh one. Its heatmaps check no
	permission at all.
	"""
	found = _charts(arguments)
	_check_columns(found)
	charts = [one for one in found if is_ours(one.document_type)]
	for one in charts:
		_check(one.document_type)
		if one.type == "Heatmap":
			_check_rows(one.document_type)
	anew = any(_is_kept(one.document_type) for one in charts)
	if anew and _next(CHART) is None:
		return inspect.unwrap(dashboard_chart.get)(**arguments)
	return go_on(CHART, **arguments)


def _charts(arguments: dict[str, Any]) -> list[frappe._dict]:
	"""The chart that the request describes, and the stored charts whose cached answers Frappe would give."""
	asked = _described(arguments.get("chart"))
	names = [name for name in (arguments.get("chart_name"), asked.name) if isinstance(name, str)]
	filters = {"name": ["in", [*names, ""]]}
	return [asked, *frappe.get_all("Dashboard Chart", filters, ["document_type", "type", *CHART_COLUMNS])]


def _described(text: Any) -> frappe._dict:
	described = frappe.parse_json(text)
	return frappe._dict(described if isinstance(described, dict) else {})


def _check_columns(charts: Iterable[frappe._dict]) -> None:
	"""Frappe puts these into a statement unchanged, so a query in the place of a column could read any table."""
	for one in charts:
		columns = [one.get(name) for name in CHART_COLUMNS if one.get(name)]
		if not all(isinstance(column, str) and COLUMN.fullmatch(column) for column in columns):
			raise frappe.PermissionError


def _of_card(function: Callable[..., Any]) -> Callable[..., Any]:
	method = f"frappe.desk.doctype.number_card.number_card.{function.__name__}"

	@_before(method, function)
	def guarded(**arguments: Any) -> Any:
		_check_columns([_described(arguments.get("doc"))])
		return go_on(method, **arguments)

	return guarded


card_result = _of_card(number_card.get_result)
card_difference = _of_card(number_card.get_percentage_difference)


def _is_kept(doctype: str) -> bool:
	"""Whether User Permissions keep the caller to some spaces."""
	return permissions.allowed_spaces(frappe.session.user, doctype) is not None


def _check_rows(doctype: Any) -> None:
	"""Raise frappe.PermissionError unless the caller may read all rows of one of our DocTypes."""
	if is_ours(doctype) and (_is_kept(doctype) or not frappe.has_permission(doctype, "read")):
		raise frappe.PermissionError


def _check_document(doctype: Any, name: Any, right: str) -> None:
	"""Raise frappe.PermissionError unless the caller has the right to one document of ours.

	Forms attach files to documents that are not saved yet.
	"""
	if not is_ours(doctype) or (isinstance(name, str) and name.startswith(table.NEW)):
		return
	if not may(doctype, name, right):
		raise frappe.PermissionError


def _check_call(method: str) -> None:
	"""By the arguments of the request, for some functions take them from there."""
	arguments = frappe.local.form_dict
	for doctype, name in _named(method, arguments):
		_check_document(doctype, name, table.RIGHTS.get(method, "read"))
	for doctype in _read_whole(method, arguments):
		_check_rows(doctype)


def _named(method: str, arguments: frappe._dict) -> list[tuple[Any, Any]]:
	"""[(DocType, name)] of the documents that the call is about; what is no list of names is for Frappe to refuse."""
	if method in table.READS:
		doctype, name = table.READS[method]
		return [(arguments.get(doctype), arguments.get(name))]
	if method in table.MANY:
		doctype, names = table.MANY[method]
		return [(arguments.get(doctype), name) for name in _names(arguments.get(names))]
	argument, key = table.DOCUMENTS.get(method, (None, None))
	found = [doc for doc in _parsed(arguments.get(argument)) if isinstance(doc, dict)]
	own = arguments.get("doctype")
	return [(doc.get("doctype") or own, doc.get(key)) for doc in found if not doc.get("__islocal")]


def _names(text: Any) -> list[Any]:
	"""Names in a JSON text; Frappe takes a lone text for one name in some calls, for names of one letter in others."""
	names = _parsed(text)
	lone = names[0] if names and not isinstance(frappe.parse_json(text), list) else ""
	return [*names, *(lone if isinstance(lone, str) else ())]


def _parsed(text: Any) -> list[Any]:
	"""The parts of a list, or the one thing, in a JSON text."""
	try:
		value = frappe.parse_json(text)
	except ValueError:
		return []
	return value if isinstance(value, list) else [value]


def _read_whole(method: str, arguments: frappe._dict) -> list[Any]:
	"""DocTypes of which the call reads rows that it has not asked permission for."""
	if method in table.ROWS:
		return [arguments.get(table.ROWS[method])]
	if method in table.COLUMNS:
		columns = frappe.parse_json(arguments.get("custom_columns")) or ()
		return [column.get("doctype") for column in columns if isinstance(column, dict)]
	return (
		[arguments.get("doctype")]
		if method == table.GROUPS and arguments.get("field") == "assigned_to"
		else []
	)


@functools.cache
def _guarded(method: str) -> Callable[..., Any]:
	function = _original(method)
	methods = frappe.allowed_http_methods_for_whitelisted_func.get(function)

	@frappe.whitelist(allow_guest=function in frappe.guest_methods, methods=methods)
	@functools.wraps(function)
	def guarded(*arguments: Any, **named: Any) -> Any:
		if is_on(method):
			_check_call(method)
		return go_on(method, *arguments, **named)

	return guarded


def __getattr__(name: str) -> Callable[..., Any]:
	"""The guard of a call of the tables."""
	if name not in table.HERE:
		raise AttributeError(name)
	return _guarded(table.HERE[name])
