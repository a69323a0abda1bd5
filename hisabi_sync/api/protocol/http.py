"""The `@endpoint` decorator: credentials, validation, transactions, and answers in the contract's shape, also for errors."""

import functools
import gzip
from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any

import frappe
from frappe.auth import UNSAFE_HTTP_METHODS
from werkzeug.wrappers import Request, Response

from hisabi_sync import compat
from hisabi_sync.api.protocol import body, names, routes, schema, shapes
from hisabi_sync.api.protocol.answers import Abort, answer, failure, no_database
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import errors
from hisabi_sync.engine.model.errors import RequestError

JSON = "application/json"
JUST_UP = 5  # seconds after its start in which a database still explains what failed
GZIP_FROM = 1024  # bytes; smaller answers do not get smaller
# What Frappe's own refusals are in our words.
CODES = {
	400: "request_refused",
	401: "not_authenticated",
	403: "permission_denied",
	404: "not_found",
	405: "method_not_allowed",
	413: "body_too_large",
	417: "invalid_argument",
	429: "rate_limited",
	503: "unavailable",
	508: "unavailable",  # a deadlock, or a lock that took too long
}
ERROR_PAGE = "message"


def endpoint(
	contract: str,
	guest: bool = False,
	methods: Sequence[str] = ("POST",),
	read: Callable[[], dict[str, Any]] = body.arguments,
	takes: type[schema.Request] | None = None,
	gives: type | UnionType | dict[int, type] | None = None,
	needs: Callable[[], None] | None = None,
	content: str = JSON,
	writes: bool = False,
) -> Callable[[Callable[[Any], Any]], Callable[..., Response]]:
	"""Make `function(arguments) -> dict` a whitelisted method that answers in the contract's shape.

	`read()` gives the arguments, as an instance of the model `takes` where there is one; the model `gives`, or
	`{status: model}`, describes the answer. A function may also return a finished Response. `needs()` runs before the arguments are
	read and raises RequestError for callers who may not use the call. `content` is the media type of the answer.
	With `writes` the function runs in a transaction that is tried again after a deadlock and committed before the answer; one
	that pushes, or has several transactions, sees to that itself.
	A RequestError, or any other exception, rolls everything back and becomes the contract's error body.
	"""

	def reader() -> Any:
		if needs:
			needs()
		return schema.read(takes, read()) if takes else read()

	def decorate(function: Callable[[Any], Any]) -> Callable[..., Response]:
		def transaction(request: Any) -> Any:
			return retry.committed(lambda: function(request))

		@frappe.whitelist(allow_guest=True, methods=list(methods), xss_safe=True)
		@_without_annotations
		@functools.wraps(function, updated=())
		def view(**_form: Any) -> Response:
			return respond(contract, transaction if writes else function, guest, reader)

		name = names.public(f"{function.__module__}.{function.__name__}")
		routes.ENDPOINTS[name] = routes.Endpoint(
			contract, guest, tuple(methods), takes, gives, function.__doc__, needs, content
		)
		return view

	return decorate


def _without_annotations(view: Callable[..., Response]) -> Callable[..., Response]:
	"""Remove the annotations: Frappe would check a field of the request with the name of an argument against its type."""
	view.__annotations__ = {}
	return view


def respond(
	contract: str,
	function: Callable[[Any], Any],
	guest: bool = False,
	read: Callable[[], Any] = body.arguments,
) -> Response:
	"""The answer to a call: what the endpoint returns, or its error in the form of the contract."""
	try:
		if not guest and frappe.session.user == "Guest":
			raise RequestError("not_authenticated")
		payload = function(read())
		if frappe.db.transaction_writes:
			retry.commit()  # accepted means committed, also where Frappe is done with the request
		if isinstance(payload, Response):
			payload.made_here = True  # whatever its status is
			return payload
		return answer(shapes.SHAPES[contract].success(payload, routes.is_printed_path()))
	except RequestError as error:
		frappe.db.rollback()
		return failure(contract, error)
	except Exception as error:
		if retry.is_away(error) or retry.is_turned_down(error):
			_undo()
			return failure(contract, RequestError("unavailable"))
		frappe.db.rollback()
		errors.log_once("a call failed", error)
		return failure(contract, RequestError("internal_error"))


def _undo() -> None:
	"""Roll back, for Frappe commits what a response of ours leaves; a broken line has nothing to roll back any more."""
	try:
		frappe.db.rollback()
	except Exception as error:
		if not retry.is_away(error):
			raise


def finish(response: Response | None, request: Request) -> None:
	"""Hook after every request: on our paths, replace Frappe's own error answers, and compress large answers."""
	contract = routes.contract_called(request)
	if contract is None or response is None:
		return
	if response.status_code >= 400 and not _is_ours(response):
		_replace(response, _mended(request, response.status_code, contract))
	_compress(response, request)


