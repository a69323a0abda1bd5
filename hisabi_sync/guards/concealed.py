"""Calls about documents that the caller may not read are answered as if the documents did not exist.

Frappe looks a document up before it checks the permission, so its 403 and 404 would tell which names exist.
"""

import json
import re
from typing import Any

import frappe
from frappe import _
from werkzeug.wrappers import Request, Response

from hisabi_sync.api.protocol import routes
from hisabi_sync.permissions import is_ours, may_read

DOCUMENT_PATH = re.compile(r"/api/(?:v\d/)?(?:resource|document)/(?P<doctype>[^/]+)/(?P<name>[^/]+)")
REFUSED = (403, 404)
NAMED_BY = ("name", "docname", "dn")
OPENED = "frappe.desk.form.load.getdoc"


def check() -> None:
	"""Hook of Frappe's authentication, after those that sign in: no method runs on a document that the caller may not read.

	This cannot wait for `finish`: when the method does not exist, Frappe answers with a page that no hook sees. Raises
	frappe.DoesNotExistError.
	"""
	path = frappe.request.path
	match = DOCUMENT_PATH.match(path)
	runs = "run_method" in frappe.local.form_dict or "/method/" in path
	if match and runs and not routes.called() and is_ours(match["doctype"]):
		if not may_read(match["doctype"], match["name"]):
			raise frappe.DoesNotExistError


def finish(response: Response | None, request: Request) -> None:
	"""Hook after every request: turn a refusal about one of our documents into "not found"."""
	if response is None or not _is_refusal(response, request):
		return
	doctype, name = _meant(request)
	if doctype and name and is_ours(doctype) and not may_read(doctype, name):
		_replace(response, doctype, name)


def _is_refusal(response: Response, request: Request) -> bool:
	"""A call of another kind may fail with anything when it has found a document. The Desk's own answers 200 without one."""
	empty = routes.called() == OPENED and not frappe.local.response.get("docs")
	named = DOCUMENT_PATH.match(request.path) and not routes.called()
	return response.status_code in REFUSED or empty or bool(named and response.status_code >= 400)


def _meant(request: Request) -> tuple[Any, Any]:
	"""(DocType, name) of the document that a call of Frappe's own is about."""
	match = DOCUMENT_PATH.match(request.path)
	if match and not routes.called():
		return match["doctype"], match["name"]
	arguments = frappe.local.form_dict
	name = next((arguments[key] for key in NAMED_BY if arguments.get(key)), None)
	return arguments.get("doctype") or arguments.get("dt"), name


def _replace(response: Response, doctype: str, name: Any) -> None:
	sentence = _("{0} {1} not found").format(_(doctype), name)
	body = {
		"exc_type": "DoesNotExistError",
		"_server_messages": json.dumps([json.dumps({"message": sentence, "indicator": "red"})]),
	}
	response.status_code = 404
	response.set_data(json.dumps(body))
	response.headers["Content-Type"] = "application/json"
