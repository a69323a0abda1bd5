"""Documents that somebody may not read are answered like documents that are not there (promise 6, walls).

Frappe looks a document up before it asks for permission, so that 403 and 404 tell names apart.
"""

import json
import re

import frappe
from frappe import _

APP = "hisabi_sync"
DOCUMENT_PATH = re.compile(r"/api/(?:v\d/)?(?:resource|document)/(?P<doctype>[^/]+)/(?P<name>[^/]+)")
NAMED_BY = ("name", "docname", "dn")
REFUSED = (403, 404)
OPENED = "/api/method/frappe.desk.form.load.getdoc"


def finish(response, request):
	"""Hook after every request: a refusal about one of our documents says no more than that it was not found."""
	if response is None or not _is_refusal(response, request):
		return
	doctype, name = _meant(request)
	if doctype and name and is_ours(doctype) and not may_read(doctype, name):
		_replace(response, doctype, name)


def _is_refusal(response, request):
	"""The Desk's own call answers 200 without a document for one that is not there."""
	empty = request.path == OPENED and not frappe.local.response.get("docs")
	return response.status_code in REFUSED or empty


def _meant(request):
	"""(DocType, name) of the document that a call of Frappe's own is about."""
	match = DOCUMENT_PATH.match(request.path)
	if match:
		return match["doctype"], match["name"]
	given = frappe.local.form_dict
	name = next((given[key] for key in NAMED_BY if given.get(key)), None)
	return given.get("doctype") or given.get("dt"), name


def is_ours(doctype):
	"""Whether something is the name of a DocType of this app."""
	if not isinstance(doctype, str) or not frappe.db.exists("DocType", doctype):
		return False
	return frappe.local.module_app.get(frappe.scrub(frappe.get_meta(doctype).module)) == APP


def may_read(doctype, name):
	"""Whether a document is there and the caller may read it."""
	name = str(name)
	return bool(frappe.db.exists(doctype, name)) and frappe.has_permission(doctype, "read", doc=name)


def _replace(response, doctype, name):
	sentence = _("{0} {1} not found").format(_(doctype), name)
	body = {
		"exc_type": "DoesNotExistError",
		"_server_messages": json.dumps([json.dumps({"message": sentence, "indicator": "red"})]),
	}
	response.status_code = 404
	response.set_data(json.dumps(body))
	response.headers["Content-Type"] = "application/json"
