"""Hisabi Wallet over the wire: a push may create a wallet, and never joins, shows or changes one that exists."""

import functools

import frappe
import pytest

from hisabi_sync.engine.model import ids
from tests.support.phone import account, create, delete, new_id, transaction, update
from tests.wallet.wire import (
	ACCEPTED,
	CONFLICT,
	PULLED,
	assert_accepted,
	assert_item_error,
	assert_refused,
	assert_repeats,
	at_once,
	nothing_applied,
)

WALLET, MEMBER, ACCOUNT = "Hisabi Wallet", "Hisabi Wallet Member", "Hisabi Account"


def new_wallet(wallet_id=None, **payload):
	"""The item that creates a wallet."""
	return create(
		WALLET, wallet_id or new_id("wallet"), **{"wallet_name": "Home", "status": "active", **payload}
	)


def push(phone, wallet_id, *items, **extra):
	"""Push into a wallet; the results."""
	response = phone.send(list(items), wallet_id=wallet_id, **extra)
	assert response.status_code == 200, response.text
	return response.json()["message"]["results"]


def pulled(phone, wallet_id):
	response = phone.page(wallet_id=wallet_id, limit=5000)
	assert response.status_code == 200, response.text
	return {(item["entity_type"], item["client_id"]): item for item in response.json()["message"]["items"]}


def assert_no_wallet(phone, wallet_id):
	frappe.db.rollback()
	assert not frappe.db.exists("Sync Space", ids.space("wallet", wallet_id))
	assert_refused(phone.page(wallet_id=wallet_id), 403, "wallet_access_denied")


def test_a_new_wallet_is_accepted_and_pulled_with_its_owner(shared):
	item = new_wallet()
	(result,) = push(shared, item["entity_id"], item)
	assert_accepted(result, 1)
	assert set(result) == ACCEPTED
	held = pulled(shared, item["entity_id"])
	assert sorted({key[0] for key in held}) == [WALLET, MEMBER]
	wallet = held[WALLET, item["entity_id"]]
	assert set(wallet) == PULLED
	assert (wallet["doc_version"], wallet["server_modified"]) == (1, result["server_modified"])
	expected = {"wallet_name": "Home", "status": "active", "owner_user": shared.user}
	assert {name: wallet["payload"][name] for name in expected} == expected
	assert wallet["payload"]["client_id"] == wallet["payload"]["wallet_id"] == item["entity_id"]
	(member,) = (held[key]["payload"] for key in held if key[0] == MEMBER)
	expected = {"user": shared.user, "role": "owner", "status": "active", "wallet": item["entity_id"]}
	assert {name: member[name] for name in expected} == expected


def test_a_wallet_and_what_lies_in_it_come_in_one_batch_in_any_order(shared):
	item, cash = new_wallet(), account()
	items = [transaction(cash["entity_id"], amount=4), cash, item]
	results = push(shared, item["entity_id"], *items)
	assert [(r["op_id"], r["status"]) for r in results] == [(i["op_id"], "accepted") for i in items]
	held = pulled(shared, item["entity_id"])
	assert held[ACCOUNT, cash["entity_id"]]["payload"]["current_balance"] == -4


def test_an_atomic_batch_may_create_a_wallet(shared):
	item = new_wallet()
	results = push(shared, item["entity_id"], item, account(), atomic=True)
	assert [result["status"] for result in results] == ["accepted", "accepted"]


def test_an_atomic_batch_that_fails_leaves_no_wallet(shared):
	item, bad = new_wallet(), account(account_type="nonsense")
	results = push(shared, item["entity_id"], item, bad, atomic=True)
	assert_item_error(results[0], "batch_rolled_back", {"caused_by": [bad["op_id"]]})
	assert_no_wallet(shared, item["entity_id"])
	assert_accepted(push(shared, item["entity_id"], item)[0], 1)


@pytest.mark.parametrize(
	("payload", "code"),
	[
		({"wallet_name": None}, "missing_required_fields"),
		({"status": "nonsense"}, "invalid_choice"),
		({"nonsense": 1}, "invalid_field"),
		({"wallet_name": "x" * 141}, "invalid_value"),
		({"wallet_name": 5}, "invalid_field_type"),
		({"wallet_id": "another"}, "wallet_id_mismatch"),
	],
)
def test_a_wallet_that_cannot_be_made_leaves_nothing_and_can_be_corrected(shared, payload, code):
	item = new_wallet()
	bad = {**item, "payload": {**item["payload"], **payload}}
	if code == "wallet_id_mismatch":
		assert shared.send([bad, account()], wallet_id=item["entity_id"]).status_code in (200, 403)
	else:
		first, other = push(shared, item["entity_id"], bad, account())
		assert_item_error(first, code)
		assert_item_error(other, "depends_on_failed_item")
	assert_no_wallet(shared, item["entity_id"])
	assert_accepted(push(shared, item["entity_id"], item)[0], 1)


def test_a_new_wallets_id_must_be_that_of_the_batch(shared):
	with nothing_applied(shared):
		item = new_wallet()
		(result,) = shared.push(item)
	assert_item_error(result, "wallet_id_must_equal_client_id")
	assert_no_wallet(shared, item["entity_id"])


