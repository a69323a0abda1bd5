"""The table of paths: where a contract's document prints a path, and the Frappe method that serves it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import UnionType
from typing import Any

import frappe
from werkzeug.wrappers import Request

from hisabi_sync import compat
from hisabi_sync.api.protocol import plain_bodies, schema
from hisabi_sync.api.protocol.answers import Abort, failure, no_database
from hisabi_sync.api.protocol.names import GROUPS, PACKAGE, SHORT, public
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model.errors import RequestError

METHODS = "/api/method/"
# Names that mean something to Frappe when they come as arguments; our functions read the body themselves.
RESERVED = ("cmd", "fn", "_lang", "args", "kwargs")
PRINTED = "hisabi_sync.printed_path"
# As Frappe reads a path, on all versions of its API.
RPC = re.compile(r"/api/(?:v\d/)?method/(?P<method>[^/]+)")

# HTTP method and path as a document prints them -> name of the call after PACKAGE. `{name}` is an argument of the call.
ROUTES = {
	"POST /api/v1/mobile/sync/push": "mobile.push",
	"POST /api/v1/mobile/sync/pull": "mobile.pull",
	"POST /api/v1/mobile/sync/ack": "mobile.ack",
	"GET /api/v1/mobile/sync/spaces": "mobile.list_spaces",
	"POST /api/v1/mobile/sync/batches/{batch_id}/replay": "mobile.replay",
	"POST /api/v1/mobile/conflicts/{conflict_id}/resolve": "mobile.resolve",
	"POST /api/v1/mobile/media/presign": "mobile.presign",
	"POST /api/v1/mobile/media/download": "mobile.download",
	"POST /api/offline/v1/login": "site.login",
	"POST /api/offline/v1/token/rotate": "site.rotate",
	"POST /api/offline/v1/logout": "site.logout",
	"GET /api/offline/v1/schema": "site.schema",
	"POST /api/offline/v1/schema": "site.schema",
	"POST /api/offline/v1/pull": "site.pull",
	"POST /api/offline/v1/push": "site.push",
	"POST /api/offline/v1/ack": "site.ack",
	"POST /api/offline/v1/status": "site.status",
	"GET /api/offline/v1/events": "site.events",
	"POST /api/offline/v1/events/ticket": "site.ticket",
	"GET /api/offline/v1/watch": "site.watch",
	"GET /api/offline/v1/record": "site.record",
	"GET /api/offline/v1/refused": "site.refused",
	"GET /api/offline/v1/conflicts": "site.conflicts",
	"POST /api/offline/v1/media/presign": "site.presign",
	"GET /api/offline/v1/media/url": "site.media_url",
	"GET /api/offline/v1/attachment": "site.attachment",
	"GET /api/offline/v1/print": "site.print_record",
	"GET /rxdb/v1/site/{collection}/{schema_version}/pull": "rxdb.pull",
	"POST /rxdb/v1/site/{collection}/{schema_version}/push": "rxdb.push",
	"GET /rxdb/v1/site/{collection}/{schema_version}/pullStream": "rxdb.pull_stream",
	"POST /rxdb/v1/site/{collection}/{schema_version}/pullStream/ticket": "rxdb.ticket",
	"GET /rxdb/v1/site/{collection}/{schema_version}/watch": "rxdb.watch",
	"GET /rxdb/v1/{space_type}/{space}/{collection}/{schema_version}/pull": "rxdb.pull",
	"POST /rxdb/v1/{space_type}/{space}/{collection}/{schema_version}/push": "rxdb.push",
	"GET /rxdb/v1/{space_type}/{space}/{collection}/{schema_version}/pullStream": "rxdb.pull_stream",
	"POST /rxdb/v1/{space_type}/{space}/{collection}/{schema_version}/pullStream/ticket": "rxdb.ticket",
	"GET /rxdb/v1/{space_type}/{space}/{collection}/{schema_version}/watch": "rxdb.watch",
	"GET /clients/v1/{space_type}/{space}/schema": "clients.schema",
	"GET /clients/v1/{space_type}/{space}/refused": "clients.refused",
	"GET /watermelon/v1/site/sync": "watermelon.pull",
	"POST /watermelon/v1/site/sync": "watermelon.push",
	"GET /watermelon/v1/{space_type}/{space}/sync": "watermelon.pull",
	"POST /watermelon/v1/{space_type}/{space}/sync": "watermelon.push",
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
	"/api/offline/v1/": "site",
	"/rxdb/": "rxdb",
	"/watermelon/": "watermelon",
	"/clients/": "clients",
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
	methods: tuple[str, ...]
	takes: type[schema.Request] | None
	gives: type | UnionType | dict[int, type] | None
	text: str | None
	needs: Callable[..., Any] | None = None
	content: str = "application/json"


# Full name of each call on the wire -> Endpoint; `http.endpoint` fills it as modules are imported.
ENDPOINTS: dict[str, Endpoint] = {}


def _compiled(route: str) -> tuple[str, re.Pattern[str]]:
	"""(HTTP method, pattern of the path) of a row of ROUTES."""
	verb, _, path = route.partition(" ")
	parts = re.split(r"\{(\w+)\}", path)
	named = [f"(?P<{part}>[^/]+)" if i % 2 else re.escape(part) for i, part in enumerate(parts)]
	return verb, re.compile("".join(named) + "/?")


_TABLE = [(*_compiled(route), function) for route, function in ROUTES.items()]


def rewrite() -> None:
	"""Hook before every request: printed paths become calls of methods, unknown methods of ours are refused.

	A `cmd` in the body would reroute a known one; one that names a call of ours becomes its path, so that from here on
	the path of what is ours is what runs.
	"""
	if frappe.request.method == "OPTIONS":
		return
	contract = contract_called(frappe.request)
	if contract is None:
		return
	if contract_of(frappe.request.path) is None:
		frappe.request.path = frappe.request.environ["PATH_INFO"] = METHODS + frappe.local.form_dict.cmd
	_connect(contract)
	if not frappe.request.path.startswith(METHODS):
		_serve_printed(frappe.request, contract)
	if not _exists(method_of(frappe.request.path)):
		raise Abort(failure(contract, RequestError("not_found")))
	for name in RESERVED:
		frappe.local.form_dict.pop(name, None)


def _connect(contract: str) -> None:
	"""Reach the database before Frappe does: Frappe would answer 500 without saying why."""
	try:
		if not frappe.db._conn:
			frappe.db.connect()
	except Exception as error:
		if not retry.is_away(error):
			raise
		raise Abort(no_database(contract)) from None


def _serve_printed(request: Request, contract: str) -> None:
	"""Point the request to the method, and keep the path and its arguments."""
	found = _matches(request.path)
	served = [(match, name) for verb, match, name in found if verb == request.method]
	if not served:
		raise Abort(failure(contract, RequestError("method_not_allowed" if found else "not_found")))
	for match, name in served:
		request.environ[PRINTED] = (request.path, match.groupdict())
		request.path = request.environ["PATH_INFO"] = f"{METHODS}{PACKAGE}{name}"


def _matches(path: str) -> list[tuple[str, re.Match[str], str]]:
	"""[(HTTP method, match, name of the call)] of the rows of ROUTES that a printed path fits."""
	return [(verb, match, name) for verb, pattern, name in _TABLE if (match := pattern.fullmatch(path))]


def method_of(path: str) -> str:
	"""The call that a path of ours leads to, by its full name on the wire."""
	method = path.removeprefix(METHODS)
	return public(compat.override_of(method) or method)


def called() -> str | None:
	"""Name of the method that Frappe runs for this request, or None where it runs none: `cmd` goes before the path."""
	cmd = _cmd()
	if cmd:
		return cmd
	found = RPC.match(frappe.request.path)
	return found["method"] if found else None


def called_plainly() -> str | None:
	"""The same where the path says so in full, and nothing else says otherwise."""
	name = called()
	return name if name and frappe.request.path == METHODS + name else None


def _cmd() -> str:
	"""What `cmd` says, as a text; what is none names nothing that could run."""
	cmd = (getattr(frappe.local, "form_dict", None) or {}).get("cmd")
	return cmd if isinstance(cmd, str) else str(cmd or "")


def contract_called(request: Request) -> str | None:
	"""The contract whose call a request leads to, by its path or by `cmd`; None where it is not ours."""
	return contract_of(request.path) or contract_of(METHODS + _cmd())


def _exists(method: str) -> bool:
	group = GROUPS.get(method.removeprefix(PACKAGE).partition(".")[0])
	if group:
		frappe.get_module(group.module)
	return method in ENDPOINTS


def is_printed_path() -> bool:
	"""Whether the request came by a path of ours, and was rewritten to a method's."""
	return bool(frappe.request.environ.get(PRINTED))


def path_arguments() -> dict[str, str]:
	"""{name: text} that a path has in the places of `{name}` in its route."""
	printed = frappe.request.environ.get(PRINTED)
	return printed[1] if printed else {}


def body_reader() -> Callable[[Any], Any] | None:
	"""What makes arguments of the body of this call; None for calls whose body is an object of arguments."""
	path = frappe.request.path
	# Frappe may have refused the body before the path was rewritten.
	printed = [name for _, _, name in _matches(path)]
	names = [method_of(path).removeprefix(PACKAGE), *printed]
	return next((plain_bodies.READERS[name] for name in names if name in plain_bodies.READERS), None)


def contract_of(path: str) -> str | None:
	"""The contract that a path belongs to, or None when the path is not ours."""
	if not path.startswith(METHODS):
		return next((contract for prefix, contract in PREFIXES.items() if path.startswith(prefix)), None)
	method = path.removeprefix(METHODS)
	if not method.startswith((PACKAGE, SHORT)):
		return None
	group = GROUPS.get(method.removeprefix(PACKAGE).partition(".")[0])
	return group.contract if group else "wallet"
