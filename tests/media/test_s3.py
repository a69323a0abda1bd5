"""The S3 backend against a server that speaks S3."""

import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import frappe
import pytest
import requests

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.media import collect, rows, s3, signing, use
from tests.media.s3 import s3_names, s3_put, s3_upload, set_s3
from tests.media.uploads import (
	JPEG,
	PNG,
	altered,
	argument,
	attachment,
	break_off,
	download_url,
	get,
	presign,
	refused,
	sha256,
	token,
	upload,
)
from tests.support.phone import update


def test_an_attachment_in_s3(owner, family, bucket):
	signed = presign(owner)
	assert signed["method"] == "PUT" and signed["headers"]["Content-Type"] == "image/png"
	assert s3_put(signed, PNG).status_code == 200
	(made,) = owner.push(attachment(file_id=signed["key"]))
	assert made["status"] == "accepted", made
	viewer = family["viewer"]
	url = viewer.call("media.download_url", {"key": signed["key"]}).json()["message"]["url"]
	answer = get(url)
	assert answer.content == PNG and answer.headers["Content-Type"] == "image/png"
	assert answer.headers["Content-Disposition"] == 'attachment; filename="receipt.png"'
	assert frappe.db.get_value("Sync Media", signed["key"], "sha256") == sha256(PNG)


def test_a_url_that_is_used_again_changes_nothing(owner, bucket):
	signed = presign(owner, sha256=None, size=None)
	s3_put(signed, PNG)
	assert owner.push(attachment(file_id=signed["key"]))[0]["status"] == "accepted"
	s3_put(signed, JPEG)
	url = owner.call("media.download_url", {"key": signed["key"]}).json()["message"]["url"]
	assert get(url).content == PNG


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
	s3_put(signed, sent)
	result = owner.push(attachment(file_id=signed["key"]))[0]
	assert (result["error_code"], result["detail"]) == ("invalid_link", ["file_id"])
	refused(owner.call("media.download_url", {"key": signed["key"]}), 404, "not_found")


def test_a_key_that_was_not_uploaded(owner, family, bucket):
	signed = presign(owner)
	item = attachment(file_id=signed["key"])
	assert owner.push(item)[0]["error_code"] == "invalid_link"
	s3_put(signed, PNG)
	assert family["stranger"].push(attachment(file_id=signed["key"]))[0]["error_code"] == "invalid_link"
	assert owner.push(item)[0]["status"] == "accepted"


def test_a_checksum_is_read_from_the_object_when_s3_knows_none(owner, bucket):
	key = s3_upload(owner, sha256=None)
	space = ids.space("wallet", owner.wallet_id)
	assert use.use({key: None}, space)[key].sha256 == sha256(PNG)
	frappe.db.commit()


def test_when_s3_does_not_answer_the_push_is_to_be_repeated(owner, bucket, s3_server):
	key = s3_upload(owner)
	item = attachment(file_id=key)
	with socket.socket() as closed:
		closed.bind(("127.0.0.1", 0))
		set_s3({"s3_endpoint": f"http://127.0.0.1:{closed.getsockname()[1]}"})
		assert refused(owner.send([item]), 503, "unavailable")["retryable"] is True
	set_s3({"s3_endpoint": s3_server})
	assert owner.push(item)[0]["status"] == "accepted"


def test_collecting_removes_objects(owner, bucket):
	used, unused = s3_upload(owner), s3_upload(owner)
	(made,) = owner.push(attachment(file_id=used))
	assert any(used in name for name in s3_names(bucket)) and any(unused in name for name in s3_names(bucket))
	frappe.db.rollback()
	for key, column in ((unused, "creation"), (used, "released_at")):
		frappe.db.set_value("Sync Media", key, column, "2020-01-01", update_modified=False)
	frappe.db.commit()
	owner.push(update("Hisabi Attachment", made["client_id"], 1, file_id=None))
	frappe.db.rollback()
	collect.run()
	assert not any(used in name or unused in name for name in s3_names(bucket))


def test_local_media_stay_reachable_when_the_setting_changes(owner, s3_server, request):
	key = upload(owner)
	request.getfixturevalue("bucket")
	assert get(download_url(owner, key)).content == PNG


