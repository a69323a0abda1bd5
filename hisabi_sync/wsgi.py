"""Frappe for gunicorn: `gunicorn hisabi_sync.wsgi:application` instead of `frappe.app:application`. It is optional.

Frappe reads every request's body into memory before an app has a say. This sets the body of an upload aside, so
that hisabi_sync.media streams it to disk. Without it, uploads come in small parts.

Without its database or Redis Frappe fails before an app is asked, so that here `/api/sync/health` says so, and every other
call of a contract is answered 503 `unavailable` in the contract's shape.
"""

import io
import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

HEALTH = ("/api/sync/health", "/api/method/hisabi_sync.api.runs.health")
UPLOAD = "/api/method/hisabi_sync.api.media.upload"
LARGEST = 64 << 20  # bytes of a JSON body; no setting of a site allows more
STREAMS, BODY, LENGTH = "hisabi_sync.streams", "hisabi_sync.body", "hisabi_sync.content_length"


def streaming(
	application: Callable[..., Iterable[bytes]],
) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
	"""A WSGI application that passes uploads on without their bodies, which are kept under BODY."""

	def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
		environ[STREAMS] = True
		if contract := _contract_of(environ.get("PATH_INFO", "")):
			refused = _refused_body(contract, environ, start_response)
			if refused is not None:
				return refused
		if environ.get("PATH_INFO") == UPLOAD:
			environ[BODY], environ[LENGTH] = environ["wsgi.input"], _length(environ)
			environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(), "0"
		if environ.get("PATH_INFO") in HEALTH:
			return _health(application, environ, start_response)
		return _safely(application, environ, start_response)

	return call


def _health(
	application: Callable[..., Iterable[bytes]], environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
	"""What the application says, or 503 where it failed or could not say anything."""
	status = []
	try:
		body = application(environ, lambda *answer: status.extend(answer))
	except Exception as error:
		return [_down(type(error).__name__, start_response)]
	if status[0].startswith("500"):
		return [_down("Frappe fails", start_response)]
	start_response(*status)
	return body


def _safely(
	application: Callable[..., Iterable[bytes]], environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
	"""The application's answer. If Frappe or the database fails, an answer that a client understands."""
	path = environ.get("PATH_INFO", "")
	try:
		return application(environ, start_response)
	except Exception as error:
		contract = _contract_of(path)
		if contract is None or not _is_away(error):
			raise
		return [_answer(contract, "unavailable", start_response)]


def _refused_body(
	contract: str, environ: dict[str, Any], start_response: Callable[..., Any]
) -> list[bytes] | None:
	"""The answer to a JSON body with too many values to read into memory, or None. Runs before anybody is signed in."""
	if not _is_json(environ) or environ.get("PATH_INFO") == UPLOAD:
		return None
	length = _length(environ)
	if not (length or environ.get("wsgi.input_terminated")):
		return None  # there is no body, and no end to read to
	from hisabi_sync.engine.model import strict_json

	most = min(int(length or LARGEST + 1), LARGEST + 1)
	raw = environ["wsgi.input"].read(most)
	if len(raw) > LARGEST:
		return [_answer(contract, "body_too_large", start_response)]
	environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(raw), str(len(raw))
	environ.pop("HTTP_TRANSFER_ENCODING", None)
	if not strict_json.is_crowded(raw):
		return None
	return [_answer(contract, "too_many_values", start_response, limit=strict_json.MAX_VALUES)]


def _is_json(environ: dict[str, Any]) -> bool:
	"""Whether Frappe reads a body as JSON: where the type is named anywhere in the header; or we do, in any case of letters."""
	return "application/json" in environ.get("CONTENT_TYPE", "").lower()


def _contract_of(path: str) -> str | None:
	from hisabi_sync.api.protocol import routes

	return routes.contract_of(path)


def _is_away(error: Exception) -> bool:
	from hisabi_sync.engine.database import retry

	return retry.is_away(error)


def _answer(contract: str, code: str, start_response: Callable[..., Any], **extra: Any) -> bytes:
	"""The error body, made without Frappe, which knows neither site nor language now."""
	from hisabi_sync.api.protocol import shapes
	from hisabi_sync.engine.model.errors import REQUEST_ERRORS

	status, sentence, retryable = REQUEST_ERRORS[code]
	error = SimpleNamespace(code=code, sentence=sentence, message=sentence, retryable=retryable, extra=extra)
	raw = json.dumps(shapes.SHAPES[contract].error(error)).encode()
	_start(start_response, raw, status)
	return raw


def _start(start_response: Callable[..., Any], raw: bytes, status: int = 503) -> None:
	headers = [("Content-Type", "application/json"), ("Content-Length", str(len(raw)))]
	headers += [("Retry-After", "1")] if status == 503 else []
	start_response(f"{status} {HTTPStatus(status).phrase}", headers)


def _down(said: str, start_response: Callable[..., Any]) -> bytes:
	reason = f"site: {said}"
	body = {"error": reason, "error_code": "unavailable", "message": reason, "retryable": True}
	checks = {"site": {"status": "down", "reason": said}}
	body.update({"status": "down", "reasons": [reason], "checks": checks, "server_time": None})
	raw = json.dumps(body).encode()
	_start(start_response, raw)
	return raw


def _length(environ: dict[str, Any]) -> str | None:
	"""The announced length of a body; a chunked one tells its end itself."""
	return None if environ.get("HTTP_TRANSFER_ENCODING") else environ.get("CONTENT_LENGTH")


def __getattr__(name: str) -> Any:
	if name != "application":
		raise AttributeError(name)
	import frappe.app  # not needed where another application is wrapped

	return streaming(frappe.app.application)
