"""The table of paths: where a contract's document prints a path, and the Frappe method that serves it."""

import frappe

METHODS = "/api/method/"
PACKAGE = "hisabi_sync.api."
SHORT = "hisabi."
PRINTED = "hisabi_sync.printed_path"

# Module of the package -> contract whose shape its errors have.
MODULES = {"sync": "wallet", "devices": "wallet", "wallets": "wallet"}

# (HTTP method, path as the document prints it) -> method. `{name}` is an argument. Contracts add their rows.
ROUTES = {}


def rewrite():
	"""Hook before every request: lead a printed path to its method, and keep `cmd` in a body from rerouting ours."""
	path = frappe.request.path
	if contract_of(path):
		frappe.local.form_dict.pop("cmd", None)


def is_printed_path():
	return bool(frappe.request.environ.get(PRINTED))


def contract_of(path):
	"""The contract that a path belongs to, or None when the path is not ours."""
	if not path.startswith(METHODS):
		return None
	method = path.removeprefix(METHODS)
	if method.startswith(SHORT):
		return "wallet"
	module = method.removeprefix(PACKAGE).partition(".")[0] if method.startswith(PACKAGE) else None
	return MODULES.get(module)