# --- URLs that are not used as they were given


def _answers(answer, status, code):
	assert answer.status_code == status and code in answer.text, (answer.status_code, answer.text[:300])


@pytest.mark.parametrize(
	"name", ["X-Amz-Expires", "X-Amz-Date", "X-Amz-Credential", "X-Amz-Signature", "path"]
)
def test_an_altered_upload_url_is_refused_by_s3(owner, bucket, name):
	signed = presign(owner)
	url = signed["upload_url"]
	if name == "path":
		other = url.replace(signed["key"], signed["key"][::-1])
	else:
		other = altered(url, **{name: argument(url, name).replace("0", "1", 1) + "1"})
	_answers(s3_put({**signed, "upload_url": other}, PNG), 403, "Error")
	_answers(
		s3_put({**signed, "upload_url": altered(url, **{name: None})}, PNG),
		403 if name != "path" else 200,
		"",
	)
	assert name == "path" or not any(signed["key"] in found for found in s3_names(bucket))


@pytest.mark.parametrize(
	"headers",
	[
		{"Content-Type": "text/html"},
		{"x-amz-checksum-sha256": "AAAA"},
		{"Content-Length": str(len(PNG) - 1)},
		{"x-amz-meta-ticket": "0" * 32},
		{"x-amz-meta-ticket": None},
		{"If-None-Match": None},
	],
)
def test_what_the_device_announced_is_signed(owner, bucket, headers):
	signed = presign(owner)
	given = {name: value for name, value in {**signed["headers"], **headers}.items() if value is not None}
	short = "Content-Length" in headers
	_answers(s3_put({**signed, "headers": given}, PNG[:-1] if short else PNG), 403, "")
	assert s3_put(signed, PNG).status_code == 200


def test_a_stolen_url_alone_does_not_upload(owner, bucket):
	"""Logs show URLs, not headers."""
	signed = presign(owner, size=None, sha256=None)
	_answers(s3_put({**signed, "headers": {"Content-Type": "image/png"}}, PNG), 403, "AccessDenied")
	assert owner.push(attachment(file_id=signed["key"]))[0]["error_code"] == "invalid_link"


def test_an_expired_upload_url_is_refused_by_s3(owner, bucket):
	key = presign(owner)["key"]
	signed = s3.presign(rows.get(key), 1)
	time.sleep(2.5)
	_answers(s3_put(signed, PNG), 403, "RequestExpired")
	renewed = owner.call("media.presign", {"wallet_id": owner.wallet_id, "key": key}).json()["message"]
	assert s3_put(renewed, PNG).status_code == 200


def test_a_second_upload_to_a_url_is_refused_by_s3(owner, bucket):
	signed = presign(owner, size=None, sha256=None)
	assert s3_put(signed, PNG).status_code == 200
	assert s3_put(signed, JPEG).status_code == 412
	assert owner.push(attachment(file_id=signed["key"]))[0]["status"] == "accepted"
	assert get(download_url(owner, signed["key"])).content == PNG


def test_a_download_url_is_altered_expired_stolen_or_used_again(owner, family, bucket):
	key = s3_upload(owner)
	assert owner.push(attachment(file_id=key))[0]["status"] == "accepted"
	url = download_url(owner, key)
	refused(get(altered(url, nonce="0" * 16)), 403, "url_invalid")
	refused(get(url, token(family["stranger"])), 403, "url_not_yours")
	assert get(url).content == PNG
	refused(get(url), 403, "url_used")
	expired = urlsplit(signing.url("GET", key, owner.user, argument(url, "device"), -1)).query
	refused(get(urlsplit(url)._replace(query=expired).geturl()), 403, "url_expired")


def test_what_s3_gives_out_for_a_download_ends_soon_and_is_signed(owner, bucket):
	key = s3_upload(owner)
	assert owner.push(attachment(file_id=key))[0]["status"] == "accepted"
	answer = get(download_url(owner, key), allow_redirects=False)
	place = answer.headers["Location"]
	assert answer.status_code == 302 and int(argument(place, "X-Amz-Expires")) <= 60
	other = altered(place, **{"response-content-type": "text/html"})
	_answers(requests.get(other, timeout=30), 403, "SignatureDoesNotMatch")
	assert requests.get(place, timeout=30).content == PNG


