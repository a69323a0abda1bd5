"""Downloads. This app signs the URL for every backend: it works once, and only while its user is shown the upload."""

import time
from pathlib import Path

import frappe
import redis

from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.media import local, rows, signing, visibility
from hisabi_sync.media.rows import READABLE

# What a browser shows and never runs; the content was checked against its type when it came.
SHOWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"}


def find(grant: signing.Grant, wanted_range: str | None) -> rows.Media:
	"""The Media of a URL. Raises RequestError url_invalid, url_used, space_access_denied, not_found, unavailable."""
	media = rows.get(grant.key)
	if media is None:
		raise RequestError("url_invalid")
	user = signing.check_holder(grant, media.space, write=False)
	if media.key not in visibility.shown([media], user):
		raise RequestError("space_access_denied")
	if not _is_resumed(wanted_range):
		_spend(grant)
	return finished(media)


def finished(media: rows.Media | None) -> rows.Media:
	"""The Media itself when its upload has ended well. Raises RequestError not_found."""
	if media is None or media.state not in READABLE:
		raise RequestError("not_found")
	return media


def file_of(media: rows.Media) -> Path:
	"""Path of a file of the local backend. Raises RequestError not_found."""
	file = local.path(media.key)
	if not file.is_file():
		raise RequestError("not_found")
	return file


def _is_resumed(wanted_range: str | None) -> bool:
	"""A broken download goes on with the same URL, but only for its holder: without a credential a URL works once."""
	asked = (wanted_range or "").replace(" ", "")
	return asked.startswith("bytes=") and not asked.startswith("bytes=0-") and frappe.session.user != "Guest"


def _spend(grant: signing.Grant) -> None:
	"""A URL works once; Redis remembers it until it would have expired anyway."""
	key = frappe.cache.make_key(f"hisabi_sync_spent:{grant.nonce}")
	left = max(int(grant.expires) - int(time.time()), 1)
	try:
		first = frappe.cache.set(key, 1, nx=True, ex=left)
	except redis.exceptions.ConnectionError:
		raise RequestError("unavailable") from None
	if not first:
		raise RequestError("url_used")
