"""The table of paths: where a contract's document prints a path, and the Frappe method that serves it."""

import frappe

from hisabi_sync.api.answers import Abort, failure
from hisabi_sync.engine.errors import RequestError

METHODS = "/api/method/"
PACKAGE = "hisabi_sync.api."
SHORT = "hisabi."
PRINTED = "hisabi_sync.printed_path"

# Module of the package -> contract whose shape its errors have.
MODULES = {
	"sync": "wallet",
	"devices": "wallet",
	"wallets": "wallet",
	"conflicts": "wallet",
	"failed_items": "wallet",
}

# Full name of each endpoint -> contract; `http.endpoint` fills it as modules are imported.
ENDPOINTS = {}


def rewrite():
	"""Hook before every request: refuse unknown methods of ours, and keep a `cmd` in the body from rerouting known ones."""
	contract = contract_of(frappe.request.path)
	if contract is None:
		return
	if not _exists(method_of(frappe.request.path)):
		raise Abort(failure(contract, RequestError("not_found")))
	frappe.local.form_dict.pop("cmd", None)


def method_of(path):
	"""Full name of the method that serves a path of ours."""
	method = path.removeprefix(METHODS)
	overrides = frappe.get_hooks("override_whitelisted_methods").get(method)
	return overrides[-1] if overrides else method


def _exists(method):
	module = method.removeprefix(PACKAGE).partition(".")[0]
	if module in MODULES:
		frappe.get_module(PACKAGE + module)
	return method in ENDPOINTS


def is_printed_path():
	return bool(frappe.request.environ.get(PRINTED))


def contract_of(path):
	"""The contract that a path belongs to, or None when the path is not ours."""
	method = path.removeprefix(METHODS) if path.startswith(METHODS) else ""
	if not method.startswith((PACKAGE, SHORT)):
		return None
	return MODULES.get(method.removeprefix(PACKAGE).partition(".")[0], "wallet")
