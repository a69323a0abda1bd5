"""The exact shape of every answer of a push, in the order of the items."""

import json

import frappe
import pytest

from tests.support.phone import account, create, delete, new_id, transaction, update
from tests.wallet.wire import (
	ACCEPTED,
	CONFLICT,
	ERROR,
	MERGED,
	TIME,
	assert_accepted,
	assert_item_error,
	nothing_applied,
	payload_of,
	record_of,
)

ACCOUNT = "Hisabi Account"


@pytest.fixture
def held(shared):
	"""Client id of an account at version 1."""
	item = account(color="white")
	assert_accepted(shared.push(item)[0], 1)
	return item["entity_id"]


def names(result, item):
	"""The parts of a result that say which item it is about."""
	assert result["op_id"] == item["op_id"]
	assert (result["entity_type"], result["client_id"]) == (item["entity_type"], item["entity_id"])
	assert result["entity_id"] == result["client_id"]


def test_a_push_is_answered_with_results_time_and_cursor(shared):
	for items in ([], [account()]):
		body = shared.send(items).json()
		assert set(body) == {"message"}
		assert set(body["message"]) == {"results", "server_time", "cursor"}
		assert TIME.fullmatch(body["message"]["server_time"])
		assert isinstance(body["message"]["cursor"], str)


def test_an_accepted_change_has_exactly_its_fields(shared):
	made = account()
	for version, item in enumerate((made, update(ACCOUNT, made["entity_id"], 1, icon="a")), 1):
		(result,) = shared.push(item)
		assert_accepted(result, version)
		assert set(result) == ACCEPTED
		names(result, item)
		record = record_of(shared, ACCOUNT, made["entity_id"])
		assert (result["doc_version"], result["server_modified"]) == (version, record["server_modified"])


def test_an_accepted_delete_has_exactly_its_fields(shared, held):
	(result,) = shared.push(delete(ACCOUNT, held, 1))
	assert_accepted(result, 2)
	assert set(result) == ACCEPTED


def test_warnings_and_repeats_add_one_field_each(shared):
	item = account(owner="x")
	assert set(shared.push(item)[0]) == ACCEPTED | {"warnings"}
	assert set(shared.push(item)[0]) == ACCEPTED | {"warnings", "already_applied"}


def test_a_duplicate_has_the_accepted_fields_with_the_existing_version_and_time(shared, sibling, held):
	(changed,) = sibling.push(update(ACCOUNT, held, 1, icon="a"))
	item = account(held)
	with nothing_applied(shared):
		(result,) = shared.push(item)
	assert result["status"] == "duplicate"
	assert set(result) == ACCEPTED
	names(result, item)
	assert (result["doc_version"], result["server_modified"]) == (2, changed["server_modified"])
	assert payload_of(shared, ACCOUNT, held)["account_name"] == "Cash"


def test_an_update_that_changes_nothing_is_accepted_at_the_same_version(shared, held):
	with nothing_applied(shared):
		(result,) = shared.push(update(ACCOUNT, held, 1, color="white"))
	assert_accepted(result, 1)


def test_a_merge_shows_the_record_as_it_is_pulled(shared, sibling, held):
	sibling.push(update(ACCOUNT, held, 1, color="red"))
	item = update(ACCOUNT, held, 1, icon="purse")
	(result,) = shared.push(item)
	assert_accepted(result, 3)
	assert set(result) == MERGED
	assert result["merged"] is True
	names(result, item)
	assert_is_the_record(shared, result)
	assert (result["server_record"]["color"], result["server_record"]["icon"]) == ("red", "purse")


def assert_is_the_record(phone, result):
	"""`server_record` is the pulled payload and the versions."""
	pulled = record_of(phone, result["entity_type"], result["client_id"])
	versions = {name: pulled[name] for name in ("doc_version", "server_modified")}
	assert result["server_record"] == {**pulled["payload"], **versions}


def test_a_merge_shows_links_as_client_ids(shared, sibling):
	parent, other = account(), account()
	child = account(parent_account=parent["entity_id"])
	sibling.push(parent, other, child, update(ACCOUNT, child["entity_id"], 1, color="red"))
	(result,) = shared.push(update(ACCOUNT, child["entity_id"], 1, parent_account=other["entity_id"]))
	assert set(result) == MERGED
	assert result["server_record"]["parent_account"] == other["entity_id"]
	assert_is_the_record(shared, result)


def test_a_stale_edit_to_the_value_that_the_server_has_is_no_conflict(shared, sibling, held):
	sibling.push(update(ACCOUNT, held, 1, color="red"))
	(result,) = shared.push(update(ACCOUNT, held, 1, color="red"))
	assert_accepted(result, 2)
	assert record_of(shared, ACCOUNT, held)["doc_version"] == 2


@pytest.fixture
def collision(shared, sibling, held):
	"""(item, result) of an edit of which one field clashes and one does not."""
	sibling.push(update(ACCOUNT, held, 1, color="red", icon="a"), update(ACCOUNT, held, 2, icon="b"))
	item = update(ACCOUNT, held, 1, color="blue", sort_order=7)
	return item, shared.push(item)[0]


