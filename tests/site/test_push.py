"""One push for all spaces: changes find theirs by themselves, results stay in order, and everything happens once."""

import frappe
import pytest

from hisabi_sync.engine import routing
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.paths import Step
from hisabi_sync.engine.sharing import spaces
from tests.mobile.app import join, new_tenant
from tests.sharing.world import REP, VISIT, change, delete, document, region
from tests.site import app
from tests.site.app import create, new_device, update
from tests.support.phone import new_id


def note(name):
	frappe.db.rollback()
	return frappe.db.get_value(VISIT, name, "note")


@pytest.fixture
def two(rep):
	"""A rep in two regions: (device, the first region, the second)."""
	north, south = region(), region()
	return rep(north, south), north, south


def space(device, key):
	return next(
		one["space"] for one in device.call("login", {}).json().get("spaces", ()) if one["key"] == key
	)


def space_of(kind, key):
	return ids.space(kind, key)


def test_changes_of_several_spaces_are_answered_in_their_order(two, sales):
	device, north, south = two
	docs = [document(VISIT, note="old", region=place) for place in (south, north, south)]
	results = device.push(*(update(VISIT, doc.name, 1, note=f"new {n}") for n, doc in enumerate(docs)))
	assert [(one["id"], one["status"], one["version"]) for one in results] == [
		(doc.name, "accepted", 2) for doc in docs
	]
	assert [one["space"] for one in results] == [space_of(sales, place) for place in (south, north, south)]
	assert [note(doc.name) for doc in docs] == ["new 0", "new 1", "new 2"]


def test_a_new_document_says_where_it_belongs_or_the_change_does(two, sales):
	device, north, south = two
	by_value = create(VISIT, note="a", region=north)
	by_space = create(VISIT, note="b", space=space_of(sales, south))
	neither, foreign = create(VISIT, note="c"), create(VISIT, note="d", region=region())
	results = device.push(by_value, by_space, neither, foreign)
	assert [one["status"] for one in results] == ["accepted", "accepted", "error", "error"], results
	assert [one.get("code") for one in results[2:]] == ["space_required", "space_access_denied"]
	assert frappe.db.get_value(VISIT, results[0]["name"], "region") == north
	assert frappe.db.get_value(VISIT, results[1]["name"], "region") == south


def test_with_one_space_of_a_kind_nothing_has_to_be_said(rep):
	device = rep(north := region())
	(made,) = device.push(create(VISIT, note="x"))
	assert made["status"] == "accepted", made
	assert frappe.db.get_value(VISIT, made["name"], "region") == north


def test_a_repeat_in_other_groups_gets_the_first_answers(two):
	device, north, south = two
	changes = [create(VISIT, note=f"{n}", region=place) for n, place in enumerate((north, south, north))]
	first = device.push(*changes)
	again = device.push(*reversed(changes))
	assert [one["already_applied"] for one in again] == [True] * 3
	assert [one["version"] for one in again] == [1, 1, 1]
	assert {one["name"] for one in first} == {one["name"] for one in again}
	(single,) = device.push(changes[1])
	assert single["already_applied"] and single["name"] == first[1]["name"]
	assert frappe.db.count(VISIT, {"name": ["in", [one["name"] for one in first]]}) == 3


def test_a_repeat_is_answered_although_the_record_lies_elsewhere_by_now(two):
	device, north, south = two
	sent = create(VISIT, note="x", region=north)
	(made,) = device.push(sent)
	change(frappe.get_doc(VISIT, made["name"]), region=south)
	(again,) = device.push(sent)
	assert (again["status"], again["already_applied"], again["version"]) == ("accepted", True, 1)


def test_a_repeat_is_answered_without_the_record_when_the_user_has_left(two):
	device, north, _ = two
	sent = create(VISIT, note="x", region=north)
	device.push(sent)
	delete(device.rows[north])
	(again,) = device.push(sent)
	assert (again["status"], again["already_applied"]) == ("accepted", True)
	assert "record" not in again
	(other,) = device.push({**sent, "values": {"note": "y", "region": north}})
	assert (other["status"], other["code"]) == ("error", "op_id_reused")


