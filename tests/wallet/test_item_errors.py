"""Every error of one item, in the contract's codes, and that it touches no other item."""

from unittest.mock import sentinel

import pytest

from tests.support.phone import account, create, delete, new_id, transaction, update
from tests.wallet.samples import TABLE
from tests.wallet.wire import (
	ERROR,
	TIME,
	assert_accepted,
	assert_item_error,
	nothing_applied,
	payload_of,
	record_of,
)

ACCOUNT = "Hisabi Account"
WITHOUT = sentinel.WITHOUT


@pytest.fixture
def held(shared):
	"""Client id of a live account at version 1."""
	item = account()
	assert_accepted(shared.push(item)[0], 1)
	return item["entity_id"]


def changed(item, **parts):
	"""The item with parts replaced, or left out where they are WITHOUT."""
	return {k: v for k, v in {**item, **parts}.items() if v is not WITHOUT}


# (code, what is changed in the item of a valid create)
CREATES = [
	*[("op_id_required", {"op_id": v}) for v in (WITHOUT, None, "", "  ", 5, ["a"], "x" * 141)],
	*[("entity_type_required", {"entity_type": v}) for v in (WITHOUT, None, "")],
	*[("entity_id_required", {"entity_id": v}) for v in (WITHOUT, None, "")],
	*[
		("invalid_operation", {"operation": v})
		for v in (WITHOUT, None, "", "upsert", "CREATE", 5, ["create"])
	],
	*[("payload_must_be_object", {"payload": v}) for v in (WITHOUT, None, [], "{}", 5, True, "")],
	("payload_too_large", {"payload": {"account_name": "x" * 102_400}}),
	("payload_too_large", {"payload": {"account_name": "é" * 51_200}}),
	*[("wallet_id_mismatch", {"payload": {"wallet_id": v}}) for v in ("another", 5, ["a"])],
	*[("entity_id_mismatch", {"payload": {"client_id": v}}) for v in ("another", 5, ["a"])],
	("entity_id_mismatch", {"client_id": "another"}),
	*[
		("invalid_client_id", {"entity_id": v})
		for v in (
			"a ",
			"a\u200bb",
			"x" * 141,
			"a\nb",
			"a\0b",
			5,
			["a"],
			{"a": 1},
			" a",
		)
	],
	*[("base_version_not_allowed", {"base_version": v}) for v in (1, -1, "1", 2.5, True, ["a"])],
]
# The same for an update of a record at version 1.
UPDATES = [
	*[("base_version_required", {"base_version": v}) for v in (WITHOUT, None)],
	*[
		("base_version_invalid", {"base_version": v})
		for v in (2.9, 0.5, "1", "x", "", True, False, [1], {}, -1, 1e300)
	],
	*[("base_version_ahead", {"base_version": v}) for v in (2, 10**6, 2**63, 10**40)],
	("not_found", {"entity_id": "nobody-has-this"}),
	*[("payload_must_be_object", {"payload": v}) for v in (WITHOUT, None, [], "x")],
]


def case_id(value):
	if callable(value):
		return value.__name__
	return str(value)[:40] if isinstance(value, str) else repr(value)[:60]


@pytest.mark.parametrize(("code", "parts"), CREATES, ids=case_id)
def test_a_wrong_create_is_refused_and_its_neighbours_are_applied(shared, code, parts):
	before, after = account(), account()
	results = shared.push(before, changed(account(), **parts), after)
	assert_item_error(results[1], code)
	assert_accepted(results[0], 1)
	assert_accepted(results[2], 1)
	assert [results[0]["op_id"], results[2]["op_id"]] == [before["op_id"], after["op_id"]]


CHANGES = [
	(make, code, parts)
	for make in (update, delete)
	for code, parts in UPDATES
	if make is update or parts.get("payload", 1) not in (WITHOUT, None)  # a delete needs no payload
]


@pytest.mark.parametrize(("make", "code", "parts"), CHANGES, ids=case_id)
def test_a_wrong_update_or_delete_is_refused(shared, held, make, code, parts):
	values = {"icon": "purse"} if make is update else {}
	with nothing_applied(shared):
		(result,) = shared.push(changed(make(ACCOUNT, held, 1, **values), **parts))
		assert_item_error(result, code)


