"""Photos: devices upload and fetch them, and where they lie on the server."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chaos.line import Answer
from hisabi_sync.engine.model import files, ids

if TYPE_CHECKING:
	from chaos.devices import Device
	from chaos.look import Held

METHOD = "/api/method/hisabi_sync.api.media."
FOLDER = "private/files/hisabi_sync_media"
BEGIN = (
	b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0\x1f\x15\xc4\x89"
	b"\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82"
)


# --- on a device


def upload(device: "Device") -> str | None:
	"""The key of a new photo, or None where the device is not let in."""
	data = BEGIN + f"{device.name} {device.count} {device.rng.random()}".encode()
	about: dict[str, Any] = {"filename": "photo.png", "content_type": "image/png", "size": len(data)}
	about.update(sha256=hashlib.sha256(data).hexdigest(), wallet_id=device.space, device_id=device.name)
	signed = device.insist(METHOD + "presign", about, device.space)
	if signed.status != 200:
		return None
	put = device.insist(_path(signed.message["upload_url"]), data, device.space, "PUT")
	key = signed.message["key"]
	device.lab.journal.note("upload", device=device.name, key=key, status=put.status, code=put.code)
	if put.status != 200 and put.code != "url_used":  # as a repeat is told, after a lost answer
		return None
	device.lab.photos[key] = (device.space, about["sha256"])
	return key


def fetch(device: "Device", photo: str) -> Answer:
	"""The Answer with a photo, or the one by which it was refused."""
	about = {"key": photo, "device_id": device.name}
	signed = device.insist(METHOD + "download_url", about, device.space)
	if signed.status != 200:
		return signed
	return device.insist(_path(signed.message["url"]), None, device.space, "GET")


def peep(stranger: "Device", photo: str) -> bool:
	"""Whether a stranger gets a photo, through a URL that they asked for or through the Desk."""
	seen = stranger.insist(f"{METHOD}view?key={photo}", None, "", "GET")
	return 200 in (fetch(stranger, photo).status, seen.status)


def _path(url: str) -> str:
	parts = urlsplit(url)
	return f"{parts.path}?{parts.query}"


# --- on the server


def read(
	rows: Callable[..., Sequence[tuple[Any, ...]]], space: str, held: "Held", doctypes: tuple[str, str]
) -> None:
	"""Add to a Held the photos of a space, which records name them, and which of them have a file."""
	name, (form, page) = ids.space("wallet", space), doctypes
	query = """SELECT m.name, m.state, c.name IS NOT NULL FROM `tabSync Media` m LEFT JOIN `tabSync Conflict` c
		ON c.record = m.record AND c.status = 'Open' WHERE m.space = %s"""
	for key, state, disputed in rows(query, (name,)):
		held.photos[key] = state
		held.disputed |= {key} if disputed else set()
	query = f"""SELECT r.client_id, p.photo FROM `tabSync Record` r JOIN (
		SELECT name, photo FROM `tab{form}` UNION ALL SELECT parent, photo FROM `tab{page}`) p
		ON p.name = r.document_name WHERE r.entity_type = %s AND r.space = %s AND p.photo != ''"""  # noqa: S608
	for client_id, value in rows(query, (form, name)):
		held.named.setdefault(files.outward(value), set()).add((form, client_id))
	held.files = {key for key in {*held.photos, *held.named} if file_of(key).exists()}


def file_of(key: str) -> Path:
	"""The file of an upload on the site."""
	return Path(os.environ["SITES_PATH"]) / os.environ["HISABI_SITE"] / FOLDER / key[:2] / key


# As if all that waits for collection had waited for long.
AGE = """UPDATE `tabSync Media` SET creation = creation - INTERVAL 3 DAY, used_at = used_at - INTERVAL 400 DAY,
	released_at = released_at - INTERVAL 400 DAY"""
