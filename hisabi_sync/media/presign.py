"""Handing out signed URLs for uploads and downloads."""

import secrets
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing.spaces import authorise
from hisabi_sync.media import backends, names, rows, signing, visibility
from hisabi_sync.media.limits import max_bytes, seconds
from hisabi_sync.media.rows import PENDING, READABLE, Media

FILE_URL = "/api/method/hisabi_sync.api.media.download_url?key="


@dataclass(frozen=True)
class NewFile:
	"""What a device is going to upload; size 0 and an empty checksum mean that it does not say."""

	filename: str
	content_type: str
	size: int = 0
	sha256: str = ""


def file_url(key: str) -> str:
	"""What a record shows for a key: a call that answers with a signed URL."""
	return FILE_URL + key


def presign(caller: Caller, file: NewFile) -> dict[str, Any]:
	"""Open an upload in the caller's space: `{upload_url, key, expires_in, method, headers, max_bytes, ...}`.

	Raises RequestError: space_access_denied, space_read_only, media_type_refused, media_too_large, too_many_uploads, upload_budget_used, storage_budget_used,
	invalid_argument.
	"""
	caller = authorise(caller, write=True)
	media = _media(caller, file)
	rows.require_room(caller.user, caller.device, file.size)
	answer = _answer(media)
	rows.insert(media)
	return answer


def _media(caller: Caller, file: NewFile) -> Media:
	name, kind = names.clean_name(file.filename), names.clean_type(file.content_type)
	names.check(name, kind)
	if file.size > max_bytes():
		raise RequestError("media_too_large", max_bytes=max_bytes())
	return Media(
		key=secrets.token_hex(16),
		space=caller.space,
		user=caller.user,
		device=caller.device,
		file_name=name,
		content_type=kind,
		backend=backends.chosen(),
		announced_size=file.size,
		announced_sha256=file.sha256,
	)


def _answer(media: Media) -> dict[str, Any]:
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


def renew(caller: Caller, key: str) -> dict[str, Any]:
	"""A new URL for an unfinished upload of the caller. Raises RequestError not_found, url_used."""
	caller = authorise(caller, write=True)
	media = rows.get(key)
	if media is None or media.space != caller.space or media.user != caller.user:
		raise RequestError("not_found")
	if media.state != PENDING:
		raise RequestError("url_used", state=media.state.lower())
	return _answer(media)


def download_url(caller: Caller, key: str) -> dict[str, Any]:
	"""A signed URL for a user who is shown the upload: `{url, method, expires_in, key, file_name, content_type, size, sha256}`.

	A key that does not exist is answered like one of a foreign space, and like one that the caller is not shown. Raises
	space_access_denied, not_found.
	"""
	media = rows.get(key)
	if not _is_shown(media, caller):
		raise RequestError("space_access_denied")
	if media.state not in READABLE:
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


def _is_shown(media: Media | None, caller: Caller) -> TypeGuard[Media]:
	"""Whether the caller is in the upload's space, and is shown the upload there."""
	if media is None:
		return False
	try:
		authorise(replace(caller, space=media.space))
	except RequestError:
		return False
	return media.key in visibility.shown([media], caller.user)
