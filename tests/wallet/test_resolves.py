"""A push item that settles the caller's own conflict: choices for what collided, the rest merged, nothing vanishes."""

import json

import frappe
import pytest

from tests.support.phone import account, create, delete, new_id, update
from tests.wallet.people import enlist, sign_in, sign_up
from tests.wallet.wire import assert_item_error, payload_of

ACCOUNT, TEMPLATE = "Hisabi Account", "Hisabi Bucket Template"


def resolve(conflict, version=None, **choices):
	"""The item that settles a conflict by its answer."""
	item = {**update(conflict["entity_type"], conflict["entity_id"], version, **choices)}
	return {**item, "resolves": conflict["conflict_id"]}


def row_of(conflict):
	frappe.db.rollback()
	return frappe.get_doc("Sync Conflict", conflict["conflict_id"])


@pytest.fixture
def collided(shared, sibling):
	"""(client id, answer): the second phone changed color, icon and name; the first had changed the color."""
	item = account(color="white", icon="a")
	shared.push(item)
	shared.push(update(ACCOUNT, item["entity_id"], 1, color="red"))
	mine = update(ACCOUNT, item["entity_id"], 1, color="blue", icon="b", account_name="Purse")
	(answer,) = sibling.push(mine)
	assert (answer["status"], answer["conflict_fields"]) == ("conflict", ["color"])
	return item["entity_id"], answer


def values(phone, client_id, *names):
	held = payload_of(phone, ACCOUNT, client_id)
	return tuple(held[name] for name in names)


@pytest.mark.parametrize(
	("choices", "color", "resolution"),
	[
		({"color": "blue"}, "blue", "accept_client"),
		({"color": "red"}, "red", "accept_server"),
		({}, "red", "accept_server"),
		({"color": "green"}, "green", "manual_merge"),
	],
)
def test_the_choice_is_applied_with_the_rest_of_the_change(sibling, collided, choices, color, resolution):
	client_id, conflict = collided
	item = resolve(conflict, **choices)
	(result,) = sibling.push(item)
	assert (result["status"], result["merged"]) == ("accepted", True)
	held = (color, "b", "Purse")
	assert tuple(result["server_record"][name] for name in ("color", "icon", "account_name")) == held
	assert values(sibling, client_id, "color", "icon", "account_name") == held
	row = row_of(conflict)
	assert (row.status, row.resolution, row.resolved_by) == ("Resolved", resolution, sibling.user)
	assert row.resolved_version == result["doc_version"]
	(entry,) = json.loads(row.history)
	assert (entry["action"], entry["by"], bool(entry["device"])) == ("resolved", sibling.user, True)
	assert json.loads(row.resolved_values)["icon"] == "b"
	assert sibling.push(item)[0] == {**result, "already_applied": True}


def test_what_others_changed_meanwhile_stays(shared, sibling, collided):
	client_id, conflict = collided
	shared.push(update(ACCOUNT, client_id, 2, sort_order=7))
	(result,) = sibling.push(resolve(conflict, color="blue"))
	assert result["status"] == "accepted"
	assert values(sibling, client_id, "color", "icon", "sort_order") == ("blue", "b", 7)


@pytest.mark.parametrize("field", ["color", "icon"], ids=["the chosen field", "the rest"])
def test_a_new_collision_is_a_new_conflict_with_all_of_it(shared, sibling, collided, field):
	client_id, conflict = collided
	shared.push(update(ACCOUNT, client_id, 2, **{field: "late"}))
	(result,) = sibling.push(resolve(conflict, color="blue"))
	assert (result["status"], result["conflict_fields"]) == ("conflict", [field])
	assert (row_of(conflict).status, row_of(result).status) == ("Superseded", "Open")
	(settled,) = sibling.push(resolve(result, **{field: "mine"}))
	assert settled["status"] == "accepted"
	expected = {"color": "blue", "icon": "b", "account_name": "Purse", field: "mine"}
	assert values(sibling, client_id, *expected) == tuple(expected.values())


