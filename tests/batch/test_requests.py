"""Calls that are wrong as a whole: a 4xx in the contract's error shape, never a 5xx, and nothing applied."""

import gzip
import json

import frappe
import pytest
import requests

from tests.batch.app import PATH, new_farm, observation
from tests.batch.test_idempotency import refused
from tests.support.phone import new_id

SOME = new_id("sync")


def raw(app, text, path=PATH, **headers):
	return app.session.post(
		app.url + path, data=text, headers={"Content-Type": "application/json", **headers}, timeout=30
	)


@pytest.mark.parametrize(
	("body", "status", "code"),
	[
		("{", 400, "invalid_json"),
		("[]", 400, "invalid_json"),
		('{"syncId": NaN}', 400, "invalid_json"),
		('{"syncId": "\\ud800"}', 400, "invalid_json"),
		('{"syncId": "x", "upserts": ' + "[" * 90 + "]" * 90 + "}", 400, "invalid_json"),
		("{}", 422, "sync_id_required"),
		('{"syncId": ""}', 422, "sync_id_required"),
		('{"syncId": 5}', 422, "invalid_argument"),
		('{"syncId": "x", "requestedAt": "yesterday"}', 422, "invalid_argument"),
		('{"syncId": "x", "device": []}', 422, "invalid_argument"),
		('{"syncId": "x", "device": {"deviceId": 5}}', 422, "invalid_argument"),
		('{"syncId": "x", "device": {"model": {}}}', 422, "invalid_argument"),
		('{"syncId": "x", "upserts": []}', 422, "invalid_argument"),
		('{"syncId": "x", "upserts": {"observations": {}}}', 422, "items_must_be_a_list"),
		('{"syncId": "x", "upserts": {"observations": ["x"]}}', 422, "item_must_be_an_object"),
		('{"syncId": "x", "upserts": {"observations": [{}]}}', 422, "invalid_argument"),
		('{"syncId": "x", "upserts": {"observations": [{"observationId": 5}]}}', 422, "invalid_argument"),
		('{"syncId": "x", "upserts": {"weather": [{}]}}', 422, "unsupported_entity_type"),
		('{"syncId": "x", "lastKnownServerCursor": {}}', 422, "invalid_cursor"),
		('{"syncId": "x", "lastKnownServerCursor": "forged"}', 422, "invalid_cursor"),
		('{"syncId": "x", "farmId": []}', 422, "invalid_argument"),
		('{"syncId": "x", "farmId": "no-such-farm"}', 403, "space_access_denied"),
		('{"syncId": "x", "limit": -1}', 422, "invalid_argument"),
		('{"syncId": "x", "dryRun": "perhaps"}', 422, "invalid_argument"),
	],
)
def test_malformed_calls(app, body, status, code):
	refused(raw(app, body), status, code)


def test_the_place_of_a_mistake_is_named(app):
	body = app.body([observation(), {"notes": "no id"}])
	error = refused(app.post(body), 422, "invalid_argument")
	assert error["details"] == {"argument": "upserts.observations[1].observationId"}


@pytest.mark.parametrize(
	"record",
	[
		{"observationId": "a "},
		{"observationId": "x", "updatedAt": "yesterday"},
		{"observationId": "x", "updatedAt": 5},
		{"observationId": "x", "serverVersion": "one"},
		{"observationId": "x", "serverVersion": [1]},
		{"observationId": "x", "serverVersion": 1, "version": 2},
		{"observationId": "x", "serverVersion": 99},
		{"observationId": "x", "notes": ["a"]},
		{"observationId": "x", "photos": "[["},
		{"observationId": "x", "playbookId": "no-such"},
		{"observationId": "x", "status": "approved"},
		{"observationId": "x", "name": "another", "notes": "y" * 70000},
		{"observationId": "x", "notes": "y" * 200_000},
		{"observationId": "x", "farm": "another"},
		{"observationId": "x", "corrections": {}, "password": "x"},
	],
)
def test_malformed_records_are_conflicts_with_words(app, record):
	app.sync([observation("x", notes="there")]) if "serverVersion" in record else None
	(conflict,) = app.sync([record])["conflicts"]
	assert conflict["reason"] and conflict["code"] != "internal_error", conflict


def test_what_only_the_server_sets_is_ignored_and_named(app):
	answer = app.sync([{**observation("served"), "is_deleted": 1}])
	(accepted,) = answer["accepted"]
	assert (answer["conflicts"], "is_deleted" in accepted["ignored"]) == ([], True)


def test_too_many_records(app):
	frappe.db.set_single_value("Sync Settings", "max_batch_items", 2)
	frappe.db.commit()
	try:
		error = refused(app.post(app.body([observation() for _ in range(3)])), 413, "too_many_items")
		assert error["details"] == {"limit": 2} and "2" in error["message"]
	finally:
		frappe.db.set_single_value("Sync Settings", "max_batch_items", 200)
		frappe.db.commit()


def test_too_much(app):
	frappe.db.set_single_value("Sync Settings", "max_body_kib", 1)
	frappe.db.commit()
	try:
		refused(app.post(app.body([observation(notes="x" * 2000)])), 413, "body_too_large")
	finally:
		frappe.db.set_single_value("Sync Settings", "max_body_kib", 8192)
		frappe.db.commit()


