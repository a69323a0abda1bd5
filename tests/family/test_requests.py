"""What a request may look like, and what it may not: a 4xx with a code, or an error of one change."""

import gzip
import json

import frappe
import pytest

from tests.family.app import PATH, change, new_id, task, update, version_of

ONE = {"entity_type": "task", "entity_id": "t", "action": "create", "data": {"title": "x"}, "version": 1}


def without(name):
	return {key: value for key, value in ONE.items() if key != name}


WHOLE = {
	# what is wrong: (body, error code)
	"no changes": ({}, "changes_required"),
	"changes are null": ({"changes": None}, "changes_required"),
	"changes are an object": ({"changes": {}}, "changes_required"),
	"changes are a text": ({"changes": "all"}, "changes_required"),
	"a text in the list": ({"changes": [ONE, "x"]}, "invalid_changes"),
	"a list in the list": ({"changes": [[]]}, "invalid_changes"),
	"no entity type": ({"changes": [without("entity_type")]}, "invalid_changes"),
	"no entity id": ({"changes": [without("entity_id")]}, "invalid_changes"),
	"no action": ({"changes": [without("action")]}, "invalid_changes"),
	"entity id is a number": ({"changes": [{**ONE, "entity_id": 7}]}, "invalid_changes"),
	"entity type is a list": ({"changes": [{**ONE, "entity_type": []}]}, "invalid_changes"),
	"no device": ({"changes": [], "device_id": None}, "device_id_required"),
	"device is a list": ({"changes": [], "device_id": []}, "invalid_argument"),
	"device is long": ({"changes": [], "device_id": "x" * 141}, "invalid_argument"),
	"time is a word": ({"changes": [], "last_sync_at": "yesterday"}, "invalid_argument"),
	"time is an object": ({"changes": [], "last_sync_at": {}}, "invalid_argument"),
	"cursor is a number": ({"changes": [], "cursor": 7}, "invalid_cursor"),
	"atomic is a word": ({"changes": [], "atomic": "perhaps"}, "invalid_argument"),
	"limit is nothing": ({"changes": [], "limit": 0}, "invalid_argument"),
	"limit is a word": ({"changes": [], "limit": "many"}, "invalid_argument"),
}
BAD = {
	# what is wrong: (change, error code)
	"unknown entity type": ({**ONE, "entity_type": "chore"}, "resource_type_unknown"),
	"a wallet's type": ({**ONE, "entity_type": "Hisabi Account"}, "resource_type_unknown"),
	"unknown action": ({**ONE, "action": "upsert"}, "invalid_operation"),
	"blank after the id": ({**ONE, "entity_id": "a "}, "invalid_client_id"),
	"long id": ({**ONE, "entity_id": "x" * 141}, "invalid_client_id"),
	"no data": (without("data"), "payload_must_be_object"),
	"data is a list": ({**ONE, "data": []}, "payload_must_be_object"),
	"data of another record": ({**ONE, "data": {"title": "x", "id": "other"}}, "field_invalid"),
	"data of another family": ({**ONE, "data": {"title": "x", "familyId": "other"}}, "field_invalid"),
	"version is text": ({**ONE, "version": "1"}, "field_invalid"),
	"version is true": ({**ONE, "version": True}, "field_invalid"),
	"version is negative": ({**ONE, "version": -1}, "field_invalid"),
	"time is a word": ({**ONE, "client_timestamp": "now"}, "field_invalid"),
	"time is a number": ({**ONE, "client_timestamp": 7}, "field_invalid"),
	"unknown field": ({**ONE, "data": {"title": "x", "colour": "red"}}, "invalid_field"),
	"no title": ({**ONE, "data": {"status": "open"}}, "missing_required_fields"),
	"wrong type": ({**ONE, "data": {"title": 7}}, "invalid_field_type"),
	"wrong choice": ({**ONE, "data": {"title": "x", "status": "asleep"}}, "invalid_choice"),
	"bad date": ({**ONE, "data": {"title": "x", "due": "tomorrow"}}, "invalid_value"),
	"points below zero": ({**ONE, "data": {"title": "x", "points": -1}}, "invalid_value"),
	"points too large": ({**ONE, "data": {"title": "x", "points": 2**40}}, "invalid_value"),
	"assignees are a text": ({**ONE, "data": {"title": "x", "assignees": "me"}}, "invalid_value"),
	"assignees are numbers": ({**ONE, "data": {"title": "x", "assignees": [7]}}, "invalid_value"),
	"too long": ({**ONE, "data": {"title": "x" * 141}}, "invalid_value"),
	"too large": ({**ONE, "data": {"title": "x", "desc": "x" * 120_000}}, "payload_too_large"),
	"a secret": ({**ONE, "data": {"title": "x", "password": "x"}}, "sensitive_field_not_allowed"),
	"nobody's record": (update("t-none", 1, title="x"), "not_found"),
	"points for nobody": (
		change("create", "p", 1, {"userId": "nobody", "delta": 5}, "points_ledger"),
		"invalid_link",
	),
	"points for no task": (
		change("create", "p", 1, {"userId": "ME", "delta": 5, "taskId": "t-none"}, "points_ledger"),
		"invalid_link",
	),
	"points without a number": (
		change("create", "p", 1, {"userId": "ME"}, "points_ledger"),
		"missing_required_fields",
	),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_malformed_request_is_refused(app, name):
	body, code = WHOLE[name]
	response = app.call({"device_id": app.device_id, "last_sync_at": None, **body})
	assert response.status_code == 400, response.text
	said = response.json()
	assert said["error_code"] == code and said["retryable"] is False and said["message"]


@pytest.mark.parametrize(
	"raw", [b"", b"{", b"[]", b'{"changes": [NaN]}', b'{"changes": "\xff"}', b'{"a": "\\ud800"}', b"[" * 5000]
)
def test_a_broken_body_is_refused(app, raw):
	response = app.session.post(
		f"{app.url}{PATH}", data=raw, headers={"Content-Type": "application/json"}, timeout=30
	)
	assert response.status_code == 400, response.text
	assert response.json()["error_code"] in ("invalid_json", "device_id_required", "changes_required")


def test_every_second_change_is_bad_in_another_way(app, parent):
	changes = []
	for bad, _ in BAD.values():
		bad = json.loads(json.dumps(bad).replace('"ME"', json.dumps(parent)))
		if bad["entity_id"] in ("t", "p"):
			bad["entity_id"] = new_id("bad")
		changes += [bad, task()]
	answer = app.sync(*changes)
	assert (answer["applied_count"], answer["error_count"]) == (len(BAD), len(BAD))
	assert [error["index"] for error in answer["errors"]] == list(range(0, 2 * len(BAD), 2))
	for (name, (_, code)), error in zip(BAD.items(), answer["errors"], strict=True):
		assert error["code"] == code, (name, error)
		assert error["message"] and error["retryable"] is False, (name, error)
	assert len(app.all("task")) == len(BAD)


def test_five_hundred_changes_and_no_more(app):
	changes = [task() for _ in range(501)]
	response = app.send(*changes)
	assert (response.status_code, response.json()["error_code"]) == (413, "too_many_items")
	assert response.json()["limit"] == 500
	answer = app.sync(*changes[:500])
	assert (answer["applied_count"], len(answer["server_changes"])) == (500, 500)


def test_gzip_both_ways(app):
	changes = [task(desc="long " * 50) for _ in range(20)]
	body = json.dumps({"device_id": app.device_id, "changes": changes}).encode()
	headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
	response = app.session.post(f"{app.url}{PATH}", data=gzip.compress(body), headers=headers, timeout=30)
	assert response.status_code == 200, response.text
	assert response.headers["Content-Encoding"] == "gzip" and response.json()["applied_count"] == 20
	bomb = gzip.compress(b" " * 20_000_000)
	response = app.session.post(f"{app.url}{PATH}", data=bomb, headers=headers, timeout=30)
	assert response.status_code == 413


def test_other_methods_and_paths_are_refused(app):
	response = app.session.get(f"{app.url}{PATH}", timeout=30)
	assert (response.status_code, response.json()["error_code"]) == (405, "method_not_allowed")
	assert app.session.post(f"{app.url}{PATH}/x", json={}, timeout=30).status_code == 404


def test_a_dry_run_changes_nothing(app):
	created = task()
	answer = app.sync(created, dry_run=True)
	assert (answer["success"], answer["applied_count"]) == (True, 1)
	assert answer["server_changes"] == [] and version_of(app, created["entity_id"]) is None
	assert not frappe.db.exists("Sync Device", {"device_id": app.device_id})
	assert app.sync(created)["applied_count"] == 1


def test_only_changed_fields_need_to_be_sent(app, other):
	created = task(title="A", desc="B", points=3, category="home", due="2026-12-01T10:00:00Z")
	app.sync(created)
	other.sync(update(created["entity_id"], 1, category="garden"))
	shown = other.held["task", created["entity_id"]]
	expected = {"title": "A", "desc": "B", "points": 3, "category": "garden", "version": 2}
	assert expected.items() <= shown.items() and shown["due"] == "2026-12-01T10:00:00.000000Z"


def test_the_same_change_sent_again_is_applied_once(app, other):
	created = task(title="A")
	edit = update(created["entity_id"], 1, title="B")
	for _ in range(3):
		assert app.sync(created, created, edit, edit)["applied_count"] == 4
	assert version_of(app, created["entity_id"]) == 2


def test_what_only_the_server_sets_is_ignored_and_named(app):
	created = task(createdAt="2025-11-11T12:00:00Z", version=7, familyId=app.family, completedBy="me")
	answer = app.sync(created)
	assert answer["success"] is True
	assert set(answer["ignored"][0]["fields"]) == {"createdAt", "version", "familyId", "completedBy"}


def test_markup_is_a_text_that_no_page_runs(app):
	created = task(title="<script>alert(1)</script>Hi", desc='<img src=x onerror="alert(1)">')
	app.sync(created)
	shown = app.held["task", created["entity_id"]]
	assert {name: shown[name] for name in ("title", "desc")} == {
		name: created["data"][name] for name in ("title", "desc")
	}
	doc = frappe.get_doc("Family Task", {"client_id": created["entity_id"]})
	assert "<script" not in doc.title and "<img" not in doc.details


# --- priority


def order_of(app, *changes):
	answer = app.sync(*changes)
	assert answer["success"] is True, answer
	return [
		c["entity_id"].partition("-")[0]
		for c in answer["server_changes"]
		if c["entity_type"] in ("task", "points_ledger")
	]


def test_urgent_changes_come_first(app):
	given = [("c", "low"), ("b", None), ("a", "high"), ("d", "low")]
	changes = [{**task(new_id(name)), "priority": urgency} for name, urgency in given]
	assert order_of(app, *changes) == ["a", "b", "c", "d"]


def test_priority_breaks_no_dependency(app, parent):
	"""An urgent line of the ledger waits for the task that it names, an urgent edit for the create."""
	target = new_id("target")
	data = {"userId": parent, "delta": 1, "taskId": target}
	line = {**change("create", new_id("line"), 1, data, "points_ledger"), "priority": "high"}
	edit = {**update(target, 1, title="Edited"), "priority": 5}
	assert order_of(app, task(new_id("plain")), line, task(target), edit) == ["target", "line", "plain"]
	assert app.held["task", target]["title"] == "Edited"
