"""What a phone does with media: ask for a URL, send bytes there, name the key in a record."""

import hashlib
import http.client
import os
import zlib
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from tests.support.phone import create

SITE = os.environ["HISABI_SITE"]
PNG = (
	b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0\x1f\x15\xc4\x89"
	b"\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82"
)
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + bytes(range(256)) * 4 + b"\xff\xd9"


def picture(size):
	"""Bytes that begin like a JPEG; every 64 KiB differ, so that a misplaced part shows."""
	blocks = (zlib.crc32(str(n).encode()).to_bytes(4, "big") * 16384 for n in range(size // 65536 + 1))
	return (JPEG + b"".join(blocks))[:size]


def sha256(data):
	if hasattr(data, "sha256"):
		return data.sha256()
	return hashlib.sha256(data).hexdigest()


def ask(phone, data=PNG, **given):
	"""The response of presign for some bytes; None leaves an argument out."""
	body = {
		"device_id": phone.device_id,
		"wallet_id": phone.wallet_id,
		"filename": "receipt.png",
		"content_type": "image/png",
		"size": len(data),
		"sha256": sha256(data),
		**given,
	}
	return phone.call("media.presign", {name: value for name, value in body.items() if value is not None})


def presign(phone, data=PNG, **given):
	response = ask(phone, data, **given)
	assert response.status_code == 200, response.text
	return response.json()["message"]


def put(url, data, headers=None, **options):
	"""Send bytes to a signed URL as any HTTP client would, without a credential."""
	headers = {"X-Frappe-Site-Name": SITE, "Content-Type": "image/png", **(headers or {})}
	return requests.put(url, data=data, headers=headers, timeout=60, **options)


def get(url, headers=None, **options):
	return requests.get(url, headers={"X-Frappe-Site-Name": SITE, **(headers or {})}, timeout=60, **options)


def put_part(url, data, first, end, total=None):
	total = total or len(data)
	return put(url, data[first:end], {"Content-Range": f"bytes {first}-{end - 1}/{total}"})


def upload(phone, data=PNG, **given):
	"""The key of a finished upload."""
	signed = presign(phone, data, **given)
	response = put(signed["upload_url"], data, signed["headers"])
	assert response.status_code == 200, response.text
	return signed["key"]


def download_url(phone, key):
	response = phone.call("media.download_url", {"key": key, "device_id": phone.device_id})
	assert response.status_code == 200, response.text
	return response.json()["message"]["url"]


def altered(url, **values):
	"""The URL with arguments replaced; None removes one."""
	parts = urlsplit(url)
	query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **values}
	return parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None})).geturl()


def argument(url, name):
	return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))[name]


def token(phone):
	return {"Authorization": f"Bearer {phone.token}"}


def refused(response, status, code):
	assert response.status_code == status, (response.status_code, response.text[:400])
	body = response.json()
	assert body["error_code"] == code and body["message"] and body["retryable"] in (True, False), body
	return body


def attachment(data=PNG, client_id=None, **payload):
	"""The item of an attachment that describes some bytes."""
	given = {
		"owner_entity_type": "Hisabi Transaction",
		"owner_client_id": "t-1",
		"file_name": "receipt.png",
		"mime_type": "image/png",
		"file_size": len(data),
		"sha256": sha256(data),
		**payload,
	}
	return create("Hisabi Attachment", client_id, **given)


def break_off(url, headers, data):
	"""Announce a whole body, send its beginning, and hang up."""
	parts = urlsplit(url)
	connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
	connection.putrequest("PUT", f"{parts.path}?{parts.query}")
	for name, value in {"Content-Length": str(len(data) * 3), **headers}.items():
		connection.putheader(name, value)
	connection.endheaders(data)
	connection.close()
