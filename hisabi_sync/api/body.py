"""Reading a request: one strict JSON object, or a form, or a query string."""

import gzip
import io
import zlib

import frappe

from hisabi_sync.api import routes
from hisabi_sync.engine import strict_json
from hisabi_sync.engine.errors import RequestError


def arguments():
	"""The call's arguments as a dict, those in the path included.

	Raises RequestError invalid_json, invalid_encoding or body_too_large.
	"""
	request = frappe.request
	raw, in_path = _inflated(request), routes.path_arguments()
	if request.mimetype == "application/json" and raw:
		return {**request.args.to_dict(), **parse_object(raw), **in_path}
	return {**request.args.to_dict(), **request.form.to_dict(), **in_path}


def is_gzipped(request):
	return request.headers.get("Content-Encoding", "").lower() == "gzip"


def _limit():
	return (frappe.get_cached_doc("Sync Settings").max_body_kib or 8192) * 1024


def _inflated(request):
	limit = _limit()
	if (request.content_length or 0) > limit:
		raise RequestError("body_too_large", limit_bytes=limit)
	raw = request.get_data(cache=True)
	if is_gzipped(request):
		raw = _gunzip(raw, limit)
	if len(raw) > limit:
		raise RequestError("body_too_large", limit_bytes=limit)
	return raw


def _gunzip(raw, limit):
	"""Inflate no more than the limit, so that a small body cannot fill the memory."""
	try:
		with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
			return stream.read(limit + 1)
	except (OSError, EOFError, zlib.error):
		raise RequestError("invalid_encoding") from None


def parse_object(raw):
	"""A JSON object from bytes; anything else, NaN, lone surrogates and deep nesting are refused."""
	try:
		value = strict_json.parse(raw.decode("utf-8"))
	except ValueError:
		raise RequestError("invalid_json") from None
	if not isinstance(value, dict):
		raise RequestError("invalid_json")
	return value