def test_a_choice_for_a_version_that_the_person_has_seen_goes_through(shared, sibling, collided):
	client_id, conflict = collided
	shared.push(update(ACCOUNT, client_id, 2, color="late"))
	(result,) = sibling.push(resolve(conflict, 3, color="blue"))
	assert result["status"] == "accepted"
	assert values(sibling, client_id, "color", "icon") == ("blue", "b")


def test_a_settled_conflict_is_not_settled_again(sibling, collided):
	_, conflict = collided
	first, second = sibling.push(resolve(conflict, color="blue"), resolve(conflict, color="black"))
	assert first["status"] == "accepted"
	assert_item_error(second, "already_settled")
	assert (second["detail"]["status"], second["detail"]["resolution"]) == ("Resolved", "accept_client")
	(third,) = sibling.push(resolve(conflict, color="black"))
	assert_item_error(third, "already_settled")


def test_what_a_person_in_the_desk_settled_is_settled(sibling, collided):
	_, conflict = collided
	frappe.db.set_value("Sync Conflict", conflict["conflict_id"], {"status": "Dismissed", "reason": "x"})
	frappe.db.commit()
	(result,) = sibling.push(resolve(conflict, color="blue"))
	assert_item_error(result, "already_settled")


def test_only_ones_own_conflicts_in_ones_own_space_are_settled(server, site, shared, sibling, collided):
	client_id, conflict = collided
	member = enlist(server, site, shared.wallet_id, "admin")
	stranger = sign_in(server, site, sign_up())
	for phone in (member, stranger):
		phone.push(account(client_id))
		results = phone.push(resolve(conflict, color="black"), {**resolve(conflict), "resolves": "no-such"})
		answers = [{k: v for k, v in result.items() if k != "op_id"} for result in results]
		assert answers[0] == answers[1]
		assert_item_error(results[0], "conflict_not_found")
	assert row_of(conflict).status == "Open"
	viewer = enlist(server, site, shared.wallet_id, "viewer")
	assert viewer.send([resolve(conflict, color="black")]).status_code == 403


def test_a_conflict_of_another_record_is_not_found(sibling, collided):
	_, conflict = collided
	other = account()
	sibling.push(other)
	(result,) = sibling.push({**resolve(conflict, color="x"), "entity_id": other["entity_id"]})
	assert_item_error(result, "conflict_not_found")


@pytest.mark.parametrize("given", [5, "", [], {}, "x" * 141])
def test_what_is_no_conflict_id_is_not_found(sibling, collided, given):
	client_id, conflict = collided
	(result,) = sibling.push({**resolve(conflict), "resolves": given})
	assert_item_error(result, "conflict_not_found")


def test_the_other_phone_of_the_same_person_may_settle_it(shared, collided):
	client_id, conflict = collided
	(result,) = shared.push(resolve(conflict, color="blue"))
	assert result["status"] == "accepted" and values(shared, client_id, "icon") == ("b",)


def test_a_wrong_choice_settles_nothing(sibling, collided):
	client_id, conflict = collided
	(result,) = sibling.push(resolve(conflict, color="x" * 200))
	assert_item_error(result, "invalid_value", ["color"])
	assert row_of(conflict).status == "Open"
	assert values(sibling, client_id, "color", "icon") == ("red", "a")


@pytest.mark.parametrize("extra", [{"dry_run": True}, {"atomic": True}])
def test_what_is_not_kept_settles_nothing(sibling, collided, extra):
	_, conflict = collided
	items = [resolve(conflict, color="blue")] + (
		[account(account_type="nonsense")] if "atomic" in extra else []
	)
	sibling.push(*items, **extra)
	assert row_of(conflict).status == "Open"


