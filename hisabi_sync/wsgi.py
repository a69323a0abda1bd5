"""Frappe for gunicorn: `gunicorn hisabi_sync.wsgi:application` instead of `frappe.app:application`. It is optional.

Frappe reads every request's body into memory before an app has a say. This sets the body of an upload aside, so
that hisabi_sync.media streams it to disk. Without it, uploads come in small parts.

Without its database or Redis Frappe fails before an app is asked, so that here `/api/sync/health` says so, and every other
call of a contract is answered 503 `unavailable` in the contract's shape.
"""

import io
import json
from types import SimpleNamespace

HEALTH = ("/api/sync/health", "/api/method/hisabi_sync.api.runs.health")
UPLOAD = "/api/method/hisabi_sync.api.media.upload"
STREAMS, BODY, LENGTH = "hisabi_sync.streams", "hisabi_sync.body", "hisabi_sync.content_length"


def streaming(application):
	"""A WSGI application that passes uploads on without their bodies, which are kept under BODY."""

	def call(environ, start_response):
		environ[STREAMS] = True
		if environ.get("PATH_INFO") == UPLOAD:
			environ[BODY], environ[LENGTH] = environ["wsgi.input"], _length(environ)
			environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(), "0"
		if environ.get("PATH_INFO") in HEALTH:
			return _health(application, environ, start_response)
		return _safely(application, environ, start_response)

	return call


def _health(application, environ, start_response):
	"""What the application says, or 503 where it failed or could not say anything."""
	held = []
	try:
		body = application(environ, lambda *given: held.extend(given))
	except Exception as error:
		return [_down(type(error).__name__, start_response)]
	if held[0].startswith("500"):
		return [_down("Frappe fails", start_response)]
	start_response(*held)
	return body


def _safely(application, environ, start_response):
	"""What the application says; a failure of what it stands on is told in words that a client understands."""
	path = environ.get("PATH_INFO", "")
	try:
		return application(environ, start_response)
	except Exception as error:
		contract = _contract_of(path)
		if contract is None or not _is_away(error):
			raise
		return [_unavailable(contract, start_response)]


def _contract_of(path):
	from hisabi_sync.api import routes

	return routes.contract_of(path)


def _is_away(error):
	from hisabi_sync.engine import retry

	return retry.is_away(error)


def _unavailable(contract, start_response):
	"""The error body, made without Frappe, which knows neither site nor language now."""
	from hisabi_sync.api import contracts
	from hisabi_sync.engine.errors import REQUEST_ERRORS

	code = "unavailable"
	_, sentence, retryable = REQUEST_ERRORS[code]
	error = SimpleNamespace(code=code, sentence=sentence, message=sentence, retryable=retryable, extra={})
	raw = json.dumps(contracts.SHAPES[contract].error(error)).encode()
	_start(start_response, raw)
	return raw


def _start(start_response, raw):
	headers = [("Content-Type", "application/json"), ("Content-Length", str(len(raw))), ("Retry-After", "1")]
	start_response("503 Service Unavailable", headers)


def _down(said, start_response):
	reason = f"site: {said}"
	body = {"error": reason, "error_code": "unavailable", "message": reason, "retryable": True}
	checks = {"site": {"status": "down", "reason": said}}
	body.update({"status": "down", "reasons": [reason], "checks": checks, "server_time": None})
	raw = json.dumps(body).encode()
	_start(start_response, raw)
	return raw


def _length(environ):
	"""The announced length of a body; a chunked one tells its end itself."""
	return None if environ.get("HTTP_TRANSFER_ENCODING") else environ.get("CONTENT_LENGTH")


def __getattr__(name):
	if name != "application":
		raise AttributeError(name)
	import frappe.app  # not needed by those who wrap an application of their own

	return streaming(frappe.app.application)
