"""Limits from Sync Settings, and the check of an upload against its announced size and checksum."""

from typing import TYPE_CHECKING

import frappe

from hisabi_sync.engine.model.errors import RequestError

if TYPE_CHECKING:
	from hisabi_sync.media.rows import Media

MIB = 1024 * 1024


def max_bytes() -> int:
	"""The largest upload of this site."""
	return (frappe.get_cached_doc("Sync Settings").max_media_mib or 250) * MIB


def seconds() -> int:
	"""How long a signed URL works."""
	return (frappe.get_cached_doc("Sync Settings").media_url_minutes or 15) * 60


def check_facts(media: "Media", size: int, digest: str) -> None:
	"""Raises RequestError media_size_mismatch or media_checksum_mismatch against what was announced."""
	if not size or (media.announced_size and size != media.announced_size):
		raise RequestError("media_size_mismatch", expected=media.announced_size or None, received=size)
	if media.announced_sha256 and digest != media.announced_sha256:
		raise RequestError("media_checksum_mismatch", expected=media.announced_sha256, received=digest)