# --- broken connections


def test_an_upload_to_s3_that_breaks_off_leaves_nothing_and_is_repeated(owner, bucket):
	signed = presign(owner)
	break_off(signed["upload_url"], signed["headers"], PNG[:20])
	assert not any(signed["key"] in found for found in s3_names(bucket))
	item = attachment(file_id=signed["key"])
	assert owner.push(item)[0]["error_code"] == "invalid_link"
	assert s3_put(signed, PNG).status_code == 200
	assert owner.push(item)[0]["status"] == "accepted"


@pytest.mark.parametrize("announced", [{"sha256": None}, {}])
def test_a_short_read_from_s3_is_no_verdict(owner, bucket, s3_server, announced):
	"""The object is whole; only the reading of it broke off, whether for its checksum or for its type."""
	key = s3_upload(owner, **announced)
	item = attachment(file_id=key)
	requests.request("CUT", f"{s3_server}/5", timeout=30)
	assert refused(owner.send([item]), 503, "unavailable")["retryable"] is True
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", key, "state") == "Pending"
	assert owner.push(item)[0]["status"] == "accepted"


# --- what is left behind


def _back(key, column):
	frappe.db.rollback()
	frappe.db.set_value("Sync Media", key, column, "2020-01-01", update_modified=False)
	frappe.db.commit()


def test_a_used_upload_lies_in_one_place(owner, bucket):
	"""Its upload URL may work for a while, so that its place is emptied only afterwards."""
	key = s3_upload(owner)
	assert owner.push(attachment(file_id=key))[0]["status"] == "accepted"
	collect.run()
	assert sum(key in name for name in s3_names(bucket)) == 2
	_back(key, "used_at")
	assert collect.run()["emptied"] == 1
	(left,) = [name for name in s3_names(bucket) if key in name]
	assert "incoming" not in left and get(download_url(owner, key)).content == PNG
	assert collect.run()["emptied"] == 0


def test_an_outage_leaves_no_object_behind(owner, bucket, s3_server):
	unused, used = s3_upload(owner), s3_upload(owner)
	assert owner.push(attachment(file_id=used))[0]["status"] == "accepted"
	_back(unused, "creation")
	_back(used, "used_at")
	with socket.socket() as closed:
		closed.bind(("127.0.0.1", 0))
		set_s3({"s3_endpoint": f"http://127.0.0.1:{closed.getsockname()[1]}"})
		counts = collect.run()
	assert (counts["emptied"], any(unused in name for name in s3_names(bucket))) == (0, True)
	set_s3({"s3_endpoint": s3_server})
	collect.run()
	names = s3_names(bucket)
	assert not any(unused in name for name in names) and sum(used in name for name in names) == 1
	assert not frappe.db.exists("Sync Media", unused)


# --- without boto3, which Frappe 16 does not bring

HIDDEN = """
import sys
sys.modules["boto3"] = None
import hisabi_sync.api.media, hisabi_sync.api.mobile, hisabi_sync.hisabi_wallet.attachments, hisabi_sync.hisabi_field.rules
from hisabi_sync.media import backends, collect, presign, use
assert "botocore" not in sys.modules
"""


def test_boto3_is_loaded_only_where_s3_is_used(site):
	done = subprocess.run([sys.executable, "-c", HIDDEN], capture_output=True, text=True)
	assert done.returncode == 0, done.stderr[-2000:]


def test_without_boto3_the_desk_says_so_and_calls_are_to_be_repeated(bucket, monkeypatch):
	monkeypatch.setattr(s3, "is_installed", lambda: False)
	settings = frappe.get_single("Sync Settings")
	with pytest.raises(frappe.ValidationError, match="boto3"):
		settings.save()
	with pytest.raises(RequestError) as caught:
		s3.client()
	assert (caught.value.code, caught.value.retryable) == ("unavailable", True)
	frappe.clear_messages()
	monkeypatch.undo()
	monkeypatch.setitem(sys.modules, "boto3", None)
	assert not s3.is_installed()
