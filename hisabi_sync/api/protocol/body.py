"""Reading a request: one strict JSON object, or a form, or a query string."""

import gzip
import io
import zlib
from collections.abc import Callable
from typing import Any

import frappe
from werkzeug.wrappers import Request

from hisabi_sync.api.protocol import routes
from hisabi_sync.engine.model import strict_json
from hisabi_sync.engine.model.errors import RequestError

GZIP = ("gzip", "x-gzip")
# Arguments whose parts are judged one by one: what is wrong in one costs that one.
BY_ITEM = ("items", "changes", "upserts", "rows")
# Words that people gave, which an app may have cut in the middle of a character.
LABELS = ("filename", "device_name")


def arguments() -> dict[str, Any]:
	"""The call's arguments as a dict, those in the path included.

	Raises RequestError invalid_json, invalid_encoding or body_too_large.
	"""
	request = frappe.request
	raw, in_path = _inflated(request), routes.path_arguments()
	if request.mimetype == "application/json" and raw:
		return {**request.args.to_dict(), **parse_object(raw, routes.body_reader()), **in_path}
	return {**request.args.to_dict(), **request.form.to_dict(), **in_path}


def _is_gzipped(request: Request) -> bool:
	"""Whether the header says that the body is compressed with gzip."""
	return request.headers.get("Content-Encoding", "").strip().lower() in GZIP


def is_only_ours(request: Request) -> bool:
	"""Whether Frappe, or one of its versions, cannot read a body that we can: Frappe takes objects only."""
	return _is_gzipped(request) or (request.mimetype == "application/json" and not _is_plain(request))


def _is_plain(request: Request) -> bool:
	try:
		value, sound = strict_json.read(request.get_data(cache=True).decode("utf-8"))
	except ValueError:
		return False
	return sound and isinstance(value, dict)


def _limit() -> int:
	return (frappe.get_cached_doc("Sync Settings").max_body_kib or 8192) * 1024


def _inflated(request: Request) -> bytes:
	limit = _limit()
	if (request.content_length or 0) > limit:
		raise RequestError("body_too_large", limit_bytes=limit)
	raw = request.get_data(cache=True)
	if _is_gzipped(request):
		raw = _gunzip(raw, limit)
	if len(raw) > limit:
		raise RequestError("body_too_large", limit_bytes=limit)
	if request.mimetype == "application/json" and strict_json.is_crowded(raw):
		raise RequestError("too_many_values", limit=strict_json.MAX_VALUES)
	frappe.local.hisabi_sync_body_bytes = len(raw)
	return raw


def size() -> int:
	"""Bytes of the request's body after inflation, as far as it was read."""
	return getattr(frappe.local, "hisabi_sync_body_bytes", 0)


def _gunzip(raw: bytes, limit: int) -> bytes:
	"""Inflate no more than the limit, so that a small body cannot fill the memory."""
	try:
		with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
			return stream.read(limit + 1)
	except (OSError, EOFError, zlib.error):
		raise RequestError("invalid_encoding") from None


def parse_object(raw: bytes, reader: Callable[[Any], Any] | None = None) -> dict[str, Any]:
	"""A JSON object from bytes, a byte order mark before it or not. A `reader` makes arguments of what is none.

	NaN, lone surrogates and deep nesting are refused, except in the parts of BY_ITEM: an object there is marked as `Odd`.
	"""
	try:
		value, sound = strict_json.read(_text(raw))
		value = reader(value) if reader else value
		if not isinstance(value, dict):
			raise ValueError("no object")
		return value if sound else _marked(value)
	except ValueError:
		raise RequestError("invalid_json") from None


def _text(raw: bytes) -> str:
	"""Bytes that are no UTF-8 are lone surrogates in the text, for the item that holds them to be found."""
	return raw.decode("utf-8-sig", "surrogateescape")


def _marked(arguments: dict[str, Any]) -> dict[str, Any]:
	whole = {name: _whole_label(name, value) for name, value in arguments.items() if name not in BY_ITEM}
	strict_json.check(whole)
	parts = {name: _marked_parts(value) for name, value in arguments.items() if name in BY_ITEM}
	return {**whole, **parts}


def _whole_label(name: str, value: Any) -> Any:
	if name not in LABELS or not isinstance(value, str):
		return value
	return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _marked_parts(value: Any) -> Any:
	"""A list of objects, or lists of objects by name."""
	if isinstance(value, list):
		return strict_json.mark_odd(value)
	if not isinstance(value, dict):
		return strict_json.check(value)
	strict_json.check(list(value))
	return {name: _marked_list(part) for name, part in value.items()}


def _marked_list(value: Any) -> Any:
	return strict_json.mark_odd(value) if isinstance(value, list) else strict_json.check(value)