def test_a_conflict_has_exactly_its_fields(shared, collision):
	item, result = collision
	assert set(result) == CONFLICT
	names(result, item)
	assert (result["client_base_version"], result["doc_version"], result["server_doc_version"]) == (1, 3, 3)
	assert (result["error_code"], result["conflict_fields"]) == ("base_version_conflict", ["color"])
	assert result["error_message"] and isinstance(result["error_message"], str)
	assert result["server_doc"] == result["server_record"]
	assert result["server_record"]["color"] == "red"
	assert_is_the_record(shared, result)
	pulled = record_of(shared, ACCOUNT, item["entity_id"])
	assert result["server_modified"] == pulled["server_modified"]


def test_nothing_of_a_change_in_conflict_is_applied(shared, collision):
	held = record_of(shared, ACCOUNT, collision[0]["entity_id"])
	assert (held["doc_version"], held["payload"]["sort_order"], held["payload"]["color"]) == (3, 0, "red")


def test_what_lost_in_a_conflict_is_kept_where_people_find_it(collision):
	item, result = collision
	frappe.db.rollback()
	kept = frappe.get_doc("Sync Conflict", result["conflict_id"])
	assert (kept.status, kept.entity_type, kept.fields) == ("Open", ACCOUNT, "color")
	assert (kept.base_version, kept.server_version) == (1, 3)
	sides = [json.loads(kept.get(f"{side}_values")) for side in ("base", "server", "client")]
	assert [side["color"] for side in sides] == ["white", "red", "blue"]


def test_a_new_op_with_the_servers_version_goes_on_after_a_conflict(shared, collision):
	item, result = collision
	(settled,) = shared.push(update(ACCOUNT, item["entity_id"], result["server_doc_version"], color="blue"))
	assert_accepted(settled, 4)
	assert payload_of(shared, ACCOUNT, item["entity_id"])["color"] == "blue"


def test_a_stale_delete_wins_over_an_update(shared, sibling, held):
	sibling.push(update(ACCOUNT, held, 1, color="red"))
	(result,) = shared.push(delete(ACCOUNT, held, 1))
	assert_accepted(result, 3)
	assert record_of(shared, ACCOUNT, held) is None


def test_a_second_delete_is_a_duplicate(shared, sibling, held):
	(first,) = sibling.push(delete(ACCOUNT, held, 1))
	(second,) = shared.push(delete(ACCOUNT, held, 1))
	assert second["status"] == "duplicate" and set(second) == ACCEPTED
	assert (second["doc_version"], second["server_modified"]) == (2, first["server_modified"])


def test_a_balance_that_moved_makes_no_edit_of_its_account_stale(shared, sibling, held):
	assert_accepted(sibling.push(transaction(held, amount=5))[0], 1)
	record = record_of(shared, ACCOUNT, held)
	assert (record["doc_version"], record["payload"]["current_balance"]) == (2, -5)
	(result,) = shared.push(update(ACCOUNT, held, 1, color="red"))
	assert_accepted(result, 3)
	assert payload_of(shared, ACCOUNT, held)["current_balance"] == -5


@pytest.mark.parametrize("detail", [True, False])
def test_an_error_has_exactly_its_fields(shared, detail):
	item = account(account_type="nonsense") if detail else update(ACCOUNT, new_id(), 1, icon="a")
	(result,) = shared.push(item)
	assert_item_error(result, "invalid_choice" if detail else "not_found")
	assert set(result) == ERROR | {"entity_id"} | ({"detail"} if detail else set())
	names(result, item)


def test_results_come_in_the_order_of_the_items_whatever_order_they_are_applied_in(shared, held):
	parent, gone = account(), account()
	child = transaction(parent["entity_id"])
	share = {"transaction_id": child["entity_id"], "bucket_id": new_id(), "amount": 1}
	items = [
		delete(ACCOUNT, gone["entity_id"], 1),
		create("Hisabi Transaction Bucket", **share),
		child,
		update(ACCOUNT, held, 1, icon="a"),
		account(account_type="nonsense"),
		parent,
		account(held),
		gone,
	]
	results = shared.push(*items)
	assert [result["op_id"] for result in results] == [item["op_id"] for item in items]
	for result, item in zip(results, items, strict=True):
		names(result, item)
	statuses = ["accepted", "error", "accepted", "accepted", "error", "accepted", "duplicate", "accepted"]
	assert [result["status"] for result in results] == statuses, results


def test_changes_of_one_record_in_one_batch_build_on_each_other(shared):
	made = account()
	held = made["entity_id"]
	items = [made, update(ACCOUNT, held, 1, icon="a"), update(ACCOUNT, held, 2, icon="b")]
	assert [r["doc_version"] for r in shared.push(*items, delete(ACCOUNT, held, 3))] == [1, 2, 3, 4]
	assert record_of(shared, ACCOUNT, held) is None
