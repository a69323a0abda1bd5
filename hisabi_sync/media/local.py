"""The local backend: one file for each key among the site's private files, which Frappe's own URLs do not reach."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import frappe

from hisabi_sync import wsgi
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.media import names, signing, sniff
from hisabi_sync.media.rows import Media

if TYPE_CHECKING:
	from _typeshed import SupportsRead

FOLDER = ("private", "files", "hisabi_sync_media")
INCOMING = "incoming"
BLOCK = 256 * 1024
# Bytes that a device should send at once. Frappe reads a body as text as well, which takes many times its size.
PART, STREAMED_PART = 512 * 1024, 4 * 1024 * 1024
# What Frappe would try to read as arguments, failing on 15 where it cannot.
PARSED = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


def folder() -> Path:
	"""The folder of uploads in the site's private files."""
	return Path(frappe.get_site_path(*FOLDER)).resolve()


def path(key: str) -> Path:
	"""Where the bytes of a key lie. Keys are our own hexadecimal texts; anything else never gets here."""
	return folder() / key[:2] / key


def presign(media: Media, seconds: int) -> dict[str, Any]:
	"""`{upload_url, headers, part_bytes}` of an upload to this site; the URL works for `seconds`."""
	kind = names.ANY_TYPE if media.content_type in PARSED else media.content_type
	return {
		"upload_url": signing.url("PUT", media.key, media.user, media.device, seconds),
		"headers": {"Content-Type": kind},
		"part_bytes": STREAMED_PART if _streams() else PART,
	}


def _streams() -> bool:
	return bool(frappe.request and frappe.request.environ.get(wsgi.STREAMS))


def delete(media: Media) -> None:
	"""Remove the file, if it is there."""
	path(media.key).unlink(missing_ok=True)


def remove_all() -> None:
	"""Remove every file, when the app leaves the site: nothing names them any more."""
	shutil.rmtree(folder(), ignore_errors=True)


def delete_incoming(media: Media) -> None:
	"""There is only one place."""


def spool(stream: "SupportsRead[bytes]", most: int) -> tuple[Path, int, str]:
	"""Copy a stream to a new file: `(path, size, sha256)`. Raises RequestError media_too_large."""
	target = folder() / INCOMING / ids.new()
	target.parent.mkdir(parents=True, exist_ok=True)
	digest, size = hashlib.sha256(), 0
	try:
		with target.open("xb") as out:
			while block := stream.read(BLOCK):
				size += len(block)
				if size > most:
					raise RequestError("media_too_large", max_bytes=most)
				digest.update(block)
				out.write(block)
			_flush(out)
	except BaseException:
		target.unlink(missing_ok=True)
		raise
	return target, size, digest.hexdigest()


def adopt(key: str, spooled: Path) -> None:
	"""Make a spooled file the content of a key."""
	path(key).parent.mkdir(parents=True, exist_ok=True)
	spooled.replace(path(key))


def write_part(key: str, start: int, body: bytes) -> None:
	"""Write bytes at an offset, and cut off what a broken request left behind them."""
	target = path(key)
	target.parent.mkdir(parents=True, exist_ok=True)
	with open(os.open(target, os.O_RDWR | os.O_CREAT, 0o640), "r+b") as out:
		out.seek(start)
		out.write(body)
		out.truncate()
		_flush(out)


def _flush(out: BinaryIO) -> None:
	out.flush()
	os.fsync(out.fileno())


def checksum(key: str) -> str:
	"""SHA-256 of the file, read block by block."""
	digest = hashlib.sha256()
	with path(key).open("rb") as source:
		while block := source.read(BLOCK):
			digest.update(block)
	return digest.hexdigest()


def head(file: Path) -> bytes:
	"""The bytes by which a type is recognised."""
	with file.open("rb") as source:
		return source.read(sniff.HEAD)
