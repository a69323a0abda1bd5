"""Requests that are wrong as a whole: a 4xx with a code, a sentence and `retryable`, never a 5xx."""

import json

import frappe
import pytest
import requests

from tests.mobile.app import PATHS, meter

JSON = "application/json"


def refused(response, status, code):
	assert response.status_code == status, (response.status_code, response.text[:300])
	body = response.json()
	assert body["error_code"] == code and body["retryable"] is False, body
	assert body["error"] and body["message"] and "Traceback" not in response.text
	return body


def raw(app, text, path="sync/push", **headers):
	return app.session.post(
		app.url + PATHS + path, data=text, headers={"Content-Type": JSON, **headers}, timeout=30
	)


@pytest.mark.parametrize(
	("body", "code"),
	[
		("{", "invalid_json"),
		("[]", "invalid_json"),
		('{"items": [NaN]}', "invalid_json"),
		('{"device_id": "\\ud800"}', "invalid_json"),
		('{"items": ' + "[" * 40 + "]" * 40 + "}", "invalid_json"),
		("{}", "items_required"),
		('{"items": {}}', "items_must_be_a_list"),
		('{"items": ["x"]}', "item_must_be_an_object"),
		('{"items": [], "device_id": 5}', "invalid_argument"),
		('{"items": [], "tenant_id": []}', "invalid_argument"),
		('{"items": [], "client_sync_token": {}}', "invalid_argument"),
		('{"items": [], "atomic": "perhaps"}', "invalid_argument"),
	],
)
def test_malformed_pushes(app, body, code):
	refused(raw(app, body), 400, code)


@pytest.mark.parametrize("path", ["sync/pull", "sync/ack", "conflicts/x/resolve", "media/presign"])
def test_broken_json_everywhere(app, path):
	refused(raw(app, "{", path), 400, "invalid_json")


def test_too_many_items(app):
	body = refused(app.send(*[meter() for _ in range(51)]), 413, "too_many_items")
	assert body["limit"] == 50 and "50" in body["message"]


def test_the_limit_is_a_setting(app):
	frappe.db.set_single_value("Sync Settings", "max_mobile_items", 2)
	frappe.db.commit()
	try:
		assert refused(app.send(*[meter() for _ in range(3)]), 413, "too_many_items")["limit"] == 2
	finally:
		frappe.db.set_single_value("Sync Settings", "max_mobile_items", 50)
		frappe.db.commit()


def test_a_token_that_nobody_knows_does_not_break_a_push(app):
	assert app.push(meter(), client_sync_token="tok_20251203_123")[0]["status"] == "ok"


@pytest.mark.parametrize("token", ["tok_20251203_999", "%%%", "A" * 55, "x" * 200, 7, {}])
def test_forged_tokens(app, token):
	refused(app.call("sync/pull", {"since_token": token}), 400, "invalid_cursor")
	refused(app.call("sync/ack", {"ack_token": token}), 400, "invalid_cursor")


def test_tokens_of_another_tenant(app, stranger):
	_, token = stranger.pull()
	refused(app.call("sync/pull", {"since_token": token}), 400, "invalid_cursor")


def test_an_old_token_of_another_device_is_a_forged_one(documented, app):
	refused(app.call("sync/pull", {"since_token": "tok_20251203_123"}), 400, "invalid_cursor")


def test_ack_wants_a_token(app):
	refused(app.call("sync/ack", {}), 400, "invalid_argument")


def test_unknown_paths_and_methods(app):
	refused(app.call("sync/nothing"), 404, "not_found")
	refused(app.session.get(app.url + PATHS + "sync/pull", timeout=30), 405, "method_not_allowed")


def test_credentials(app, server, site):
	def send(token):
		headers = {"X-Frappe-Site-Name": site, **({"Authorization": token} if token else {})}
		return requests.post(server.url + PATHS + "sync/pull", json={}, headers=headers, timeout=30)

	refused(send(None), 401, "not_authenticated")
	refused(send("Bearer hsd_none_none"), 401, "invalid_token")
	refused(app.send(meter(), device_id="another"), 401, "device_mismatch")


def test_gzipped_requests(app):
	import gzip

	body = gzip.compress(json.dumps({"device_id": app.device_id, "items": [meter()]}).encode())
	response = raw(app, body, **{"Content-Encoding": "gzip"})
	assert response.status_code == 200, response.text
	assert response.json()["results"][0]["status"] == "ok"


def test_sentences_in_arabic(app):
	response = app.call("sync/pull", {"since_token": "x"}, headers={"Accept-Language": "ar"})
	assert any("\u0600" <= letter <= "\u06ff" for letter in response.json()["message"])
	(result,) = app.call(
		"sync/push",
		{"device_id": app.device_id, "items": [{**meter(), "action": "upsert"}]},
		headers={"Accept-Language": "ar"},
	).json()["results"]
	assert any("\u0600" <= letter <= "\u06ff" for letter in result["error"])
