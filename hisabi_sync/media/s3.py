"""The S3 backend. A device uploads to one place; when a record names the key, the object is verified and copied to another.

So an upload URL that is used again writes only where nobody reads.
"""

import base64
import functools
import hashlib
import importlib.util
import secrets
from collections.abc import Mapping
from typing import Any

import frappe

from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.media import names, sniff
from hisabi_sync.media.limits import check_facts, max_bytes
from hisabi_sync.media.rows import Media

INCOMING = "incoming/"
READ_SECONDS = 60  # our own URL, which works once, leads to one of S3 that works so long
TICKET = "ticket"
ONLY_ONCE = "If-None-Match"
BLOCK = 1024 * 1024
GONE = (404, 412)  # not there, or changed between looking and copying


def is_installed() -> bool:
	"""Whether boto3 is there; not every Frappe brings it, so it is an extra of this app's."""
	try:
		return importlib.util.find_spec("boto3") is not None
	except ValueError:  # loaded as nothing
		return False


@functools.lru_cache(maxsize=16)
def _client(
	endpoint: str | None, region: str | None, access_key: str | None, secret_key: str | None, write_once: Any
) -> Any:
	import boto3
	from botocore.config import Config

	made = boto3.client(
		"s3",
		endpoint_url=endpoint or None,
		region_name=region or None,
		aws_access_key_id=access_key or None,
		aws_secret_access_key=secret_key or None,
		config=Config(
			signature_version="s3v4", connect_timeout=5, read_timeout=30, retries={"max_attempts": 2}
		),
	)
	if write_once:
		made.meta.events.register("before-sign.s3.PutObject", _only_once)
	return made


def _only_once(request: Any, **_event: Any) -> None:
	"""A condition that is signed with the URL; older releases of boto3 have no argument for it."""
	request.headers[ONLY_ONCE] = "*"


def client() -> Any:
	"""Raises RequestError unavailable without boto3; the form of Sync Settings refuses S3 then."""
	if not is_installed():
		raise RequestError("unavailable")
	settings = frappe.get_cached_doc("Sync Settings")
	secret = settings.get_password("s3_secret_key", raise_exception=False)
	return _client(
		settings.s3_endpoint, settings.s3_region, settings.s3_access_key, secret, settings.s3_write_once
	)


def _place(media: Media, folder: str = "") -> dict[str, str]:
	settings = frappe.get_cached_doc("Sync Settings")
	if not settings.s3_bucket:
		raise RequestError("unavailable")  # files in S3 outlive its settings
	return {
		"Bucket": settings.s3_bucket,
		"Key": f"{settings.s3_prefix or ''}{folder}{media.folder or media.space}/{media.key}",
	}


def presign(media: Media, seconds: int) -> dict[str, Any]:
	"""A signed upload URL. The signature covers type, size and checksum, as far as the device announced them.

	It also covers a secret header that is in no URL, so that a URL from a log is not enough to upload. If the store supports
	conditional writes, a URL works once; S3 answers 412 to the second upload.
	"""
	ticket = secrets.token_hex(16)
	signed: dict[str, Any] = {"ContentType": media.content_type, "Metadata": {TICKET: ticket}}
	headers = {"Content-Type": media.content_type, f"x-amz-meta-{TICKET}": ticket}
	if frappe.get_cached_doc("Sync Settings").s3_write_once:
		headers[ONLY_ONCE] = "*"
	if media.announced_size:
		signed["ContentLength"], headers["Content-Length"] = media.announced_size, str(media.announced_size)
	if media.announced_sha256:
		checksum = base64.b64encode(bytes.fromhex(media.announced_sha256)).decode()
		signed["ChecksumSHA256"], headers["x-amz-checksum-sha256"] = checksum, checksum
	parameters = {**_place(media, INCOMING), **signed}
	url = client().generate_presigned_url("put_object", Params=parameters, ExpiresIn=seconds)
	return {"upload_url": url, "headers": headers}


def download_url(media: Media, shown: bool = False) -> str:
	"""A URL of S3 that works for a minute; `shown` says that a browser may show the object instead of saving it."""
	name = names.harmless(media.file_name)
	quoted = name.translate({ord(c): "_" for c in '\\"'}).encode("ascii", "replace").decode()
	parameters = {
		**_place(media),
		"ResponseContentDisposition": f'{"inline" if shown else "attachment"}; filename="{quoted}"',
		"ResponseContentType": media.content_type,
	}
	return client().generate_presigned_url("get_object", Params=parameters, ExpiresIn=READ_SECONDS)


def take(media: Media) -> None:
	"""Verify an uploaded object and copy it to where it is read; fills in size and checksum.

	Raises RequestError not_found, unavailable, or what is wrong with the object.
	"""
	store = client()
	from botocore.exceptions import BotoCoreError, ClientError

	try:
		facts = store.head_object(**_place(media, INCOMING), ChecksumMode="ENABLED")
		media.size, media.sha256 = _verified(media, facts)
		source = _place(media, INCOMING)
		store.copy_object(**_place(media), CopySource=source, CopySourceIfMatch=facts["ETag"])
	except ClientError as error:
		gone = error.response["ResponseMetadata"]["HTTPStatusCode"] in GONE
		raise RequestError("not_found" if gone else "unavailable") from error
	except BotoCoreError as error:
		raise RequestError("unavailable") from error


def _verified(media: Media, facts: Mapping[str, Any]) -> tuple[int, str]:
	"""(size, checksum) of an object that is what was announced; read whole only if S3 has no checksum of it."""
	size = facts["ContentLength"]
	if size > (media.announced_size or max_bytes()):
		raise RequestError("media_size_mismatch", expected=media.announced_size or None, received=size)
	checksum = facts.get("ChecksumSHA256")
	head, digest = _read(media, facts["ETag"], size, checksum is None and size > 0)
	digest = base64.b64decode(checksum).hex() if checksum else digest
	check_facts(media, size, digest)
	sniff.check(head, media.content_type)
	return size, digest


def _read(media: Media, etag: str, size: int, whole: bool) -> tuple[bytes, str]:
	"""The object's beginning, and its checksum when it is read to the end."""
	body = client().get_object(**_place(media, INCOMING), IfMatch=etag)["Body"]
	head = body.read(sniff.HEAD)
	if len(head) < min(size, sniff.HEAD):
		raise RequestError("unavailable")  # the reading broke off, which says nothing of the object
	digest = hashlib.sha256(head)
	for block in body.iter_chunks(BLOCK) if whole else ():
		digest.update(block)
	body.close()
	return head, digest.hexdigest()


def delete(media: Media) -> None:
	"""Remove the object, and the copy that its upload URL wrote."""
	for folder in ("", INCOMING):
		client().delete_object(**_place(media, folder))


def delete_incoming(media: Media) -> None:
	"""The place that an upload URL writes to, once that is over."""
	client().delete_object(**_place(media, INCOMING))
