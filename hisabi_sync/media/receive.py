"""Uploads to the local backend: a whole body at once, or parts with `Content-Range: bytes FIRST-LAST/TOTAL`.

Frappe reads a whole body into memory before any of our code runs. Parts keep that small on every installation; with
`hisabi_sync.wsgi` in front of Frappe a whole body is streamed as well.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import frappe

from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.media import local, rows, signing, sniff
from hisabi_sync.media.limits import check_facts, max_bytes
from hisabi_sync.media.rows import PENDING, REFUSED, UPLOADED, Media

if TYPE_CHECKING:
	from _typeshed import SupportsRead

RANGE = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15})")
MAX_PART = 8 * 1024 * 1024


@dataclass(frozen=True)
class Span:
	"""First byte and end of a part in the whole; both None when a device only asks how far it is."""

	first: int | None
	end: int | None
	total: int


def span(header: str | None) -> Span | None:
	"""The Span of a Content-Range header, None without one. Raises RequestError invalid_range."""
	if not header:
		return None
	found = RANGE.fullmatch(header.strip())
	if not found:
		raise RequestError("invalid_range")
	total = int(found[3])
	if found[1] is None:
		return Span(None, None, total)
	first, last = int(found[1]), int(found[2])
	if not first <= last < total:
		raise RequestError("invalid_range")
	return Span(first, last + 1, total)


def whole(grant: signing.Grant, stream: "SupportsRead[bytes]", length: int | None) -> dict[str, Any]:
	"""Take a whole body. `length` is what the request announced, or None. Returns what `state` does."""
	media = _open(grant)
	most = media.announced_size or max_bytes()
	if length is not None and length > most:
		raise RequestError("media_too_large", max_bytes=most)
	frappe.db.commit()  # a slow body must not keep a transaction open
	spooled, size, digest = local.spool(stream, most)
	try:
		if length is not None and size != length:
			raise RequestError("media_size_mismatch", expected=length, received=size)
		media = _open(grant, lock=True)
		_check_room(media, size)
		local.adopt(media.key, spooled)
	finally:
		spooled.unlink(missing_ok=True)
	return _finish(media, size, digest)


def part(grant: signing.Grant, body: bytes, span: Span) -> dict[str, Any]:
	"""Take a part, or tell how far the upload is. A part that is here already is answered like the first time."""
	media = _open(grant, lock=True)
	_check_total(media, span.total)
	if span.first is None or span.end is None or span.end <= media.received:
		return state(media)
	if len(body) != span.end - span.first or len(body) > MAX_PART:
		raise RequestError("invalid_range", max_part_bytes=MAX_PART)
	if span.first > media.received:
		raise RequestError("offset_mismatch", received=media.received)
	local.write_part(media.key, span.first, body)
	if span.end == span.total:
		return _finish(media, span.total, local.checksum(media.key))
	rows.update(media, received=span.end)
	frappe.db.commit()
	return state(media)


def state(media: Media) -> dict[str, Any]:
	"""`{key, state, received, size, sha256}`; size and checksum are known when the upload has ended."""
	return {
		"key": media.key,
		"state": media.state.lower(),
		"received": media.received,
		"size": media.size or None,
		"sha256": media.sha256 or None,
	}


def _open(grant: signing.Grant, lock: bool = False) -> Media:
	"""The upload that a URL is for. A URL serves one upload; afterwards it is used, however that ended."""
	media = rows.get(grant.key, lock)
	if media is None or media.backend != "Local":
		raise RequestError("url_invalid")
	signing.check_holder(grant, media.space, write=True)
	if media.state != PENDING:
		raise RequestError("url_used", state=media.state.lower())
	return media


def _check_total(media: Media, total: int) -> None:
	if total > max_bytes():
		raise RequestError("media_too_large", max_bytes=max_bytes())
	if media.announced_size and total != media.announced_size:
		raise RequestError("media_size_mismatch", expected=media.announced_size, received=total)
	_check_room(media, total)


def _check_room(media: Media, total: int) -> None:
	"""What was not announced is judged when it begins to come."""
	if not media.announced_size and not media.received:
		rows.require_room(media.user, media.device, total, more=0)


def _finish(media: Media, size: int, digest: str) -> dict[str, Any]:
	"""Judge a complete file: it becomes an upload, or it goes and the URL with it."""
	try:
		check_facts(media, size, digest)
		sniff.check(local.head(local.path(media.key)), media.content_type)
	except RequestError as error:
		rows.update(media, state=REFUSED, refusal=error.code)
		frappe.db.commit()
		local.delete(media)
		raise
	rows.update(media, state=UPLOADED, received=size, size=size, sha256=digest, uploaded_at=clock.now())
	frappe.db.commit()
	return state(media)
