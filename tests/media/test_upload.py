"""What an upload may be: size, checksum, type and name."""

import gzip
import io
import zipfile

import frappe
import pytest

from hisabi_sync.media import local
from tests.media.uploads import JPEG, PNG, ask, download_url, get, presign, put, refused, sha256, upload


def _zip(*names):
	out = io.BytesIO()
	with zipfile.ZipFile(out, "w") as archive:
		for name in names:
			archive.writestr(name, "content")
	return out.getvalue()


def _send(phone, data, **given):
	signed = presign(phone, data, **given)
	return signed, put(signed["upload_url"], data, signed["headers"])


def test_an_upload_is_answered_with_its_facts(owner):
	signed, response = _send(owner, PNG, size=None, sha256=None)
	assert response.json()["message"] == {
		"key": signed["key"],
		"state": "uploaded",
		"received": len(PNG),
		"size": len(PNG),
		"sha256": sha256(PNG),
	}


@pytest.mark.parametrize("data", [PNG[:-1], PNG + b"x", b""])
def test_another_size_than_announced(owner, data):
	signed = presign(owner, sha256=None)
	answer = put(signed["upload_url"], data)
	assert answer.status_code in (413, 417)
	assert answer.json()["error_code"] in ("media_size_mismatch", "media_too_large")


def test_another_checksum_than_announced(owner):
	signed, response = _send(owner, PNG, sha256=sha256(JPEG))
	refused(response, 417, "media_checksum_mismatch")
	assert not local.path(signed["key"]).exists()
	assert frappe.db.get_value("Sync Media", signed["key"], ["state", "refusal"]) == (
		"Refused",
		"media_checksum_mismatch",
	)


@pytest.mark.parametrize(
	"content_type,data",
	[
		("image/png", JPEG),
		("image/png", b"just some words"),
		("application/pdf", PNG),
		("application/pdf", b"\0\1\2\3 no pdf"),
		("text/plain", PNG),
		("application/zip", PNG),
		("image/x-new-format", PNG),
	],
)
def test_another_type_than_announced(owner, content_type, data):
	signed, response = _send(owner, data, content_type=content_type, filename="a.bin2")
	if content_type == "image/x-new-format":  # a type of which nobody knows the beginning
		assert response.status_code == 200
	else:
		refused(response, 417, "media_type_mismatch")


