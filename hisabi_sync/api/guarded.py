"""Frappe's own calls that answer anybody who is signed in; here they ask for the right to read first.

Documents that somebody may not read and documents that are not there are refused by the same lines. The tables of
`guards` say which; `hooks.override_whitelisted_methods` puts `guarded.<name>` in the place of each call of theirs.
"""

import functools
import inspect
import re

import frappe
from frappe import client
from frappe.desk import search
from frappe.desk.doctype.dashboard_chart import dashboard_chart
from frappe.desk.doctype.number_card import number_card
from frappe.desk.form import linked_with

from hisabi_sync import permissions
from hisabi_sync.api.concealed import is_ours, may_read
from hisabi_sync.api.guards import COLUMNS, GROUPS, HERE, METHODS, NEW, READS, ROWS

COLUMN = re.compile(r"[A-Za-z0-9_]{1,64}")
CHART_COLUMNS = ("value_based_on", "based_on", "aggregate_function_based_on", "group_by_based_on")


@frappe.whitelist()
def get_count(doctype, filters=None, debug=False, cache=False):
	"""`frappe.client.get_count` for those who may read the DocType."""
	_check(doctype)
	return client.get_count(doctype, filters, debug, cache)


@frappe.whitelist()
def linked_documents(doctype, docname):
	"""`frappe.desk.form.linked_with.get` for those who may read the document."""
	_check(doctype, docname)
	return linked_with.get(doctype, docname)


def _check(doctype, docname=None):
	"""Not with `throw`: versions of Frappe differ in what they raise then."""
	if not frappe.has_permission(doctype, "read", doc=docname):
		raise frappe.PermissionError


@frappe.whitelist()
def get(doctype, name=None, filters=None, parent=None):
	"""`frappe.client.get`; filters find what the caller may read, and tell nothing of other documents."""
	if isinstance(name, dict | list):
		name, filters = None, name
	if not name and filters not in (None, "") and is_ours(doctype) and not frappe.get_meta(doctype).issingle:
		wanted = frappe.parse_json(filters)
		found = frappe.get_list(doctype, filters=wanted, parent_doctype=parent, pluck="name", limit=1)
		if not found:
			raise frappe.DoesNotExistError
		name = found[0]
	return client.get(doctype, name, filters, parent)


@frappe.whitelist()
def get_link_title(doctype, docname):
	"""`frappe.desk.search.get_link_title` of what the caller may read."""
	if is_ours(doctype) and not may_read(doctype, docname):
		return None
	return search.get_link_title(doctype, docname)


@frappe.whitelist()
@functools.wraps(client.validate_link)
def validate_link(**given):
	"""`frappe.client.validate_link`, by which forms empty a field: a document that may not be read is none."""
	doctype = given.get("doctype")
	if is_ours(doctype) and frappe.has_permission(doctype, "read"):
		if not may_read(doctype, given.get("docname")):
			return {"name": None}
	return client.validate_link(**given)


def _searching(function):
	"""A search in which nobody leaves aside the User Permissions that keep him to some spaces."""

	@frappe.whitelist()
	@functools.wraps(function)
	def guarded(**given):
		if is_ours(given.get("doctype")):
			given.pop("ignore_user_permissions", None)
		return function(**given)

	return guarded


search_link, search_widget = _searching(search.search_link), _searching(search.search_widget)


@frappe.whitelist()
@functools.wraps(dashboard_chart.get)
def chart(**given):
	"""`frappe.desk.doctype.dashboard_chart.dashboard_chart.get` for those who may read what it counts.

	Frappe keeps the answers for everybody, so that who is kept to some spaces gets one made anew; and its heatmaps ask
	for no permission at all.
	"""
	found = _charts(given)
	_check_columns(found)
	charts = [one for one in found if is_ours(one.document_type)]
	for one in charts:
		_check(one.document_type)
		if one.type == "Heatmap":
			_check_rows(one.document_type)
	anew = any(_is_kept(one.document_type) for one in charts)
	return (inspect.unwrap(dashboard_chart.get) if anew else dashboard_chart.get)(**given)


def _charts(given):
	"""The chart that is described, and the stored ones whose kept answers would be given."""
	asked = _described(given.get("chart"))
	names = [name for name in (given.get("chart_name"), asked.name) if isinstance(name, str)]
	filters = {"name": ["in", [*names, ""]]}
	return [asked, *frappe.get_all("Dashboard Chart", filters, ["document_type", "type", *CHART_COLUMNS])]


def _described(text):
	described = frappe.parse_json(text)
	return frappe._dict(described if isinstance(described, dict) else {})


def _check_columns(charts):
	"""Frappe writes these into a statement as they are, so that a query in the place of a column read any table."""
	for one in charts:
		columns = [one.get(name) for name in CHART_COLUMNS if one.get(name)]
		if not all(isinstance(column, str) and COLUMN.fullmatch(column) for column in columns):
			raise frappe.PermissionError


def _of_card(function):
	@frappe.whitelist()
	@functools.wraps(function)
	def guarded(**given):
		_check_columns([_described(given.get("doc"))])
		return function(**given)

	return guarded


card_result = _of_card(number_card.get_result)
card_difference = _of_card(number_card.get_percentage_difference)


def _is_kept(doctype):
	"""Whether User Permissions keep the caller to some spaces."""
	return permissions.allowed_spaces(frappe.session.user, doctype) is not None


def _check_rows(doctype):
	"""Raise frappe.PermissionError unless the caller may read all rows of one of our DocTypes."""
	if is_ours(doctype) and (_is_kept(doctype) or not frappe.has_permission(doctype, "read")):
		raise frappe.PermissionError


def _check_document(doctype, name):
	"""The same for one document. Forms attach files to documents that are not saved yet."""
	if not is_ours(doctype) or (isinstance(name, str) and name.startswith(NEW)):
		return
	if not may_read(doctype, name):
		raise frappe.PermissionError


def _check_call(method):
	"""By the arguments of the request, for some functions take them from there."""
	given = frappe.local.form_dict
	if method in READS:
		doctype, name = READS[method]
		for one in (frappe.parse_json(given.get(name)) or ()) if name == "docs" else [given.get(name)]:
			_check_document(given.get(doctype), one)
	for doctype in _read_whole(method, given):
		_check_rows(doctype)


def _read_whole(method, given):
	"""DocTypes of which the call reads rows that it has not asked permission for."""
	if method in ROWS:
		return [given.get(ROWS[method])]
	if method in COLUMNS:
		columns = frappe.parse_json(given.get("custom_columns")) or ()
		return [column.get("doctype") for column in columns if isinstance(column, dict)]
	return [given.get("doctype")] if method == GROUPS and given.get("field") == "assigned_to" else []


@functools.cache
def _guarded(method):
	function = frappe.get_attr(METHODS.get(method, method))

	methods = frappe.allowed_http_methods_for_whitelisted_func.get(function)

	@frappe.whitelist(allow_guest=function in frappe.guest_methods, methods=methods)
	@functools.wraps(function)
	def guarded(*arguments, **given):
		_check_call(method)
		return function(*arguments, **given)

	return guarded


def __getattr__(name):
	"""The guard of a call of the tables."""
	if name not in HERE:
		raise AttributeError(name)
	return _guarded(HERE[name])