def test_an_update_of_a_wallet_that_does_not_exist_makes_none(shared):
	for item in (update(WALLET, new_id("wallet"), 1, wallet_name="x"), delete(WALLET, new_id("wallet"), 1)):
		response = shared.send([item, account()], wallet_id=item["entity_id"])
		assert_refused(response, 403, "wallet_access_denied")
		assert_no_wallet(shared, item["entity_id"])


def test_another_record_than_a_wallet_opens_none(shared):
	wallet_id = new_id("wallet")
	member = create(MEMBER, wallet=wallet_id, user=shared.user, role="owner", status="active")
	for item in (account(), account(wallet_id), member):
		assert_refused(shared.send([item], wallet_id=wallet_id), 403, "wallet_access_denied")
	assert_no_wallet(shared, wallet_id)


def test_the_wallet_of_another_person_is_neither_joined_nor_changed_by_its_id(shared, stranger):
	with nothing_applied(stranger):
		for extra in ({}, {"dry_run": True}, {"atomic": True}):
			items = [new_wallet(stranger.wallet_id, wallet_name="Mine now"), account()]
			response = shared.send(items, wallet_id=stranger.wallet_id, **extra)
			assert_refused(response, 403, "wallet_access_denied")
	assert_refused(shared.page(wallet_id=stranger.wallet_id), 403, "wallet_access_denied")


@pytest.mark.parametrize("vary", [str.upper, str.title], ids=str)
def test_a_wallet_id_that_differs_in_case_does_not_reach_the_wallet_of_another(shared, stranger, vary):
	wallet_id = vary(stranger.wallet_id)
	with nothing_applied(stranger):
		response = shared.send(
			[new_wallet(wallet_id, wallet_name="Mine now"), account()], wallet_id=wallet_id
		)
	assert response.status_code in (200, 403), response.text
	held = stranger.page(entity_types=[WALLET]).json()["message"]["items"]
	assert [item["payload"]["wallet_name"] for item in held] != ["Mine now"]
	assert_refused(shared.page(wallet_id=stranger.wallet_id), 403, "wallet_access_denied")
	if response.status_code == 200 and response.json()["message"]["results"][0]["status"] == "error":
		assert stranger.user not in response.text
		assert_no_wallet(shared, wallet_id)


def test_creating_ones_own_wallet_again_is_a_duplicate(shared):
	item = new_wallet()
	(first,) = push(shared, item["entity_id"], item)
	(second,) = push(shared, item["entity_id"], new_wallet(item["entity_id"], wallet_name="Home"))
	assert second["status"] == "duplicate" and set(second) == ACCEPTED
	assert (second["doc_version"], second["server_modified"]) == (1, first["server_modified"])
	held = pulled(shared, item["entity_id"])
	assert held[WALLET, item["entity_id"]]["payload"]["wallet_name"] == "Home"


def test_a_repeated_creation_gets_the_first_answer(shared):
	item, cash = new_wallet(), account()
	first = push(shared, item["entity_id"], item, cash)
	again = push(shared, item["entity_id"], item, cash)
	assert again == [{**result, "already_applied": True} for result in first]
	assert len(pulled(shared, item["entity_id"])) == 3


def test_a_creation_sent_twice_at_one_instant_makes_one_wallet(shared):
	for _ in range(5):
		item, cash = new_wallet(), account()
		jobs = [functools.partial(push, shared, item["entity_id"], item, cash)] * 2
		for results in zip(*at_once(*jobs), strict=True):
			assert_repeats(results, "accepted")


def test_of_two_people_who_take_one_id_at_one_instant_one_gets_it(shared, stranger):
	for _ in range(5):
		wallet_id = new_id("wallet")
		phones = (shared, stranger)
		jobs = [functools.partial(p.send, [new_wallet(wallet_id)], wallet_id=wallet_id) for p in phones]
		answers = at_once(*jobs)
		for answer in answers:
			assert answer.status_code in (200, 403), answer.text
		won = [
			a.status_code == 200 and a.json()["message"]["results"][0]["status"] == "accepted"
			for a in answers
		]
		assert sorted(won) == [False, True], [answer.text for answer in answers]
		assert [p.page(wallet_id=wallet_id).status_code == 200 for p in phones] == won


def test_a_wallets_name_merges_and_clashes_like_any_field(shared, sibling):
	item = new_wallet()
	wallet_id = item["entity_id"]
	push(shared, wallet_id, item)
	(first,) = push(shared, wallet_id, update(WALLET, wallet_id, 1, wallet_name="First"))
	assert_accepted(first, 2)
	(second,) = push(sibling, wallet_id, update(WALLET, wallet_id, 1, wallet_name="Second"))
	assert set(second) == CONFLICT
	assert (second["conflict_fields"], second["server_record"]["wallet_name"]) == (["wallet_name"], "First")
	(merged,) = push(sibling, wallet_id, update(WALLET, wallet_id, 1, status="archived"))
	assert_accepted(merged, 3)
	assert merged["merged"] is True and merged["server_record"]["wallet_name"] == "First"


@pytest.mark.parametrize("role", ["admin", "member"])
def test_a_member_works_in_a_shared_wallet_and_the_others_pull_it(shared, enlisted, role):
	item = account()
	(result,) = enlisted[role].push(item)
	assert_accepted(result, 1)
	held = pulled(shared, shared.wallet_id)[ACCOUNT, item["entity_id"]]
	assert held["payload"]["user"] == enlisted[role].user
	assert_accepted(shared.push(update(ACCOUNT, item["entity_id"], 1, icon="a"))[0], 2)