@pytest.mark.parametrize("version", [1, 1.0])
def test_a_whole_number_is_a_base_version_however_it_is_written(shared, held, version):
	assert_accepted(shared.push(update(ACCOUNT, held, version, icon="purse"))[0], 2)


@pytest.mark.parametrize("version", [None, 0, 0.0])
def test_a_create_may_have_the_base_version_zero(shared, version):
	assert_accepted(shared.push({**account(), "base_version": version})[0], 1)


def test_a_delete_needs_no_payload(shared, held):
	assert_accepted(shared.push(changed(delete(ACCOUNT, held, 1), payload=WITHOUT))[0], 2)


def test_client_id_may_stand_in_place_of_entity_id(shared):
	item = account()
	item["client_id"] = item.pop("entity_id")
	(result,) = shared.push(item)
	assert_accepted(result, 1)
	assert result["entity_id"] == result["client_id"] == item["client_id"]


def test_a_payload_may_repeat_the_ids_when_they_agree(shared):
	item = account()
	item["payload"].update(client_id=item["entity_id"], wallet_id=shared.wallet_id)
	assert_accepted(shared.push({**item, "client_id": item["entity_id"]})[0], 1)


def test_a_payload_just_under_the_limit_is_judged_by_its_fields(shared):
	(result,) = shared.push(account(color="x" * 100_000))
	assert_item_error(result, "invalid_value", ["color"])


def test_the_limit_of_a_payload_is_counted_in_bytes_of_what_was_sent(shared):
	(result,) = shared.push(account(enabled={"a": "x" * 101_000}))
	assert_item_error(result, "invalid_field", ["enabled"])


@pytest.mark.parametrize("name", TABLE["sensitive_fields"])
def test_a_secret_is_refused_by_name_and_stored_nowhere(shared, held, name):
	for item in (account(**{name: "s3cret"}), update(ACCOUNT, held, 1, **{name: "s3cret"})):
		(result,) = shared.push(item)
		assert_item_error(result, "sensitive_field_not_allowed", [name])
		assert "s3cret" not in str(result)


@pytest.mark.parametrize("name", [n for n in TABLE["client_only_fields_ignored"] if n != "name"])
def test_a_client_only_field_is_ignored_and_named(shared, held, name):
	for item in (account(**{name: "x"}), update(ACCOUNT, held, 1, icon=new_id(), **{name: "x"})):
		(result,) = shared.push(item)
		assert result["status"] == "accepted", result
		assert result["warnings"] == [name]


def test_name_is_ignored_where_it_is_no_alias(shared):
	item = create("Hisabi FX Rate", base_currency="USD", quote_currency="SAR", rate=3.75, name="x")
	(result,) = shared.push(item)
	assert_accepted(result, 1)
	assert result["warnings"] == ["name"]


@pytest.mark.parametrize(
	("field", "value"),
	[
		("current_balance", 99),
		("is_deleted", 1),
		("deleted_at", "2026-01-01T00:00:00Z"),
		("user", "Administrator"),
		("user", "nobody@example.com"),
		("current_balance", {"not": "even a number"}),
	],
)
def test_a_field_that_only_the_server_sets_is_ignored_and_named_whatever_it_holds(shared, held, field, value):
	for item in (account(**{field: value}), update(ACCOUNT, held, 1, icon="purse", **{field: value})):
		(result,) = shared.push(item)
		assert_accepted(result)
		assert result["warnings"] == [field]
		pulled = record_of(shared, ACCOUNT, item["entity_id"])
		assert not pulled["is_deleted"] and pulled["payload"].get(field) != value


@pytest.mark.parametrize("entity_type", ["Hisabi Account"])
def test_a_whole_record_as_it_was_pulled_may_be_sent_back(shared, held, entity_type):
	pulled = payload_of(shared, entity_type, held)
	(result,) = shared.push({**update(entity_type, held, 1), "payload": {**pulled, "icon": "purse"}})
	assert_accepted(result, 2)


