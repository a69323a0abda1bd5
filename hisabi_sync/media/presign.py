"""Handing out signed URLs for uploads and downloads."""

import secrets
from dataclasses import dataclass

from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.spaces import authorise
from hisabi_sync.media import backends, names, rows, signing
from hisabi_sync.media.limits import max_bytes, max_waiting, seconds
from hisabi_sync.media.rows import PENDING, REFUSED, Media

FILE_URL = "/api/method/hisabi_sync.api.media.download_url?key="


@dataclass(frozen=True)
class Wanted:
	"""What a device is going to upload; size 0 and an empty checksum mean that it does not say."""

	filename: str
	content_type: str
	size: int = 0
	sha256: str = ""


def file_url(key):
	"""What a record shows for a key: a call that answers with a signed URL."""
	return FILE_URL + key


def presign(caller, wanted):
	"""Open an upload in the caller's space: `{upload_url, key, expires_in, method, headers, max_bytes, ...}`.

	Raises RequestError: space_access_denied, space_read_only, media_type_refused, media_too_large, too_many_uploads,
	invalid_argument.
	"""
	authorise(caller, write=True)
	media = _media(caller, wanted)
	if rows.waiting(caller.user, caller.device, max_waiting()) >= max_waiting():
		raise RequestError("too_many_uploads", limit=max_waiting())
	answer = _answer(media)
	rows.insert(media)
	return answer


def _media(caller, wanted):
	name, kind = names.clean_name(wanted.filename), names.clean_type(wanted.content_type)
	names.check(name, kind)
	if wanted.size > max_bytes():
		raise RequestError("media_too_large", max_bytes=max_bytes())
	return Media(
		key=secrets.token_hex(16),
		space=caller.space,
		user=caller.user,
		device=caller.device,
		file_name=name,
		content_type=kind,
		backend=backends.chosen(),
		announced_size=wanted.size,
		announced_sha256=wanted.sha256,
	)


def _answer(media):
	return {
		"key": media.key,
		"method": "PUT",
		"expires_in": seconds(),
		"max_bytes": media.announced_size or max_bytes(),
		"file_name": media.file_name,
		"file_url": file_url(media.key),
		"received": media.received,
		**backends.of(media).presign(media, seconds()),
	}


def renew(caller, key):
	"""A new URL for an upload of one's own that has not ended. Raises RequestError not_found, url_used."""
	authorise(caller, write=True)
	media = rows.get(key)
	if media is None or media.space != caller.space or media.user != caller.user:
		raise RequestError("not_found")
	if media.state != PENDING:
		raise RequestError("url_used", state=media.state.lower())
	return _answer(media)


def download_url(caller, key):
	"""A signed URL for a member: `{url, method, expires_in, key, file_name, content_type, size, sha256}`.

	A key that does not exist is answered like one of a foreign space. Raises space_access_denied, not_found.
	"""
	media = rows.get(key)
	caller.space = media.space if media else ""
	authorise(caller)
	if media.state in (PENDING, REFUSED):
		raise RequestError("not_found")
	return {
		"url": signing.url("GET", key, caller.user, caller.device, seconds()),
		"method": "GET",
		"expires_in": seconds(),
		"key": key,
		"file_name": media.file_name,
		"content_type": media.content_type,
		"size": media.size,
		"sha256": media.sha256,
	}
