"""The table of paths: where a contract's document prints a path, and the Frappe method that serves it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import frappe

from hisabi_sync.api.answers import Abort, failure, no_database
from hisabi_sync.engine import retry
from hisabi_sync.engine.errors import RequestError

METHODS = "/api/method/"
PACKAGE = "hisabi_sync.api."
SHORT = "hisabi."
# Names that mean something to Frappe when they come as arguments; our functions read the body themselves.
RESERVED = ("cmd", "fn", "_lang", "args", "kwargs")
PRINTED = "hisabi_sync.printed_path"

# Module of the package -> contract whose shape its errors have.
MODULES = {
	"sync": "wallet",
	"devices": "wallet",
	"wallets": "wallet",
	"conflicts": "wallet",
	"rules": "wallet",
	"failed_items": "wallet",
	"desk_devices": "wallet",
	"media": "wallet",
	"mobile": "mobile",
	"meta": "wallet",
	"family": "family",
	"batch": "batch",
	"runs": "runs",
	"runs_desk": "runs",
}

# HTTP method and path as a document prints them -> function of the package. `{name}` is an argument of the call.
ROUTES = {
	"POST /api/v1/mobile/sync/push": "mobile.push",
	"POST /api/v1/mobile/sync/pull": "mobile.pull",
	"POST /api/v1/mobile/sync/ack": "mobile.ack",
	"POST /api/v1/mobile/sync/batches/{batch_id}/replay": "mobile.replay",
	"POST /api/v1/mobile/conflicts/{conflict_id}/resolve": "mobile.resolve",
	"POST /api/v1/mobile/media/presign": "mobile.presign",
	"POST /api/v1/mobile/media/download": "mobile.download",
	"POST /sync/delta": "family.delta",
	"POST /v1/sync/batch": "batch.sync",
	"POST /v1/devices/token": "batch.token",
	"POST /v1/devices/token/rotate": "batch.rotate",
	# The last row that matches serves, so that an entity's name comes before the words.
	"POST /api/sync/{entity}": "runs.start",
	"POST /api/sync/{entity}/preview": "runs.preview",
	"GET /api/sync/status": "runs.status",
	"GET /api/sync/status/{sync_id}": "runs.detail",
	"POST /api/sync/retry": "runs.retry",
	"GET /api/sync/failures": "runs.failures",
	"POST /api/sync/failures/{id}/retry": "runs.retry_one",
	"POST /api/sync/cancel/{sync_id}": "runs.cancel",
	"GET /api/sync/history": "runs.history",
	"GET /api/sync/health": "runs.health",
	"GET /api/sync/metrics": "runs.metrics",
}
# Below these every path is a contract's own, so that an unknown one is answered in its shape.
PREFIXES = {
	"/api/v1/mobile/": "mobile",
	"/sync/delta": "family",
	"/v1/sync/": "batch",
	"/v1/devices/": "batch",
	"/api/sync/": "runs",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
	"""What is known of a call: contract, HTTP methods, pydantic models of arguments and answer, what it does, who may.

	With a `content` other than JSON the arguments are in the query, whatever the HTTP method.
	"""

	contract: str
	guest: bool
	methods: tuple
	takes: type | None
	gives: type | None
	text: str
	needs: Callable | None = None
	content: str = "application/json"


# Full name of each endpoint -> Endpoint; `http.endpoint` fills it as modules are imported.
ENDPOINTS = {}


def _compiled(route):
	"""(HTTP method, pattern of the path) of a row of ROUTES."""
	verb, _, path = route.partition(" ")
	parts = re.split(r"\{(\w+)\}", path)
	named = [f"(?P<{part}>[^/]+)" if i % 2 else re.escape(part) for i, part in enumerate(parts)]
	return verb, re.compile("".join(named) + "/?")


_TABLE = [(*_compiled(route), function) for route, function in ROUTES.items()]


def rewrite():
	"""Hook before every request: printed paths become calls of methods, unknown methods of ours are refused.

	A `cmd` in the body would reroute a known one.
	"""
	contract = contract_of(frappe.request.path)
	if contract is None or frappe.request.method == "OPTIONS":
		return
	_connect(contract)
	if not frappe.request.path.startswith(METHODS):
		_serve_printed(frappe.request, contract)
	if not _exists(method_of(frappe.request.path)):
		raise Abort(failure(contract, RequestError("not_found")))
	for name in RESERVED:
		frappe.local.form_dict.pop(name, None)


def _connect(contract):
	"""Reach the database before Frappe does, which would answer 500, and by then nobody can tell why."""
	try:
		if not frappe.db._conn:
			frappe.db.connect()
	except Exception as error:
		if not retry.is_away(error):
			raise
		raise Abort(no_database(contract)) from None


def _serve_printed(request, contract):
	"""Point the request to the method, and keep the path and its arguments."""
	found = [
		(verb, match, name) for verb, pattern, name in _TABLE if (match := pattern.fullmatch(request.path))
	]
	served = [(match, name) for verb, match, name in found if verb == request.method]
	if not served:
		raise Abort(failure(contract, RequestError("method_not_allowed" if found else "not_found")))
	for match, name in served:
		request.environ[PRINTED] = (request.path, match.groupdict())
		request.path = request.environ["PATH_INFO"] = f"{METHODS}{PACKAGE}{name}"


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


def path_arguments():
	"""What a printed path says in the places of `{name}`."""
	printed = frappe.request.environ.get(PRINTED)
	return printed[1] if printed else {}


def contract_of(path):
	"""The contract that a path belongs to, or None when the path is not ours."""
	if not path.startswith(METHODS):
		return next((contract for prefix, contract in PREFIXES.items() if path.startswith(prefix)), None)
	method = path.removeprefix(METHODS)
	if not method.startswith((PACKAGE, SHORT)):
		return None
	return MODULES.get(method.removeprefix(PACKAGE).partition(".")[0], "wallet")