def _is_ours(response: Response) -> bool:
	if getattr(response, "made_here", False):
		return True
	said = response.get_json(silent=True) if response.is_json else None
	inner = said.get("error") if isinstance(said, dict) else None
	return any("retryable" in part for part in (said, inner) if isinstance(part, dict))


def _replace(response: Response, mended: Response) -> None:
	response.set_data(mended.get_data())
	response.status_code = mended.status_code
	response.headers["Content-Type"] = "application/json"
	if "Retry-After" in mended.headers:
		response.headers["Retry-After"] = mended.headers["Retry-After"]


def _mended(request: Request, status: int, contract: str) -> Response:
	"""The answer when Frappe could not read the body, refused the credentials, or failed."""
	if _is_closed():
		return failure(contract, RequestError("unavailable"))
	if status == 401:  # whatever the body is, nobody has asked
		return failure(contract, _in_our_words(request, status))
	try:
		response = _read_again(request)
	except RequestError as error:
		return failure(contract, error)
	except Abort as abort:
		return abort.response
	except Exception as error:
		response, status = None, getattr(error, "http_status_code", 500)
	if response is not None:
		return response
	if status >= 500 and not _database_answers():
		return no_database(contract)
	return failure(contract, _in_our_words(request, status))


def _read_again(request: Request) -> Response | None:
	"""The answer to a request that this app can read and Frappe could not, or None. Raises RequestError."""
	arguments = body.arguments()
	if _is_csrf_refusal(request, arguments):
		raise RequestError("csrf_token_invalid")
	if not (body.is_only_ours(request) or arguments.keys() & set(routes.RESERVED)):
		return None
	try:
		return _serve_again({name: arguments[name] for name in arguments if name not in routes.RESERVED})
	except frappe.CSRFTokenError:
		raise RequestError("csrf_token_invalid") from None


def _in_our_words(request: Request, status: int) -> RequestError:
	"""The RequestError for a status of Frappe's. A 4xx without a code of ours keeps its number."""
	endpoint = routes.ENDPOINTS.get(routes.method_of(routes.called() or ""))
	if status == 403 and endpoint and request.method not in endpoint.methods:
		status = 405
	code = CODES.get(status, "internal_error" if status >= 500 else "request_refused")
	error = RequestError(code)
	if code == "request_refused":
		error.status = status
	return error


def _is_csrf_refusal(request: Request, arguments: dict[str, Any]) -> bool:
	"""Whether Frappe ended the request before our code for want of the session's token, as `frappe.auth` sees it."""
	saved = (getattr(frappe.local, "session", None) or {}).get("data", {}).get("csrf_token")
	if not saved or request.method not in UNSAFE_HTTP_METHODS or frappe.conf.ignore_csrf:
		return False
	return (request.headers.get("X-Frappe-CSRF-Token") or arguments.get("csrf_token")) != saved


def _database_answers() -> bool:
	"""Whether the database answers, and did so for some seconds: then a 500 is a mistake of this app."""
	try:
		((_, uptime),) = frappe.db.sql("SHOW GLOBAL STATUS LIKE 'Uptime'")
		return int(uptime) > JUST_UP
	except Exception:
		return False


def _is_closed() -> bool:
	"""Whether the site is in maintenance; versions of Frappe refuse requests then in different ways."""
	return bool(frappe.conf.maintenance_mode and not frappe.conf.allow_reads_during_maintenance)


def _serve_again(arguments: dict[str, Any]) -> Response:
	"""Serve a request that Frappe refused before any hook ran: a compressed one, or one with names that Frappe reserves."""
	frappe.db.rollback()
	compat.start_again(arguments)
	return frappe.handler.execute_cmd(routes.method_of(frappe.request.path))


def _compress(response: Response, request: Request) -> None:
	if not request.accept_encodings.quality("gzip") or response.headers.get("Content-Encoding"):
		return
	if response.is_streamed or response.content_length is None or response.content_length < GZIP_FROM:
		return
	response.set_data(gzip.compress(response.get_data(), 5))
	response.headers["Content-Encoding"] = "gzip"
	response.headers.add("Vary", "Accept-Encoding")


class UnreadRequest:
	"""Hook `page_renderer`: an empty body instead of Frappe's page of an error, on our paths only."""

	def __init__(self, path: str, http_status_code: int | None = None) -> None:
		# Not every version says which error it is.
		self.path, self.status = path, http_status_code if (http_status_code or 0) >= 400 else 500

	def can_render(self) -> bool:
		"""Whether this is the error page of a request on one of our paths."""
		request: Any = getattr(frappe.local, "request", None)
		return self.path == ERROR_PAGE and bool(request) and routes.contract_of(request.path) is not None

	def render(self) -> Response:
		"""An empty JSON object, which the hook after the request replaces."""
		return Response("{}", status=self.status, mimetype="application/json")