@pytest.mark.parametrize(
	"again",
	[
		account,
		lambda held: update(ACCOUNT, held, 1, icon="purse"),
		lambda held: update(ACCOUNT, held, 2, icon="a"),
	],
	ids=["create", "a stale update", "an update"],
)
def test_a_change_of_a_deleted_record_is_answered_with_its_tombstone_and_never_revives_it(
	shared, held, again
):
	shared.push(delete(ACCOUNT, held, 1))
	(result,) = shared.push(again(held))
	assert_item_error(result, "deleted")
	detail = result["detail"]
	assert set(detail) == {"doc_version", "is_deleted", "deleted_at"}
	assert (detail["doc_version"], detail["is_deleted"]) == (2, True)
	assert TIME.fullmatch(detail["deleted_at"])
	assert record_of(shared, ACCOUNT, held) is None


def test_a_transfer_to_the_same_account_is_refused(shared, held):
	(result,) = shared.push(transaction(held, transaction_type="transfer", to_account=held))
	assert_item_error(result, "invalid_value", ["to_account"])


def test_an_update_cannot_make_a_transfer_end_where_it_began(shared, held):
	other, moved = account(), transaction(held, transaction_type="transfer")
	moved["payload"]["to_account"] = other["entity_id"]
	assert [r["status"] for r in shared.push(other, moved)] == ["accepted"] * 2
	wrong = [
		update("Hisabi Transaction", moved["entity_id"], 1, to_account=held),
		update("Hisabi Transaction", moved["entity_id"], 1, account=other["entity_id"]),
	]
	for result in shared.push(*wrong):
		assert result["error_code"] == "invalid_value", result


def test_an_account_cannot_be_its_own_parent(shared, held):
	(result,) = shared.push(update(ACCOUNT, held, 1, parent_account=held))
	assert result["status"] == "error", result


def test_an_item_whose_parent_failed_in_the_batch_says_so(shared):
	parent = account(account_type="nonsense")
	child, grandchild = transaction(parent["entity_id"]), None
	grandchild = create(
		"Hisabi Transaction Bucket", transaction_id=child["entity_id"], bucket_id=new_id(), amount=1
	)
	for items in ((parent, child, grandchild), (grandchild, child, parent)):
		by_op = {result["op_id"]: result for result in shared.push(*items)}
		assert_item_error(by_op[parent["op_id"]], "invalid_choice", ["account_type"])
		assert_item_error(by_op[child["op_id"]], "depends_on_failed_item")
		assert by_op[grandchild["op_id"]]["error_code"] in ("depends_on_failed_item", "invalid_link")


def test_the_items_of_a_circle_fail_and_the_others_are_applied(shared):
	first, second = account(), account()
	first["payload"]["parent_account"] = second["entity_id"]
	second["payload"]["parent_account"] = first["entity_id"]
	one, other, free = shared.push(first, second, account())
	assert (one["status"], other["status"]) == ("error", "error")
	assert_accepted(free, 1)


def test_an_error_has_exactly_the_fields_of_the_contract(shared):
	(result,) = shared.push(account(account_type="nonsense"))
	assert set(result) - {"entity_id"} == ERROR | {"detail"}


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_sentence_of_an_error_is_in_the_callers_language(shared, language):
	item = changed(account(), op_id=WITHOUT)
	response = shared.call(
		"sync.sync_push",
		{"device_id": shared.device_id, "wallet_id": shared.wallet_id, "items": [item]},
		headers={"Accept-Language": language},
	)
	(result,) = response.json()["message"]["results"]
	arabic = any("\u0600" <= letter <= "\u06ff" for letter in result["error_message"])
	assert arabic is (language == "ar"), result["error_message"]


def test_a_text_that_is_too_long_is_told_how_long_it_may_be(shared):
	"""The limit stands in the sentence, also of a repeat; the detail is the list of fields, as ever."""
	item = account(account_name="x" * 141, color="y" * 141)
	(refused,) = shared.push(item)
	assert (refused["error_code"], refused["detail"]) == ("invalid_value", ["account_name", "color"])
	for name in refused["detail"]:
		assert f"{name} (at most 140 characters)" in refused["error_message"]
	(status,) = shared.call(
		"sync.sync_op_status",
		{"device_id": shared.device_id, "wallet_id": shared.wallet_id, "op_ids": [item["op_id"]]},
	).json()["message"]["results"]
	assert status["error_message"] == refused["error_message"]
