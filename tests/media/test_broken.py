"""Uploads whose connection breaks leave nothing that could be used, and can be sent again to the same URL."""

import http.client
import time
from urllib.parse import urlsplit

import frappe
import pytest

from hisabi_sync.media import local
from tests.media.uploads import attachment, break_off, picture, presign, put, put_part
from tests.support.server import Server

MIB = 1024 * 1024
DATA = picture(MIB + 5)
JPG = {"filename": "a.jpg", "content_type": "image/jpeg"}


@pytest.fixture(scope="module")
def streaming(site, tmp_path_factory):
	running = Server(site, tmp_path_factory.mktemp("streaming") / "web.log", workers=1)
	running.application = "hisabi_sync.wsgi:application"
	yield running.start()
	running.stop()


@pytest.fixture(params=["Frappe itself", "streamed"])
def signed(request, owner):
	"""A signed URL on either server; neither size nor checksum was announced, which would find everything."""
	answer = presign(owner, DATA, **JPG, size=None, sha256=None)
	if request.param == "streamed":
		front = request.getfixturevalue("streaming").url
		answer["upload_url"] = answer["upload_url"].replace(owner.url, front)
	return answer


def _is_untouched(owner, signed):
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", signed["key"], "state") == "Pending"
	item = attachment(file_id=signed["key"], file_size=len(DATA), mime_type="image/jpeg", sha256=None)
	assert owner.push(item)[0]["error_code"] == "invalid_link"
	return item


def _left_over():
	incoming = local.folder() / local.INCOMING
	return {file.name for file in incoming.iterdir()} if incoming.is_dir() else set()


def _hang_up(signed, headers, data):
	break_off(
		signed["upload_url"], {"X-Frappe-Site-Name": frappe.local.site, **signed["headers"], **headers}, data
	)
	time.sleep(0.5)  # a worker notices at once; one that does not would be judged too kindly


def test_a_body_that_breaks_off(owner, signed):
	before = _left_over()
	_hang_up(signed, {"Content-Length": str(len(DATA))}, DATA[:-5])
	item = _is_untouched(owner, signed)
	assert not local.path(signed["key"]).exists()
	answer = put(signed["upload_url"], DATA, signed["headers"])
	assert answer.status_code == 200, answer.text
	assert local.path(signed["key"]).read_bytes() == DATA and _left_over() <= before
	assert owner.push(item)[0]["status"] == "accepted"


def test_a_chunked_body_without_its_end(owner, signed):
	parts = urlsplit(signed["upload_url"])
	connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
	connection.putrequest("PUT", f"{parts.path}?{parts.query}")
	headers = {"X-Frappe-Site-Name": frappe.local.site, "Transfer-Encoding": "chunked", **signed["headers"]}
	for name, value in headers.items():
		connection.putheader(name, value)
	connection.endheaders(b"%x\r\n%s\r\n" % (MIB, DATA[:MIB]))
	connection.close()
	time.sleep(0.5)
	_is_untouched(owner, signed)
	assert put(signed["upload_url"], DATA, signed["headers"]).status_code == 200


def test_a_part_that_breaks_off(owner, signed):
	url, half = signed["upload_url"], MIB // 2
	assert put_part(url, DATA, 0, half).json()["message"]["received"] == half
	place = {
		"Content-Range": f"bytes {half}-{len(DATA) - 1}/{len(DATA)}",
		"Content-Length": str(len(DATA) - half),
	}
	_hang_up(signed, place, DATA[half : half + 1000])
	_is_untouched(owner, signed)
	asked = put(url, b"", {"Content-Range": f"bytes */{len(DATA)}"}).json()["message"]
	assert asked["received"] == half
	assert put_part(url, DATA, half, len(DATA)).json()["message"]["state"] == "uploaded"
	assert local.path(signed["key"]).read_bytes() == DATA
