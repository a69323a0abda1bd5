"""Bodies, encodings, verbs and paths that are no call: always a 4xx with a code and a sentence, and nothing is applied."""

import gzip
import json

import pytest
import requests

from tests.support.phone import METHOD, account
from tests.wallet.raw import JSON, PUSH, nested, raw, text_of
from tests.wallet.wire import assert_client_error, assert_refused, nothing_applied

DEEP = 10_000


BROKEN = {
	"nothing": b"",
	"a brace": b"{",
	"two bodies": b"{} {}",
	"single quotes": b"{'device_id': 'a'}",
	"a trailing comma": b'{"device_id": "a",}',
	"a text": b'"text"',
	"a number": b"5",
	"null": b"null",
	"true": b"true",
	"a list": b"[]",
	"a list of objects": b'[{"device_id": "a"}]',
	"invalid UTF-8": b'{"device_id": "\xff\xfe"}',
	"half a character": b'{"device_id": "\xd9"}',
	"UTF-16": '{"device_id": "a"}'.encode("utf-16"),
	"a null byte": b'{"device_id": "a"}\x00',
	"a raw control character": b'{"device_id": "a\nb"}',
	"deep lists": nested(DEEP).encode(),
	"deep objects": (b'{"a":' * DEEP) + b"1" + b"}" * DEEP,
	"very deep lists": nested(200_000).encode(),
	"NaN": b'{"device_id": NaN}',
	"not an encoding": b"\x1f\x8b nothing",
	"form text": b"device_id=a&wallet_id=b",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize(
	"method", ["sync.sync_push", "sync.sync_pull", "sync.sync_ack", "sync.sync_op_status"]
)
def test_a_body_that_is_no_json_object_is_refused(shared, name, method):
	error = assert_client_error(raw(shared, BROKEN[name], method))
	assert error["error_code"] in ("invalid_json", "device_id_required"), error
	if name not in ("nothing",):
		assert error["error_code"] == "invalid_json"
		assert error["error"] == "invalid json"


@pytest.mark.parametrize("name", ["a brace", "a list", "NaN", "invalid UTF-8", "deep lists"])
@pytest.mark.parametrize("method", ["devices.login", "devices.register_device"])
def test_a_broken_body_is_refused_at_sign_in_too(shared, name, method):
	assert assert_client_error(raw(shared, BROKEN[name], method))["error_code"] == "invalid_json"


@pytest.mark.parametrize("name", ["a brace", "a list", "invalid UTF-8", "deep lists"])
def test_a_broken_body_without_a_token_is_still_a_4xx(shared, site, name):
	response = requests.post(
		f"{shared.url}{METHOD}{PUSH}",
		data=BROKEN[name],
		headers={"Content-Type": JSON, "X-Frappe-Site-Name": site},
		timeout=30,
	)
	assert_client_error(response)


def test_a_body_of_eleven_megabytes_is_refused(shared):
	with nothing_applied(shared):
		body = text_of(shared, '{"account_name": "' + "x" * 11_000_000 + '"}')
		assert_refused(raw(shared, body.encode()), 413, "body_too_large")


def test_a_gzipped_body_is_read(shared):
	item = json.dumps([account()])
	body = gzip.compress(text_of(shared, items=item).encode())
	response = raw(shared, body, Content_Encoding="gzip")
	assert response.status_code == 200, response.text
	assert response.json()["message"]["results"][0]["status"] == "accepted"


GZIPPED = {
	"no gzip at all": (b"{}", "invalid_encoding"),
	"cut short": (gzip.compress(b'{"device_id": "a"}')[:-12], "invalid_encoding"),
	"a wrong checksum": (gzip.compress(b'{"device_id": "a"}')[:-8] + b"\0" * 8, "invalid_encoding"),
	"broken JSON inside": (gzip.compress(b"{"), "invalid_json"),
	"a list inside": (gzip.compress(b"[]"), "invalid_json"),
	"gzip in gzip": (gzip.compress(gzip.compress(b"{}")), "invalid_json"),
}


@pytest.mark.parametrize("name", GZIPPED)
def test_a_gzipped_body_that_cannot_be_read_is_refused(shared, name):
	data, code = GZIPPED[name]
	assert_refused(raw(shared, data, Content_Encoding="gzip"), 417, code)


def test_a_gzip_bomb_is_refused_before_it_unfolds(shared):
	bomb = gzip.compress(b" " * 200_000_000, 9)
	assert len(bomb) < 500_000
	assert_refused(raw(shared, bomb, Content_Encoding="gzip"), 413, "body_too_large")


@pytest.mark.parametrize("encoding", ["deflate", "br", "nonsense"])
def test_a_body_in_another_encoding_is_refused(shared, encoding):
	with nothing_applied(shared):
		assert_client_error(raw(shared, b"\x78\x9c nothing", Content_Encoding=encoding))


@pytest.mark.parametrize("cmd", ["frappe.ping", "frappe.auth.get_logged_user", "nonsense", 5, ["a"], None])
def test_a_cmd_in_the_body_does_not_lead_elsewhere(shared, cmd):
	response = shared.send([account()], cmd=cmd)
	assert response.status_code == 200, response.text
	assert response.json()["message"]["results"][0]["status"] == "accepted"


@pytest.mark.parametrize(
	"name",
	[
		"_",
		"_form",
		"csrf_token",
		"data",
		"doctype",
		"flags",
		"given",
		"ignore_permissions",
		"return",
		"x-unheard-of",
	],
)
def test_unknown_arguments_are_ignored(shared, name):
	response = shared.send([account()], **{name: {"a": 1}})
	assert response.json()["message"]["results"][0]["status"] == "accepted"


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_push_by_another_verb_than_post_is_a_4xx_and_applies_nothing(shared, verb):
	with nothing_applied(shared):
		body = json.dumps(
			{"device_id": shared.device_id, "wallet_id": shared.wallet_id, "items": [account()]}
		)
		assert_client_error(raw(shared, body.encode(), verb=verb))


def test_a_push_in_a_query_string_is_refused(shared):
	with nothing_applied(shared):
		query = {
			"device_id": shared.device_id,
			"wallet_id": shared.wallet_id,
			"items": json.dumps([account()]),
		}
		response = shared.session.get(f"{shared.url}{METHOD}{PUSH}", params=query, timeout=30)
		assert_client_error(response)


@pytest.mark.parametrize(
	"name", ["sync.nonsense", "sync", "sync._result", "nonsense.sync_push", "sync.sync_push.more"]
)
def test_a_method_that_does_not_exist_is_a_4xx_without_a_trace(shared, name):
	response = shared.call(name, {})
	assert 400 <= response.status_code < 500
	assert "Traceback" not in response.text