def test_too_often(app):
	frappe.db.set_single_value("Sync Settings", "batch_calls", 2)
	frappe.db.commit()
	try:
		for _ in range(2):
			assert app.post(app.body()).status_code == 200
		response = app.post(app.body())
		refused(response, 429, "rate_limited", retryable=True)
		assert int(response.headers["Retry-After"]) > 0
	finally:
		frappe.db.set_single_value("Sync Settings", "batch_calls", 9000)
		frappe.db.commit()


def test_when_locks_are_held_too_long(app, little_patience):
	"""503, and nothing is applied; the same call goes through afterwards."""
	body = app.body([observation()])
	frappe.db.sql("SELECT sequence FROM `tabSync Space` WHERE name = %s FOR UPDATE", (app.space,))
	try:
		response = app.post(body)
	finally:
		frappe.db.rollback()
	refused(response, 503, "unavailable", retryable=True)
	assert response.headers["Retry-After"]
	assert app.post(body).json()["acceptedCounts"]["observations"] == 1


def test_credentials(app, server, site):
	def send(**headers):
		headers["X-Frappe-Site-Name"] = site
		return requests.post(server.url + PATH, json=app.body(), headers=headers, timeout=30)

	refused(send(), 401, "not_authenticated")
	refused(send(**{"X-Device-Token": "hsd_none_none"}), 401, "invalid_token")
	assert send(**{"X-Device-Token": app.token}).status_code == 200
	assert send(Authorization=f"Bearer {app.token}").status_code == 200
	refused(app.post(app.body(device={"deviceId": "another"})), 401, "device_mismatch")


def test_other_farms_and_unknown_ones_are_answered_alike(app):
	foreign, unknown = (app.post(app.body(farmId=farm)).json() for farm in (new_farm(), "no-such"))
	assert foreign == unknown and foreign["error"]["code"] == "space_access_denied"


def test_a_cursor_of_another_farm(app, server, site, people):
	from tests.batch.app import new_app

	elsewhere = new_app(server, site, new_farm(), user=people["owner"])
	refused(app.post(app.body(lastKnownServerCursor=elsewhere.sync()["serverCursor"])), 422, "invalid_cursor")


def test_a_position_that_is_too_old(app):
	app.sync([observation()])
	frappe.db.set_value("Sync Space", app.space, "horizon", 10**6)
	frappe.db.commit()
	try:
		obs = observation()
		refused(app.post(app.body([obs])), 409, "resync_required")
		frappe.db.rollback()
		assert not frappe.db.exists("Field Observation", {"client_id": obs["observationId"]})
	finally:
		frappe.db.set_value("Sync Space", app.space, "horizon", 0)
		frappe.db.commit()


def test_records_of_another_farm_cannot_be_reached(app, server, site):
	from tests.batch.app import new_app

	stranger = new_app(server, site, new_farm())
	obs = observation(notes="theirs", status="confirmed")
	stranger.sync([obs])
	mine = {"observationId": obs["observationId"], "notes": "mine"}
	assert app.sync([mine])["accepted"][0]["serverVersion"] == 1, "the same id is another record here"
	fix = observation(correctionOf="only-there", correctionReason="x")
	stranger.sync([observation("only-there", status="confirmed")])
	(conflict,) = app.sync([fix])["conflicts"]
	assert conflict["code"] == "invalid_link"
	stranger.cursor = None
	assert stranger.rest()[obs["observationId"]]["notes"] == "theirs"


def test_markup_is_made_harmless(app):
	obs = observation(notes="<script>alert(1)</script>seen", crop="<img src=x onerror=alert(1)>")
	app.sync([obs])
	doc = frappe.get_doc("Field Observation", {"client_id": obs["observationId"]})
	assert "<script" not in doc.notes and "<img" not in doc.crop


def test_unknown_paths_and_methods(app):
	refused(app.session.post(app.url + "/v1/sync/nothing", timeout=30), 404, "not_found")
	refused(app.session.get(app.url + PATH, timeout=30), 405, "method_not_allowed")


def test_the_method_answers_in_frappes_way(app):
	response = app.post(app.body(), path="/api/method/hisabi_sync.api.batch.sync")
	assert response.status_code == 200 and "serverCursor" in response.json()["message"]


def test_compressed_both_ways(app):
	body = gzip.compress(json.dumps(app.body([observation(notes="n" * 2000)])).encode())
	response = raw(app, body, **{"Content-Encoding": "gzip", "Accept-Encoding": "gzip"})
	assert response.status_code == 200 and response.json()["acceptedCounts"]["observations"] == 1


def test_sentences_in_arabic(app):
	headers = {"Accept-Language": "ar"}
	error = app.post(app.body(lastKnownServerCursor="x"), headers=headers).json()["error"]
	(conflict,) = app.post(app.body([observation(severity="odd")]), headers=headers).json()["conflicts"]
	for text in (error["message"], conflict["reason"]):
		assert any("\u0600" <= letter <= "\u06ff" for letter in text), text
