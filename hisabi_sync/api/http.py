"""Endpoints: who may call, what comes back, and that nothing but a contract's own answer ever does."""

import functools
import gzip
import json

import frappe
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from hisabi_sync.api import body, contracts, routes
from hisabi_sync.engine.errors import RequestError

GZIP_FROM = 1024  # bytes; smaller answers do not get smaller


def endpoint(contract, guest=False, methods=("POST",)):
	"""Make `function(arguments) -> dict` a whitelisted method that answers in the contract's shape.

	A RequestError, or any other exception, rolls everything back and becomes the contract's error body.
	"""

	def decorate(function):
		@frappe.whitelist(allow_guest=True, methods=list(methods), xss_safe=True)
		@functools.wraps(function, updated=())
		def view(**_form):
			return respond(contract, function, guest)

		return view

	return decorate


def respond(contract, function, guest=False):
	shape = contracts.SHAPES[contract]
	try:
		if not guest and frappe.session.user == "Guest":
			raise RequestError("not_authenticated")
		return answer(shape.success(function(body.arguments()), routes.is_printed_path()), 200)
	except RequestError as error:
		frappe.db.rollback()
		return failure(shape, error)
	except Exception:
		frappe.db.rollback()
		frappe.log_error("Hisabi Sync: a call failed")
		return failure(shape, RequestError("internal_error"))


class Abort(HTTPException):
	"""Ends a request with a response and a rollback, from where Frappe lets only exceptions through."""

	def __init__(self, response):
		super().__init__(response=response)
		self.code = response.status_code


def failure(shape, error):
	"""The contract's answer for a request error."""
	response = answer(shape.error(error), shape.statuses.get(error.code, error.status))
	if error.status in (429, 503):
		response.headers["Retry-After"] = str(error.extra.get("retry_after", 1))
	return response


def answer(payload, status):
	text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), default=str)
	return Response(text.encode("utf-8", "replace"), status=status, mimetype="application/json")


def finish(response, request):
	"""Hook after every request: on our paths, mend what failed before our code and compress what is worth it."""
	contract = routes.contract_of(request.path)
	if contract is None or response is None:
		return
	if response.status_code >= 400:
		_mend(response, contract)
	_compress(response, request)


def _mend(response, contract):
	"""Frappe answered for us: it could not read the body, refused the credentials, or failed."""
	if _is_ours(response):
		return
	shape = contracts.SHAPES[contract]
	mended = failure(shape, _error_behind(response))
	response.set_data(mended.get_data())
	response.status_code = mended.status_code
	response.headers["Content-Type"] = "application/json"


def _is_ours(response):
	try:
		return "retryable" in response.get_data(as_text=True)
	except (RuntimeError, UnicodeDecodeError):
		return True


def _error_behind(response):
	try:
		body.arguments()
	except RequestError as error:
		return error
	known = {401: "not_authenticated", 403: "permission_denied", 404: "not_found", 429: "rate_limited"}
	return RequestError(known.get(response.status_code, "internal_error"))


def _compress(response, request):
	if "gzip" not in request.headers.get("Accept-Encoding", "") or response.headers.get("Content-Encoding"):
		return
	if response.is_streamed or response.content_length is None or response.content_length < GZIP_FROM:
		return
	response.set_data(gzip.compress(response.get_data(), 5))
	response.headers["Content-Encoding"] = "gzip"
	response.headers.add("Vary", "Accept-Encoding")