@pytest.mark.parametrize(
	"filename,content_type,data",
	[
		("a.jpg", "image/jpeg", JPEG),
		("a.jpg", "image/jpg", JPEG),
		("a.txt", "text/plain; charset=utf-8", "نص".encode()),
		("a.csv", "text/csv", b"BM,amount\n1,2\n"),
		("a.json", "application/json", b'{"cmd": "login"}'),
		("a.bin", "application/octet-stream", b"\0\1\2"),
		("a.zip", "application/zip", _zip("a.txt")),
		("a.pdf", "application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\0"),
		("form", "application/x-www-form-urlencoded", b"cmd=login&usr=x"),
		("voice.m4a", "audio/mp4", b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom"),
	],
)
def test_types_that_are_taken(owner, filename, content_type, data):
	_, response = _send(owner, data, filename=filename, content_type=content_type)
	assert response.status_code == 200, response.text


@pytest.mark.parametrize(
	"filename,content_type",
	[
		("a.html", "text/plain"),
		("a.png", "text/html"),
		("a.svg", "image/png"),
		("a.png", "image/svg+xml"),
		("a.JS", "text/plain"),
		("a.txt", "text/javascript"),
		("a.exe", "application/octet-stream"),
		("a.exe. .", "application/octet-stream"),
		("a.e\u200bxe", "application/octet-stream"),
		("a.sh", "text/plain"),
		("a.png/../b.php", "text/plain"),
		("a.apk", "application/zip"),
		("a.bin", "application/x-msdownload"),
		("a.xml", "application/atom+xml"),
		("x.ｈｔｍｌ", "text/plain"),
		("x．html", "text/plain"),
		("x.ＥＸＥ", "application/octet-stream"),
		("x.𝒽𝓉𝓂𝓁", "text/plain"),
		("x.ⓙⓢ", "text/plain"),
		("x.éxe", "application/octet-stream"),
		("x.html\u0301", "text/plain"),
		("x.ﬁsh", "text/plain"),
		("a.png／../b.ｐｈｐ", "text/plain"),
	],
)
def test_types_that_are_refused_by_name(owner, filename, content_type):
	refused(ask(owner, filename=filename, content_type=content_type), 415, "media_type_refused")


@pytest.mark.parametrize(
	"data",
	[
		b"<!DOCTYPE html><html></html>",
		b"\xef\xbb\xbf \n<HTML>",
		b"hello <script>alert(1)</script>",
		"<svg xmlns='x'>".encode("utf-16"),
		"<html><p>x".encode("utf-16-le"),
		"<script>1".encode("utf-16-be"),
		"<html>".encode("utf-32"),
		b"<svg xmlns='http://www.w3.org/2000/svg'/>",
		b"\xe9 latin <script>",
		b"#!/bin/sh\nrm -rf /\n",
		b"<?php echo 1;",
		b"MZ\x90\0" + b"\0" * 300,
		b"\x7fELF\2\1\1\0" + b"\0" * 300,
		b"\xcf\xfa\xed\xfe\0\0",
		_zip("AndroidManifest.xml", "classes.dex"),
		_zip("META-INF/MANIFEST.MF"),
	],
)
@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain"])
def test_content_that_could_run_is_refused(owner, data, content_type):
	signed, response = _send(owner, data, filename="a.bin2", content_type=content_type)
	refused(response, 415, "media_type_refused")
	assert not local.path(signed["key"]).exists()


@pytest.mark.parametrize(
	"name,kept",
	[
		("../../etc/passwd", "passwd"),
		("C:\\Windows\\system.ini", "system.ini"),
		("..", "file"),
		(".", "file"),
		("/", "file"),
		("\0\r\nX-Header: 1", "X-Header 1"),
		("..png", "png"),
		("صورة العائلة.jpg", "صورة العائلة.jpg"),
		("\u202egnp.exe.png", "gnp.exe.png"),
		("Ｍeter．ｐｎｇ", "Meter.png"),
		("a／b＼c.png", "c.png"),
		("n" * 400 + ".png", "n" * 136 + ".png"),
		("x' y='.png", "x’ y=’.png"),
		("` onload=a.png", "‘ onload=a.png"),
		("it's.png", "it's.png"),
		("a&lt;b.png", "a＆lt;b.png"),
		("a&#39; b=c.png", "a＆#39; b=c.png"),
	],
)
def test_file_names_are_cleaned(owner, name, kept):
	assert presign(owner, filename=name)["file_name"] == kept


@pytest.mark.parametrize(
	"given",
	[
		{"filename": None},
		{"filename": 5},
		{"filename": ["a"]},
		{"content_type": None},
		{"content_type": "png"},
		{"content_type": "image/png\nX: 1"},
		{"content_type": "*/*"},
		{"size": 0},
		{"size": -1},
		{"size": 1.5},
		{"size": "many"},
		{"sha256": "abc"},
		{"sha256": "z" * 64},
		{"sha256": 5},
		{"key": "../../x"},
	],
)
def test_bad_arguments(owner, given):
	refused(ask(owner, **given), 417, "invalid_argument")


@pytest.mark.parametrize("name", ["filename", "content_type"])
def test_a_missing_argument_is_named(owner, name):
	body = refused(ask(owner, **{name: None}), 417, "invalid_argument")
	assert body["argument"] == name and name in body["message"]


def test_a_lone_surrogate_in_the_name(owner):
	body = f'{{"wallet_id": "{owner.wallet_id}", "filename": "a\\ud800.png", "content_type": "image/png"}}'
	url = f"{owner.url}/api/method/hisabi_sync.api.media.presign"
	response = owner.session.post(url, data=body, headers={"Content-Type": "application/json"})
	assert response.json()["message"]["file_name"] == "a\ufffd.png", response.text


def test_too_large(owner):
	assert refused(ask(owner, size=251 * 1024**2), 413, "media_too_large")["max_bytes"] == 250 * 1024**2
	refused(ask(owner, size=2**70), 413, "media_too_large")
	url = presign(owner, size=10, sha256=None)["upload_url"]
	refused(put(url, PNG), 413, "media_too_large")


def test_a_compressed_body_is_not_taken_for_the_content(owner):
	url = presign(owner)["upload_url"]
	refused(put(url, gzip.compress(PNG), {"Content-Encoding": "gzip"}), 417, "invalid_encoding")
	assert put(url, PNG).status_code == 200


def test_other_methods_are_refused(owner):
	url = presign(owner)["upload_url"]
	for method in ("GET", "POST", "DELETE"):
		answer = owner.session.request(method, url, timeout=30)
		assert answer.status_code in (403, 404, 405), (method, answer.text)
	assert upload(owner)


def test_a_name_that_was_taken_before_gets_an_ending_that_nobody_runs(owner):
	key = upload(owner, b"plain words", filename="x.txt", content_type="text/plain")
	frappe.db.set_value("Sync Media", key, "file_name", "x.ｈｔｍｌ")
	frappe.db.commit()
	said = get(download_url(owner, key)).headers["Content-Disposition"]
	assert "x.html.bin" in said and not said.rstrip('"').endswith("html"), said
