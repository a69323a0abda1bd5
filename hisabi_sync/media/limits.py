"""Limits from Sync Settings, and the facts of an upload against what was announced."""

import frappe

from hisabi_sync.engine.errors import RequestError

MIB = 1024 * 1024


def max_bytes():
	"""The largest upload of this site."""
	return (frappe.get_cached_doc("Sync Settings").max_media_mib or 250) * MIB


def seconds():
	"""How long a signed URL works."""
	return (frappe.get_cached_doc("Sync Settings").media_url_minutes or 15) * 60


def max_waiting():
	"""How many uploads of a device may be open or unused."""
	return frappe.get_cached_doc("Sync Settings").max_waiting_media or 500


def check_facts(media, size, digest):
	"""Raises RequestError media_size_mismatch or media_checksum_mismatch against what was announced."""
	if not size or (media.announced_size and size != media.announced_size):
		raise RequestError("media_size_mismatch", expected=media.announced_size or None, received=size)
	if media.announced_sha256 and digest != media.announced_sha256:
		raise RequestError("media_checksum_mismatch", expected=media.announced_sha256, received=digest)
