"""Nobody gets past the walls by this contract: other people's spaces, forged cursors, hostile values, endless lists."""

import json

import frappe
import frappe.share
import pytest

from tests.sharing.world import VISIT, delete, document, region, user
from tests.site.app import create, update
from tests.site.app import delete as removal
from tests.support.phone import new_id
from tests.walls.hostile import LARGE, NUMBERS, TEXTS

FIELDS = (
	"op_id",
	"type",
	"id",
	"op",
	"values",
	"base_version",
	"base_values",
	"action",
	"args",
	"then",
	"resolves",
)


def test_records_of_others_are_neither_seen_nor_changed(rep):
	mine, theirs = rep(region()), rep(there := region())
	doc = document(VISIT, note="theirs", region=there)
	(space,) = [one["space"] for one in theirs.page()["spaces"]["joined"]]
	assert mine.pull() == []
	changes = [
		update(VISIT, doc.name, 1, note="x"),
		update(VISIT, doc.name, 1, note="x", space=space),
		removal(VISIT, doc.name, 1),
		create(VISIT, note="x", region=there),
		create(VISIT, note="x", space=space),
	]
	results = mine.push(*changes)
	assert [one["code"] for one in results] == [
		"not_found",
		"space_access_denied",
		"not_found",
		"space_access_denied",
		"space_access_denied",
	]
	assert "theirs" not in json.dumps(results)
	frappe.db.rollback()
	assert frappe.db.count(VISIT, {"region": there}) == 1


def test_results_of_others_are_nobodys_business(rep):
	mine, theirs = rep(region()), rep(region())
	sent = create(VISIT, note="x")
	theirs.push(sent)
	assert mine.call("status", {"op_ids": [sent["op_id"]]}).json()["results"][0]["status"] == "missing"
	(own,) = mine.push(sent)
	assert own["status"] == "accepted" and "already_applied" not in own


def test_a_conflict_of_a_space_that_was_left_is_not_shown(rep):
	device = rep(north := region())
	doc = document(VISIT, note="old", region=north)
	doc.note = "office"
	doc.save()
	frappe.db.commit()
	(lost,) = device.push(update(VISIT, doc.name, 1, note="road"))
	assert lost["status"] == "conflict"
	delete(device.rows[north])
	assert device.get("conflicts").json()["items"] == []
	(again,) = device.push(update(VISIT, doc.name, 1, note="road") | {"op_id": lost["op_id"]})
	assert "office" not in json.dumps(again)
	(status,) = device.call("status", {"op_ids": [lost["op_id"]]}).json()["results"]
	assert "office" not in json.dumps(status)


@pytest.mark.parametrize(
	"cursor",
	["x", "AA" * 100, "A" * 4096, "A" * 4097, "A" * 100_000, 5, ["x"], {"a": 1}, "\0", "é"],
	ids=repr,
)
def test_forged_cursors(rep, cursor):
	device = rep(region())
	for path in ("pull", "ack"):
		answer = device.call(path, {"cursor": cursor})
		assert answer.status_code == 400 and answer.json()["error_code"] in (
			"invalid_cursor",
			"invalid_argument",
		)


def test_a_cursor_of_a_space_is_none_of_all_spaces(rep, phone):
	device = rep(region())
	phone.pull()
	assert device.call("pull", {"cursor": phone.cursor}).json()["error_code"] == "invalid_cursor"


@pytest.mark.parametrize("name", FIELDS)
def test_hostile_values_in_every_field_cost_their_item_alone(rep, name):
	device = rep(region())
	values = [value for value in (*TEXTS, *NUMBERS, *LARGE, None, True) if _is_json(value)]
	for start in range(0, len(values), 20):
		part = values[start : start + 20]
		odd = [
			{**update(VISIT, new_id("x"), 1, note="y"), "op_id": new_id("op"), name: value} for value in part
		]
		results = device.push(*odd, good := create(VISIT, note="good"))
		assert len(results) == len(odd) + 1
		assert results[-1]["status"] == "accepted" and results[-1]["op_id"] == good["op_id"]
		assert all(one["code"] for one in results[:-1] if one["status"] == "error")
	assert not frappe.db.count("Error Log", {"method": ["like", "Hisabi Sync: an item could not be read%"]})


def _is_json(value):
	try:
		return len(json.dumps(value)) < 90_000
	except (ValueError, RecursionError):
		return False


@pytest.mark.parametrize(
	("path", "body", "status", "code"),
	[
		("push", {"changes": [{}] * 201}, 413, "too_many_items"),
		("push", {"changes": ["x"]}, 400, "item_must_be_an_object"),
		("push", {"changes": {"a": 1}}, 400, "items_must_be_a_list"),
		("push", {}, 400, "items_required"),
		("status", {"op_ids": ["x"] * 501}, 400, "invalid_argument"),
		("status", {"op_ids": [1]}, 400, "invalid_argument"),
		("pull", {"types": ["no such type"]}, 400, "unsupported_entity_type"),
		("pull", {"types": ["x"] * 10_000}, 400, "invalid_argument"),
		("pull", {"fields": {"no such type": ["x"]}}, 400, "invalid_argument"),
		("pull", {"fields": {"meter": "x"}}, 400, "invalid_argument"),
		("pull", {"fields": {"meter": ["x"] * 1000}}, 400, "invalid_argument"),
		("pull", {"limit": 0}, 400, "invalid_argument"),
		(
			"media/presign",
			{"filename": "a.png", "content_type": "image/png", "space": "x"},
			403,
			"space_access_denied",
		),
	],
)
def test_what_is_no_request(rep, path, body, status, code):
	answer = rep(region()).call(path, body)
	assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text[:300]


def test_fields_that_a_user_may_not_read_do_not_come_by_their_names(rep):
	device = rep(north := region())
	document(VISIT, note="n", region=north)
	(found,) = device.pull(fields={VISIT: ["owner", "modified_by", "region", "note"]})
	assert found["values"] == {"note": "n"}


def test_leaving_a_space_names_nothing_that_the_user_could_not_read_there(rep):
	device = rep(north := region(), person=user("Hisabi User"))
	shown, hidden = (document(VISIT, note="x", region=north) for _ in range(2))
	frappe.share.add(VISIT, shown.name, device.user, read=1)
	frappe.db.commit()
	assert [one["id"] for one in device.pull()] == [shown.name]
	delete(device.rows[north])
	gone = device.pull()
	assert [(one["id"], one["reason"]) for one in gone] == [(shown.name, "left")]
	assert hidden.name not in json.dumps(device.pages)
