"""Endpoints: who may call, what comes back, and that nothing but a contract's own answer ever does."""

import functools
import gzip

import frappe
from werkzeug.wrappers import Response

from hisabi_sync import compat
from hisabi_sync.api import body, contracts, routes, schema
from hisabi_sync.api.answers import Abort, answer, failure, no_database
from hisabi_sync.engine import retry
from hisabi_sync.engine.errors import RequestError

JSON = "application/json"
GZIP_FROM = 1024  # bytes; smaller answers do not get smaller
# What Frappe's own refusals are in our words.
CODES = {
	401: "not_authenticated",
	403: "permission_denied",
	404: "not_found",
	429: "rate_limited",
	503: "unavailable",
}


def endpoint(
	contract,
	guest=False,
	methods=("POST",),
	read=body.arguments,
	takes=None,
	gives=None,
	needs=None,
	content=JSON,
):
	"""Make `function(arguments) -> dict` a whitelisted method that answers in the contract's shape.

	`read()` gives the arguments, as an instance of the model `takes` where there is one; the model `gives`, or
	`{status: model}`, describes the answer. A function may also return a response as it is to be sent. `needs()` raises RequestError for callers who
	may not call this at all, whatever their arguments are. `content` is the media type of the body that is sent.
	A RequestError, or any other exception, rolls everything back and becomes the contract's error body.
	"""

	def reader():
		if needs:
			needs()
		return schema.read(takes, read()) if takes else read()

	def decorate(function):
		@frappe.whitelist(allow_guest=True, methods=list(methods), xss_safe=True)
		@functools.wraps(function, updated=())
		def view(**_form):
			return respond(contract, function, guest, reader)

		name = f"{function.__module__}.{function.__name__}"
		routes.ENDPOINTS[name] = routes.Endpoint(
			contract, guest, tuple(methods), takes, gives, function.__doc__, needs, content
		)
		return view

	return decorate


def respond(contract, function, guest=False, read=body.arguments):
	try:
		if not guest and frappe.session.user == "Guest":
			raise RequestError("not_authenticated")
		payload = function(read())
		if frappe.db.transaction_writes:
			frappe.db.commit()  # accepted means committed, also where Frappe is done with the request
		if isinstance(payload, Response):
			payload.made_here = True  # whatever its status is
			return payload
		return answer(contracts.SHAPES[contract].success(payload, routes.is_printed_path()))
	except RequestError as error:
		frappe.db.rollback()
		return failure(contract, error)
	except Exception as error:
		if retry.is_away(error):
			_undo()
			return failure(contract, RequestError("unavailable"))
		frappe.db.rollback()
		# Without the values of variables, which may be secrets.
		frappe.log_error("Hisabi Sync: a call failed", frappe.get_traceback())
		return failure(contract, RequestError("internal_error"))


def _undo():
	"""Roll back, for Frappe commits what a response of ours leaves; a broken line has nothing to roll back any more."""
	try:
		frappe.db.rollback()
	except Exception as error:
		if not retry.is_away(error):
			raise


def finish(response, request):
	"""Hook after every request: on our paths, mend what failed before our code and compress what is worth it."""
	contract = routes.contract_of(request.path)
	if contract is None or response is None:
		return
	if response.status_code >= 400 and not _is_ours(response):
		_replace(response, _mended(request, response.status_code, contract))
	_compress(response, request)


def _is_ours(response):
	if getattr(response, "made_here", False):
		return True
	said = response.get_json(silent=True) if response.is_json else None
	inner = said.get("error") if isinstance(said, dict) else None
	return any("retryable" in part for part in (said, inner) if isinstance(part, dict))


def _replace(response, mended):
	response.set_data(mended.get_data())
	response.status_code = mended.status_code
	response.headers["Content-Type"] = "application/json"
	if "Retry-After" in mended.headers:
		response.headers["Retry-After"] = mended.headers["Retry-After"]


def _mended(request, status, contract):
	"""The answer where Frappe could not read the body, refused the credentials, or failed."""
	if _is_closed():
		return failure(contract, RequestError("unavailable"))
	try:
		given = body.arguments()
		if body.is_gzipped(request) or given.keys() & set(routes.RESERVED):
			return _serve_again({name: given[name] for name in given if name not in routes.RESERVED})
	except RequestError as error:
		return failure(contract, error)
	except Abort as abort:
		return abort.response
	except Exception as error:
		status = getattr(error, "http_status_code", 500)
	if status >= 500 and not _database_answers():
		return no_database(contract)
	return failure(contract, RequestError(CODES.get(status, "internal_error")))


def _database_answers():
	"""Whether it was our mistake and not that of a server that is gone."""
	try:
		return bool(frappe.db.sql("SELECT 1"))
	except Exception:
		return False


def _is_closed():
	"""Whether the site is being upgraded; Frappe refuses everything then, in its own way on each version."""
	return bool(frappe.conf.maintenance_mode and not frappe.conf.allow_reads_during_maintenance)


def _serve_again(given):
	"""Serve a request that Frappe gave up on before any hook: compressed, or with names that mean something to it."""
	frappe.db.rollback()
	compat.start_again(given)
	return frappe.handler.execute_cmd(routes.method_of(frappe.request.path))


def _compress(response, request):
	if not request.accept_encodings.quality("gzip") or response.headers.get("Content-Encoding"):
		return
	if response.is_streamed or response.content_length is None or response.content_length < GZIP_FROM:
		return
	response.set_data(gzip.compress(response.get_data(), 5))
	response.headers["Content-Encoding"] = "gzip"
	response.headers.add("Vary", "Accept-Encoding")
