"""A change sent any number of times is applied once, and every repeat gets the first answer (promise 1)."""

import random

import pytest
import requests

from tests.support.phone import METHOD, account, create, delete, new_id, update
from tests.wallet.wire import (
	ACCEPTED,
	answer_of,
	assert_accepted,
	assert_item_error,
	assert_repeats,
	record_of,
)

ACCOUNT = "Hisabi Account"


def held_by(phone):
	"""Client id of a new account at version 1."""
	item = account()
	assert_accepted(phone.push(item)[0], 1)
	return item["entity_id"]


def moved_on(phone, **values):
	"""Client id of an account that another change took to version 2."""
	held = held_by(phone)
	assert_accepted(phone.push(update(ACCOUNT, held, 1, **values))[0], 2)
	return held


# What a change may end as: (status, the version that the record has after it, how to make such an item).
ENDINGS = {
	"a create": ("accepted", 1, lambda phone: account()),
	"an update": ("accepted", 2, lambda phone: update(ACCOUNT, held_by(phone), 1, icon="mine")),
	"a delete": ("accepted", 2, lambda phone: delete(ACCOUNT, held_by(phone), 1)),
	"a merge": ("accepted", 3, lambda phone: update(ACCOUNT, moved_on(phone, color="red"), 1, icon="mine")),
	"a duplicate": ("duplicate", 1, lambda phone: account(held_by(phone))),
	"a conflict": ("conflict", 2, lambda phone: update(ACCOUNT, moved_on(phone, icon="a"), 1, icon="b")),
}


@pytest.fixture(params=ENDINGS)
def ending(request, sibling):
	"""(item, its status, the record's version after it)."""
	status, version, make = ENDINGS[request.param]
	return make(sibling), status, version


def version_of(phone, item):
	"""What the wallet's devices hold of the item's record: its version, None after a delete."""
	record = record_of(phone, ACCOUNT, item["entity_id"])
	return record and record["doc_version"]


def test_repeats_in_one_batch_get_the_answer_of_the_first(shared, ending):
	item, status, version = ending
	results = shared.push(item, account(), item, item)
	assert "already_applied" not in results[0]
	assert_repeats([results[0], *results[2:]], status)
	assert version_of(shared, item) == (version if item["operation"] != "delete" else None)


def test_a_later_repeat_gets_the_first_answer(shared, ending):
	item, status, version = ending
	results = [shared.push(item)[0] for _ in range(3)]
	assert "already_applied" not in results[0]
	assert_repeats(results, status)
	assert version_of(shared, item) == (version if item["operation"] != "delete" else None)


def test_a_repeat_gets_the_first_answer_after_the_record_has_changed(shared, sibling, ending):
	item, status, version = ending
	first = shared.push(item)[0]
	if item["operation"] != "delete":
		later = sibling.push(update(ACCOUNT, item["entity_id"], version, icon="later", color="later"))
		assert_accepted(later[0], version + 1)
	assert_repeats([first, *shared.push(item, item)], status)
	assert version_of(shared, item) == (version + 1 if item["operation"] != "delete" else None)


def test_a_repeat_gets_the_first_answer_after_the_record_was_deleted(shared, sibling):
	item = account()
	first = shared.push(item)[0]
	sibling.push(delete(ACCOUNT, item["entity_id"], 1))
	assert_repeats([first, *shared.push(item)], "accepted")
	assert version_of(shared, item) is None


def test_a_repeat_after_a_lost_response_is_applied_once(shared, ending):
	item, status, version = ending
	body = {"device_id": shared.device_id, "wallet_id": shared.wallet_id, "items": [item]}
	with pytest.raises(requests.ReadTimeout):
		requests.post(
			f"{shared.url}{METHOD}sync.sync_push",
			json=body,
			headers=shared.session.headers,
			timeout=(10, 0.001),
		)
	(repeat,), (again,) = shared.push(item), shared.push(item)
	assert (repeat["status"], again["already_applied"]) == (status, True)
	assert answer_of(repeat) == answer_of(again)
	assert version_of(shared, item) == (version if item["operation"] != "delete" else None)


def test_a_batch_of_old_and_new_changes_in_another_order_repeats_only_the_old(shared):
	items = [account() for _ in range(20)]
	first = {result["op_id"]: result for result in shared.push(*items)}
	mixed = [*items, *(account() for _ in range(20))]
	random.Random(5).shuffle(mixed)
	for item, result in zip(mixed, shared.push(*mixed), strict=True):
		assert result["op_id"] == item["op_id"]
		assert answer_of(result) == first.get(item["op_id"], result)
		assert ("already_applied" in result) is (item["op_id"] in first)


def test_the_order_of_a_payloads_keys_makes_no_other_change(shared):
	item = account(color="red", icon="purse")
	turned = {**item, "payload": dict(reversed(item["payload"].items()))}
	assert_repeats([*shared.push(item), *shared.push(dict(reversed(turned.items())))], "accepted")


