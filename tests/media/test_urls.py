"""Signed URLs: an altered, expired, stolen or reused one is a 403 with a code."""

import threading
from urllib.parse import urlsplit

import frappe
import pytest
import requests

from hisabi_sync.engine.identity import devices
from hisabi_sync.hisabi_wallet import members
from hisabi_sync.media import signing
from tests.media.uploads import (
	PNG,
	SITE,
	altered,
	argument,
	ask,
	attachment,
	download_url,
	get,
	presign,
	put,
	refused,
	token,
	upload,
)

ARGUMENTS = ("key", "expires", "holder", "device", "nonce", "signature")


def test_presign_says_how_to_upload(owner):
	signed = presign(owner)
	assert signed["method"] == "PUT" and signed["expires_in"] == 900 and signed["max_bytes"] == len(PNG)
	assert signed["headers"] == {"Content-Type": "image/png"} and signed["part_bytes"] == 512 * 1024
	assert signed["upload_url"].startswith(owner.url) and signed["key"] in signed["upload_url"]


def test_what_was_uploaded_is_what_is_downloaded(owner, family):
	key = upload(owner, filename="../../a b\\صورة.png")
	assert owner.push(attachment(file_id=key))[0]["status"] == "accepted"
	answer = get(download_url(family["viewer"], key))
	assert answer.status_code == 200 and answer.content == PNG
	assert answer.headers["Content-Type"] == "image/png"
	assert answer.headers["Content-Disposition"].startswith("attachment;")
	assert answer.headers["X-Content-Type-Options"] == "nosniff"
	assert (
		".." not in answer.headers["Content-Disposition"] and "/" not in answer.headers["Content-Disposition"]
	)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_altered_upload_url_is_refused(owner, name):
	url = presign(owner)["upload_url"]
	was = argument(url, name)
	other = str(int(was) + 60) if name == "expires" else was[:-1] + ("0" if was[-1] != "0" else "1")
	for value in (other, "", None, "x" * 500, was + "\n"):
		refused(put(altered(url, **{name: value}), PNG), 403, "url_invalid")
	assert put(url, PNG).status_code == 200


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_altered_download_url_is_refused(owner, name):
	url = download_url(owner, upload(owner))
	refused(get(altered(url, **{name: argument(url, name) + "1"})), 403, "url_invalid")
	assert get(url).status_code == 200


def test_a_signature_is_for_one_verb(owner):
	key = upload(owner)
	open_url, down = presign(owner)["upload_url"], download_url(owner, key)
	assert urlsplit(open_url).path != urlsplit(down).path
	refused(get(open_url.replace("media.upload", "media.download")), 403, "url_invalid")
	refused(put(down.replace("media.download", "media.upload"), PNG), 403, "url_invalid")


def _expired(verb, phone, url):
	key, device = argument(url, "key"), argument(url, "device")
	query = urlsplit(signing.url(verb, key, phone.user, device, -1)).query
	return urlsplit(url)._replace(query=query).geturl()


def test_an_expired_url_is_refused(owner):
	url = presign(owner)["upload_url"]
	refused(put(_expired("PUT", owner, url), PNG), 403, "url_expired")
	assert put(url, PNG).status_code == 200
	url = download_url(owner, argument(url, "key"))
	refused(get(_expired("GET", owner, url)), 403, "url_expired")


def test_a_reused_upload_url_is_refused(owner):
	url = presign(owner)["upload_url"]
	assert put(url, PNG).json()["message"]["state"] == "uploaded"
	assert refused(put(url, PNG), 403, "url_used")["state"] == "uploaded"


def test_an_upload_url_is_used_after_a_refused_body_too(owner):
	url = presign(owner)["upload_url"]
	refused(put(url, PNG[:-1] + b"x"), 417, "media_checksum_mismatch")
	refused(put(url, PNG), 403, "url_used")


def test_of_many_uploads_at_once_one_is_taken(owner):
	url, answers = presign(owner)["upload_url"], []
	threads = [threading.Thread(target=lambda: answers.append(put(url, PNG).status_code)) for _ in range(6)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert sorted(answers) == [200, 403, 403, 403, 403, 403]


def test_a_reused_download_url_is_refused(owner):
	url = download_url(owner, upload(owner))
	assert get(url, {"Range": "bytes=0-"}).status_code == 206
	refused(get(url), 403, "url_used")
	refused(get(url, {"Range": "bytes=5-"}), 403, "url_used")


def test_its_holder_goes_on_with_a_broken_download(owner, family):
	url = download_url(owner, upload(owner))
	assert get(url, token(owner)).status_code == 200
	rest = get(url, {"Range": "bytes=10-", **token(owner)})
	assert rest.status_code == 206 and rest.content == PNG[10:]
	refused(get(url, {"Range": "bytes=9999-", **token(owner)}), 416, "range_not_satisfiable")
	refused(get(url, {"Range": "bytes=10-", **token(family["member"])}), 403, "url_not_yours")
	refused(get(url, token(owner)), 403, "url_used")


def test_a_stolen_url_is_refused(owner, family):
	url = presign(owner)["upload_url"]
	for thief in ("member", "viewer", "stranger"):
		refused(put(url, PNG, token(family[thief])), 403, "url_not_yours")
	assert put(url, PNG, token(owner)).status_code == 200
	url = download_url(owner, argument(url, "key"))
	refused(get(url, token(family["stranger"])), 403, "url_not_yours")
	assert get(url, token(owner)).content == PNG


def test_a_url_ends_with_the_membership(make_family):
	member = make_family()["member"]
	pending, down = presign(member)["upload_url"], download_url(member, upload(member))
	members.change(member.wallet_id, "owner", member.user, status="removed")
	frappe.db.commit()
	refused(put(pending, PNG), 403, "wallet_access_denied")
	refused(get(down), 403, "wallet_access_denied")


def test_a_url_ends_with_the_device(make_family):
	owner = make_family()["owner"]
	pending, down = presign(owner)["upload_url"], download_url(owner, upload(owner))
	devices.revoke(argument(down, "device"), "revoked_by_user")
	frappe.db.commit()
	refused(put(pending, PNG), 403, "url_not_yours")
	refused(get(down), 403, "url_not_yours")


def test_who_may_ask_for_a_url(owner, family):
	refused(ask(family["viewer"]), 403, "wallet_read_only")
	refused(ask(family["stranger"], wallet_id=owner.wallet_id), 403, "wallet_access_denied")
	refused(ask(family["stranger"], wallet_id="no-such-wallet"), 403, "wallet_access_denied")
	bare = requests.post(
		f"{owner.url}/api/method/hisabi_sync.api.media.presign", headers={"X-Frappe-Site-Name": SITE}
	)
	refused(bare, 401, "not_authenticated")


def test_a_stranger_cannot_tell_whether_a_key_exists(owner, family):
	key = upload(owner)
	answers = [family["stranger"].call("media.download_url", {"key": k}) for k in (key, key[::-1])]
	assert [refused(answer, 403, "wallet_access_denied") for answer in answers][0] == answers[1].json()
	pending = presign(owner)["key"]
	refused(owner.call("media.download_url", {"key": pending}), 404, "not_found")


def test_frappes_own_urls_do_not_reach_the_files(owner):
	key = upload(owner)
	for path in (
		f"private/files/hisabi_sync_media/{key[:2]}/{key}",
		f"files/hisabi_sync_media/{key[:2]}/{key}",
	):
		assert get(f"{owner.url}/{path}").status_code in (403, 404)