def test_a_delete_that_was_not_applied_is_settled_either_way(shared, sibling):
	frappe.db.set_value("Sync Entity", ACCOUNT, "policy", "manual")
	entities_forget()
	try:
		for again, version, resolution in ((delete, 3, "accept_client"), (update, 2, "accept_server")):
			item = account()
			shared.push(item)
			shared.push(update(ACCOUNT, item["entity_id"], 1, color="red"))
			(conflict,) = sibling.push(delete(ACCOUNT, item["entity_id"], 1))
			assert conflict["status"] == "conflict"
			settled = {**again(ACCOUNT, item["entity_id"], 2), "resolves": conflict["conflict_id"]}
			(result,) = sibling.push(settled)
			assert (result["status"], result["doc_version"]) == ("accepted", version)
			assert (row_of(conflict).status, row_of(conflict).resolution) == ("Resolved", resolution)
	finally:
		frappe.db.set_value("Sync Entity", ACCOUNT, "policy", "merge")
		entities_forget()


def entities_forget():
	from hisabi_sync.engine.entities import entity_types

	entity_types.forget()
	frappe.db.commit()


# --- child rows


@pytest.fixture
def rows(shared, sibling):
	"""(template, its rows on the server, conflict): both phones added a row and changed the title and the first row."""
	buckets = [create("Hisabi Bucket", title=f"b{n}") for n in range(4)]
	first, second, theirs, mine = (bucket["entity_id"] for bucket in buckets)
	item = create(TEMPLATE, title="All", template_items=[_row(first, 50), _row(second, 50)])
	shared.push(*buckets, item)
	name = item["entity_id"]
	begin = payload_of(shared, TEMPLATE, name)["template_items"]
	changed = [{**begin[0], "percentage": 40}, begin[1], _row(theirs, 10)]
	shared.push(update(TEMPLATE, name, 1, title="Theirs", template_items=changed))
	wanted = [{**begin[0], "percentage": 30}, _row(mine, 20)]
	(conflict,) = sibling.push(update(TEMPLATE, name, 1, title="Mine", template_items=wanted))
	assert set(conflict["conflict_fields"]) == {"title", "template_items"}
	return name, begin, conflict, (first, second, theirs, mine), wanted


def _row(bucket, percentage):
	return {"bucket_id": bucket, "percentage": percentage}


def percentages(phone, name):
	held = payload_of(phone, TEMPLATE, name)
	return {row["bucket_id"]: row["percentage"] for row in held["template_items"]}


def test_rows_that_were_not_chosen_are_merged_and_none_vanishes(sibling, rows):
	name, _, conflict, (first, second, theirs, mine), _ = rows
	(result,) = sibling.push(resolve(conflict, title="Mine"))
	assert result["status"] == "accepted"
	assert percentages(sibling, name) == {first: 40, theirs: 10, mine: 20}, (
		"the device took the second row out"
	)
	assert payload_of(sibling, TEMPLATE, name)["title"] == "Mine"


def test_rows_that_were_chosen_take_no_row_of_others_with_them(shared, sibling, rows):
	name, _, conflict, (first, second, theirs, mine), wanted = rows
	late = new_id("late")
	shared.push(create("Hisabi Bucket", late, title="late"))
	held = payload_of(shared, TEMPLATE, name)
	shared.push(update(TEMPLATE, name, 2, template_items=[*held["template_items"], _row(late, 5)]))
	(result,) = sibling.push(resolve(conflict, title="Mine", template_items=wanted))
	assert result["status"] == "accepted"
	assert percentages(sibling, name) == {first: 30, theirs: 10, mine: 20, late: 5}


def test_settling_costs_a_few_statements_however_many_there_are(shared, sibling):
	"""Held where the statements are counted: tests/cost."""
	items = [account(color="white") for _ in range(5)]
	shared.push(*items)
	shared.push(*(update(ACCOUNT, item["entity_id"], 1, color="red") for item in items))
	conflicts = sibling.push(*(update(ACCOUNT, item["entity_id"], 1, color="blue") for item in items))
	results = sibling.push(*(resolve(conflict, color="blue") for conflict in conflicts))
	assert {result["status"] for result in results} == {"accepted"}