def test_one_op_id_for_two_changes_is_refused(rep):
	device = rep(region())
	one = create(VISIT, note="x")
	results = device.push(one, {**one, "id": new_id("rec")})
	assert [r.get("code") for r in results] == [None, "op_id_reused"]


def test_a_record_of_another_kind_in_the_same_push(rep, server, site):
	device, tenant = rep(north := region()), new_tenant()
	join(tenant, device.user, "member")
	results = device.push(create("meter", code="m" + tenant), create(VISIT, note="x"))
	assert [one["status"] for one in results] == ["accepted", "accepted"], results
	assert frappe.db.get_value(VISIT, results[1]["name"], "region") == north


@pytest.mark.parametrize("more", [{"atomic": True}, {"atomic": True, "dry_run": True}])
def test_atomic_is_all_or_nothing_over_several_spaces(two, more):
	device, north, south = two
	doc = document(VISIT, note="old", region=south)
	changes = [create(VISIT, note="x", region=north), update(VISIT, doc.name, 9, note="new")]
	results = device.push(*changes, **more)
	assert [one["code"] for one in results] == ["batch_rolled_back", "base_version_ahead"]
	assert results[0]["retryable"] and note(doc.name) == "old"
	assert not frappe.db.exists(VISIT, {"region": north})
	changes[1] = update(VISIT, doc.name, 1, note="new")
	assert [one["status"] for one in device.push(*changes, **more)] == ["accepted", "accepted"]
	assert note(doc.name) == ("old" if "dry_run" in more else "new")
	assert bool(frappe.db.exists(VISIT, {"region": north})) == ("dry_run" not in more)


def test_atomic_fails_whole_when_one_change_belongs_nowhere(two):
	device, north, _ = two
	results = device.push(
		create(VISIT, note="x", region=north), create("no such type", note="y"), atomic=True
	)
	assert [one["code"] for one in results] == ["batch_rolled_back", "unknown_type"]
	assert not frappe.db.exists(VISIT, {"region": north})


def test_a_dry_run_over_several_spaces_changes_nothing(two):
	device, north, south = two
	results = device.push(
		create(VISIT, note="x", region=north), create(VISIT, note="y", region=south), dry_run=True
	)
	assert [(one["status"], one["version"]) for one in results] == [("accepted", 1)] * 2
	assert [one["record"]["values"]["note"] for one in results] == ["x", "y"]
	assert not frappe.db.exists(VISIT, {"region": ["in", [north, south]]})


def test_a_conflict_has_both_sides_and_is_settled_by_its_author(two):
	device, north, _ = two
	doc = document(VISIT, note="old", region=north)
	change(doc, note="office")
	(lost,) = device.push(update(VISIT, doc.name, 1, note="road"))
	assert (lost["status"], lost["code"]) == ("conflict", "base_version_conflict")
	sides = lost["conflict"]["fields"]
	assert sides == {"note": {"base": "old", "server": "office", "device": "road"}}
	assert lost["record"]["values"]["note"] == "office" and lost["version"] == 2
	listed = device.get("conflicts").json()["items"]
	assert [(one["id"], one["conflict"]) for one in listed] == [(doc.name, lost["conflict"])]
	(done,) = device.push(update(VISIT, doc.name, 2, note="both") | {"resolves": lost["conflict"]["id"]})
	assert done["status"] == "accepted" and note(doc.name) == "both"
	assert device.get("conflicts").json()["items"] == []


def test_a_delete_and_what_comes_after_it(two):
	device, north, _ = two
	doc = document(VISIT, note="old", region=north)
	(gone,) = device.push(app.delete(VISIT, doc.name, 1))
	assert gone["status"] == "accepted" and not frappe.db.exists(VISIT, doc.name)
	(late,) = device.push(update(VISIT, doc.name, 1, note="late"))
	assert (late["status"], late["code"]) == ("error", "deleted")


def test_what_is_wrong_has_one_shape(two):
	device, north, _ = two
	results = device.push(
		create(VISIT, note={"not": "a text"}, region=north),
		create(VISIT, nothing="x", region=north),
		update(VISIT, "nobody", 1, note="x"),
		app.change("update", VISIT, "x", values={"note": "y"}),
		app.change("create", VISIT, new_id("r"), values={}) | {"op": "destroy"},
	)
	assert [one["code"] for one in results] == [
		"invalid_field_type",
		"invalid_field",
		"not_found",
		"base_required",
		"field_invalid",
	]
	assert results[0]["detail"][0] | {"message": ""} == {
		"field": "note",
		"row": None,
		"code": "invalid_field_type",
		"message": "",
	}
	assert all(isinstance(one["detail"], list) and one["retryable"] is False for one in results)