# --- op ids


def test_two_devices_may_use_the_same_op_id(shared, sibling):
	items = [{**account(), "op_id": op_id} for op_id in [new_id("op")] * 2]
	for phone, item in zip((shared, sibling), items, strict=True):
		(result,) = phone.push(item)
		assert_accepted(result, 1)
		assert set(result) == ACCEPTED


@pytest.mark.parametrize(
	"vary",
	[str.upper, str.title, "{} ".format, " {}".format],
	ids=["upper", "title", "blank after", "blank before"],
)
def test_op_ids_that_differ_by_case_or_blanks_are_two(shared, vary):
	op_id = new_id("op")
	results = shared.push({**account(), "op_id": op_id}, {**account(), "op_id": vary(op_id)})
	results += (
		shared.push({**account(), "op_id": vary(vary(op_id))}) if vary(op_id).strip() != vary(op_id) else []
	)
	for result in results:
		assert_accepted(result, 1)
		assert "already_applied" not in result


OTHER = {
	"another payload": lambda item: {**item, "payload": {**item["payload"], "icon": "other"}},
	"a field less": lambda item: {**item, "payload": {"account_name": "Cash", "account_type": "cash"}},
	"another record": lambda item: {**item, "entity_id": new_id()},
	"another operation": lambda item: {**item, "operation": "update", "base_version": 1},
	"another entity type": lambda item: {
		**create("Hisabi Budget", item["entity_id"]),
		"op_id": item["op_id"],
	},
	"true for 1": lambda item: {**item, "payload": {**item["payload"], "archived": True}},
}


@pytest.mark.parametrize("other", OTHER)
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "later"])
def test_an_op_id_used_for_something_else_is_an_error_and_the_first_answer_stands(shared, other, together):
	item = account(archived=1)
	wrong = OTHER[other](item)
	first, second = shared.push(item, wrong) if together else (*shared.push(item), *shared.push(wrong))
	assert_accepted(first, 1)
	assert_item_error(second, "op_id_reused")
	assert_repeats([first, *shared.push(item)], "accepted")
	assert version_of(shared, item) == 1
	if wrong["entity_id"] != item["entity_id"]:
		assert version_of(shared, wrong) is None


# --- an error is no answer

MALFORMED = {
	"an unknown operation": {"operation": "upsert"},
	"no payload": {"payload": None},
	"a bad client id": {"entity_id": "a "},
	"a base version": {"base_version": 7},
	"a wrong value": {"payload": {"account_name": "A", "account_type": "nonsense"}},
	"an unknown field": {"payload": {"account_name": "A", "account_type": "cash", "nonsense": 1}},
	"another wallet": {"payload": {"account_name": "A", "account_type": "cash", "wallet_id": "another"}},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_an_item_in_error_is_judged_anew_with_the_same_and_with_corrected_content(shared, name):
	good = account()
	bad = {**good, **MALFORMED[name]}
	errors = [*shared.push(bad, bad), *shared.push(bad)]
	for result in errors:
		assert_item_error(result)
		assert result == errors[0]
	(corrected,) = shared.push(good)
	assert_accepted(corrected, 1)
	assert_repeats([corrected, *shared.push(good)], "accepted")
	assert_item_error(shared.push(bad)[0], "op_id_reused")


def test_an_item_whose_cause_is_gone_is_applied_under_the_same_op_id(shared):
	parent = account()
	child = account(parent_account=parent["entity_id"])
	assert_item_error(shared.push(child)[0], "invalid_link", ["parent_account"])
	shared.push(parent)
	(result,) = shared.push(child)
	assert_accepted(result, 1)
	assert set(result) == ACCEPTED
	assert_repeats([result, *shared.push(child)], "accepted")


def test_an_update_before_its_create_is_applied_when_it_is_sent_again(shared):
	item = account()
	change = update(ACCOUNT, item["entity_id"], 1, icon="purse")
	assert_item_error(shared.push(change)[0], "not_found")
	results = shared.push(item, change)
	assert [(r["status"], r["doc_version"]) for r in results] == [("accepted", 1), ("accepted", 2)]


def test_an_item_of_a_rolled_back_batch_is_applied_when_it_is_sent_again(shared):
	item = account()
	results = shared.push(item, account(account_type="nonsense"), atomic=True)
	assert_item_error(results[0], "batch_rolled_back")
	(result,) = shared.push(item)
	assert_accepted(result, 1)
	assert set(result) == ACCEPTED


@pytest.mark.parametrize("status", ["accepted", "conflict"])
def test_a_dry_run_is_no_first_answer(shared, sibling, status):
	item = account() if status == "accepted" else update(ACCOUNT, moved_on(sibling, icon="a"), 1, icon="b")
	for _ in range(2):
		(result,) = shared.push(item, dry_run=True)
		assert result["status"] == status and "already_applied" not in result
	(result,) = shared.push(item)
	assert result["status"] == status and "already_applied" not in result
