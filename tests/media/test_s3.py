"""The S3 backend against a server that speaks S3."""

import socket
import subprocess
import sys
import time

import boto3
import frappe
import pytest
import requests

from hisabi_sync.engine import ids
from hisabi_sync.media import collect, use
from tests.media.uploads import JPEG, PNG, attachment, download_url, get, presign, refused, sha256, upload
from tests.support.phone import update

BUCKET, KEYS = "media", {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
SETTINGS = {
	"media_backend": "S3",
	"s3_bucket": BUCKET,
	"s3_region": "us-east-1",
	"s3_prefix": "hisabi/",
	"s3_access_key": "key",
	"s3_secret_key": "secret",
}


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory):
	"""Address of a server of its own, with an empty bucket."""
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		port = probe.getsockname()[1]
	log = (tmp_path_factory.mktemp("s3") / "s3.log").open("wb")
	process = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=log, stderr=log)
	address = f"http://127.0.0.1:{port}"
	_wait(address)
	boto3.client("s3", endpoint_url=address, region_name="us-east-1", **KEYS).create_bucket(Bucket=BUCKET)
	yield address
	process.terminate()
	process.wait(30)
	log.close()


def _wait(address):
	for _ in range(300):
		try:
			return requests.get(address, timeout=5)
		except requests.ConnectionError:
			time.sleep(0.1)
	raise RuntimeError("The S3 server does not answer")


@pytest.fixture
def bucket(s3_server):
	"""The site stores media in S3 for one test."""
	settings = frappe.get_single("Sync Settings")
	before = {name: settings.get(name) for name in (*SETTINGS, "s3_endpoint")}
	_set({**SETTINGS, "s3_endpoint": s3_server})
	yield boto3.client("s3", endpoint_url=s3_server, region_name="us-east-1", **KEYS)
	_set({**before, "media_backend": "Local"})


def _set(values):
	frappe.db.rollback()
	settings = frappe.get_single("Sync Settings")
	settings.update(values)
	settings.save()
	frappe.db.commit()
	# Somebody may have read the old settings between the two.
	frappe.clear_document_cache("Sync Settings", "Sync Settings")


def _put(signed, data):
	return requests.put(signed["upload_url"], data=data, headers=signed["headers"], timeout=30)


def _names(bucket):
	return {found["Key"] for found in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", ())}


def _upload(phone, data=PNG, **given):
	signed = presign(phone, data, **given)
	assert _put(signed, data).status_code == 200
	return signed["key"]


def test_an_attachment_in_s3(owner, family, bucket):
	signed = presign(owner)
	assert signed["method"] == "PUT" and signed["headers"]["Content-Type"] == "image/png"
	assert _put(signed, PNG).status_code == 200
	(made,) = owner.push(attachment(file_id=signed["key"]))
	assert made["status"] == "accepted", made
	viewer = family["viewer"]
	url = viewer.call("media.download_url", {"key": signed["key"]}).json()["message"]["url"]
	answer = requests.get(url, timeout=30)
	assert answer.content == PNG and answer.headers["Content-Type"] == "image/png"
	assert answer.headers["Content-Disposition"] == 'attachment; filename="receipt.png"'
	assert frappe.db.get_value("Sync Media", signed["key"], "sha256") == sha256(PNG)


def test_a_url_that_is_used_again_changes_nothing(owner, bucket):
	signed = presign(owner, sha256=None, size=None)
	_put(signed, PNG)
	assert owner.push(attachment(file_id=signed["key"]))[0]["status"] == "accepted"
	_put(signed, JPEG)
	url = owner.call("media.download_url", {"key": signed["key"]}).json()["message"]["url"]
	assert requests.get(url, timeout=30).content == PNG


@pytest.mark.parametrize(
	"sent,announced",
	[
		(PNG + b"x", {"sha256": None}),
		(JPEG, {"size": len(JPEG)}),
		(b"<html>", {"size": None, "sha256": None}),
	],
)
def test_an_object_that_is_not_what_was_announced(owner, bucket, sent, announced):
	signed = presign(owner, **announced)
	signed["headers"].pop("Content-Length", None)
	_put(signed, sent)
	result = owner.push(attachment(file_id=signed["key"]))[0]
	assert (result["error_code"], result["detail"]) == ("invalid_link", ["file_id"])
	refused(owner.call("media.download_url", {"key": signed["key"]}), 404, "not_found")


def test_a_key_that_was_not_uploaded(owner, family, bucket):
	signed = presign(owner)
	item = attachment(file_id=signed["key"])
	assert owner.push(item)[0]["error_code"] == "invalid_link"
	_put(signed, PNG)
	assert family["stranger"].push(attachment(file_id=signed["key"]))[0]["error_code"] == "invalid_link"
	assert owner.push(item)[0]["status"] == "accepted"


def test_a_checksum_is_read_from_the_object_when_s3_knows_none(owner, bucket):
	key = _upload(owner, sha256=None)
	space = ids.space("wallet", owner.wallet_id)
	assert use.use({key: None}, space)[key].sha256 == sha256(PNG)
	frappe.db.commit()


def test_when_s3_does_not_answer_the_push_is_to_be_repeated(owner, bucket, s3_server):
	key = _upload(owner)
	item = attachment(file_id=key)
	with socket.socket() as closed:
		closed.bind(("127.0.0.1", 0))
		_set({"s3_endpoint": f"http://127.0.0.1:{closed.getsockname()[1]}"})
		assert refused(owner.send([item]), 503, "unavailable")["retryable"] is True
	_set({"s3_endpoint": s3_server})
	assert owner.push(item)[0]["status"] == "accepted"


def test_collecting_removes_objects(owner, bucket):
	used, unused = _upload(owner), _upload(owner)
	(made,) = owner.push(attachment(file_id=used))
	assert any(used in name for name in _names(bucket)) and any(unused in name for name in _names(bucket))
	frappe.db.rollback()
	for key, column in ((unused, "creation"), (used, "released_at")):
		frappe.db.set_value("Sync Media", key, column, "2020-01-01", update_modified=False)
	frappe.db.commit()
	owner.push(update("Hisabi Attachment", made["client_id"], 1, file_id=None))
	frappe.db.rollback()
	collect.run()
	assert not any(used in name or unused in name for name in _names(bucket))


def test_local_media_stay_reachable_when_the_setting_changes(owner, s3_server, request):
	key = upload(owner)
	request.getfixturevalue("bucket")
	assert get(download_url(owner, key)).content == PNG