def test_a_viewer_writes_nowhere_and_others_go_on(server, site, sales, rep):
	north, south = region(), region()
	device = rep(north)
	document(REP, team=device.user, region=south)
	results = device.push(create(VISIT, note="a", region=north), create(VISIT, note="b", region=south))
	assert [one.get("code") for one in results] == [None, "space_read_only"]


def test_what_was_refused_is_listed_for_the_device(two, server, site):
	device, north, _ = two
	(bad,) = device.push(create(VISIT, nothing="x", region=north))
	(item,) = device.get("refused").json()["items"]
	assert (item["op_id"], item["code"], item["op"]) == (bad["op_id"], "invalid_field", "create")
	assert item["change"]["values"] == {"nothing": "x", "region": north}
	assert new_device(server, site, device.user).get("refused").json()["items"] == []


def test_refused_changes_come_in_pages(two):
	device, north, _ = two
	sent = [create(VISIT, nothing=n, region=north) for n in range(5)]
	device.push(*sent)
	seen, cursor = [], None
	while True:
		answer = device.get("refused", limit=2, **({"cursor": cursor} if cursor else {})).json()
		seen, cursor = seen + [one["op_id"] for one in answer["items"]], answer["cursor"]
		if not answer["has_more"]:
			break
	assert sorted(seen) == sorted(one["op_id"] for one in sent) and len(seen) == 5
	assert device.get("refused", cursor="' OR 1=1").json()["error_code"] == "invalid_cursor"


def test_status_gives_the_stored_answers(two):
	device, north, south = two
	sent = [create(VISIT, note="x", region=north), create(VISIT, note="y", region=south)]
	made = device.push(*sent)
	answer = device.call("status", {"op_ids": [sent[1]["op_id"], "never sent", sent[0]["op_id"]]}).json()
	assert [one["status"] for one in answer["results"]] == ["accepted", "missing", "accepted"]
	assert answer["results"][0]["name"] == made[1]["name"]


def test_one_record_as_a_pull_shows_it(two):
	device, north, _ = two
	doc = document(VISIT, note="x", region=north)
	(pulled,) = device.pull()
	assert device.get("record", type=VISIT, id=doc.name).json() == pulled
	foreign = document(VISIT, note="x", region=region())
	for name in (foreign.name, "nobody"):
		answer = device.get("record", type=VISIT, id=name)
		assert (answer.status_code, answer.json()["error_code"]) == (404, "not_found")


def test_ack_is_kept_for_each_space(two, sales):
	device, north, south = two
	document(VISIT, note="x", region=north)
	device.pull()
	answer = device.call("ack", {"cursor": device.cursor})
	assert answer.status_code == 200 and answer.json()["acknowledged"]
	frappe.db.rollback()
	rows = frappe.get_all("Sync Device Position", {"device": device.name}, ["space", "acknowledged"])
	assert {row.space: row.acknowledged for row in rows}[space_of(sales, north)] == 1


def test_a_dry_run_shows_no_record_that_it_deletes_again(two):
	device, north, _ = two
	made = create(VISIT, note="x", region=north)
	results = device.push(made, app.delete(VISIT, made["id"], 1), dry_run=True)
	assert [one["status"] for one in results] == ["accepted", "accepted"], results
	assert not any("record" in one for one in results)


def test_two_paths_through_one_link_lead_to_the_same_document(two):
	device, north, _ = two
	(made,) = device.push(sent := create(VISIT, note="x", region=north))
	frappe.db.rollback()
	found = routing.Routes(held := spaces.held_by(device.user), [], {})
	for name, one in held.items():
		found.by_kind.setdefault(one.caller.space_type, []).append(name)
	doors = [routing.Door(VISIT, sent["id"], (Step(field),)) for field in ("region", "owner")]
	assert routing._documents(found, doors) == dict.fromkeys(doors, made["name"])
