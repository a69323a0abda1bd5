"""Wallets do not see, hinder or change each other, whatever ids they use."""

import frappe
import pytest

from hisabi_sync.engine.model import ids
from tests.support.phone import account, delete, new_id, transaction, update
from tests.wallet.people import set_member, sign_in, sign_up
from tests.wallet.wire import (
	assert_accepted,
	assert_item_error,
	assert_refused,
	nothing_applied,
	payload_of,
	record_of,
)

ACCOUNT = "Hisabi Account"


@pytest.fixture(scope="module")
def wallets(shared, stranger, server, site):
	"""Phones of four people in four wallets."""
	return [shared, stranger, *(sign_in(server, site, sign_up()) for _ in range(2))]


def test_the_same_client_id_works_in_any_number_of_wallets(wallets):
	client_id, child = new_id("same"), new_id("same")
	for number, phone in enumerate(wallets):
		results = phone.push(
			account(client_id, account_name=f"Account {number}"), transaction(client_id, child, amount=number)
		)
		for result in results:
			assert_accepted(result, 1)
	for number, phone in enumerate(wallets):
		assert payload_of(phone, "Hisabi Account", client_id)["account_name"] == f"Account {number}"
		held = payload_of(phone, "Hisabi Transaction", child)
		assert (held["account"], held["amount"]) == (client_id, number)


def test_client_ids_that_differ_only_in_case_are_two_records_in_every_wallet(wallets):
	client_id = new_id("case")
	for phone in wallets:
		ids = (client_id, client_id.upper(), client_id.title())
		results = phone.push(*(account(one, account_name=one) for one in ids))
		assert [result["status"] for result in results] == ["accepted"] * 3, results
		for one in ids:
			assert payload_of(phone, "Hisabi Account", one)["account_name"] == one


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_record_of_another_wallet_cannot_be_changed_by_its_client_id(shared, stranger, operation):
	theirs = account(account_name="Theirs")
	stranger.push(theirs)
	change = {**update(ACCOUNT, theirs["entity_id"], 1, icon="x"), "operation": operation}
	with nothing_applied(stranger):
		(result,) = shared.push(change)
		unknown = {**update(ACCOUNT, new_id(), 1, icon="x"), "operation": operation}
		(other,) = shared.push(unknown)
	assert_item_error(result, "not_found")
	assert set(result) == set(other) and "Theirs" not in str(result)


def test_a_push_with_the_wallet_of_others_changes_and_shows_nothing(shared, stranger):
	theirs = account()
	stranger.push(theirs)
	with nothing_applied(stranger):
		for item in (
			account(),
			account(theirs["entity_id"]),
			update(ACCOUNT, theirs["entity_id"], 1, icon="x"),
		):
			for extra in ({}, {"dry_run": True}, {"atomic": True}):
				response = shared.send([item], wallet_id=stranger.wallet_id, **extra)
				error = assert_refused(response, 403, "wallet_access_denied")
				assert theirs["entity_id"] not in str(error)


@pytest.mark.parametrize(
	"vary",
	[str.upper, str.title, "{} ".format, " {}".format, "{}\u200b".format],
	ids=["upper", "title", "blank after", "blank before", "no width"],
)
def test_a_wallet_id_is_compared_exactly(shared, vary):
	wallet_id = vary(shared.wallet_id)
	assert_refused(shared.page(wallet_id=wallet_id), 403, "wallet_access_denied")
	with nothing_applied(shared):
		assert_refused(shared.send([account()], wallet_id=wallet_id), 403, "wallet_access_denied")


def test_an_edit_of_a_client_id_that_two_wallets_have_stays_in_its_own(shared, stranger):
	client_id = new_id("same")
	for phone in (shared, stranger):
		phone.push(account(client_id))
	with nothing_applied(stranger):
		shared.push(update(ACCOUNT, client_id, 1, icon="mine"), delete(ACCOUNT, client_id, 2))
	assert record_of(shared, ACCOUNT, client_id) is None
	assert payload_of(stranger, ACCOUNT, client_id)["icon"] is None


def test_a_link_goes_to_the_record_of_the_own_wallet_when_both_have_the_client_id(shared, stranger):
	client_id = new_id("same")
	for phone, amount in ((shared, 3), (stranger, 5)):
		phone.push(account(client_id), transaction(client_id, amount=amount))
	assert payload_of(shared, ACCOUNT, client_id)["current_balance"] == -3
	assert payload_of(stranger, ACCOUNT, client_id)["current_balance"] == -5


@pytest.fixture
def other_wallet(shared, server, site):
	"""The wallet of another person, in which the user of `shared` is a member too."""
	owner = sign_in(server, site, sign_up())
	set_member(owner.wallet_id, shared.user, "member")
	return owner


def document_of(phone, client_id):
	space = ids.space("wallet", phone.wallet_id)
	return frappe.db.get_value(
		"Sync Record", {"space": space, "client_id": ids.encode(client_id)}, "document_name"
	)


@pytest.mark.parametrize("by", ["client id", "document name"])
def test_money_of_one_wallet_does_not_move_into_another_by_a_link(shared, other_wallet, by):
	theirs = account()
	other_wallet.push(theirs)
	named = theirs["entity_id"] if by == "client id" else document_of(other_wallet, theirs["entity_id"])
	with nothing_applied(other_wallet):
		results = shared.push(transaction(named), account(parent_account=named))
	for result in results:
		assert_item_error(result, "invalid_link")
	assert payload_of(other_wallet, ACCOUNT, theirs["entity_id"])["current_balance"] == 0


def test_a_link_into_another_wallet_that_the_desk_made_is_shown_as_null(shared, other_wallet):
	theirs, mine = account(), account()
	other_wallet.push(theirs)
	shared.push(mine)
	doc = frappe.get_doc(ACCOUNT, document_of(shared, mine["entity_id"]))
	frappe.db.set_value(ACCOUNT, doc.name, "parent_account", document_of(other_wallet, theirs["entity_id"]))
	frappe.get_doc(ACCOUNT, doc.name).save()
	frappe.db.commit()
	held = payload_of(shared, ACCOUNT, mine["entity_id"])
	assert held["parent_account"] is None and document_of(other_wallet, theirs["entity_id"]) not in str(held)


def test_an_op_that_was_applied_in_one_wallet_is_not_said_to_be_applied_in_another(shared, other_wallet):
	item = account()
	shared.push(item)
	(result,) = shared.push(item, wallet_id=other_wallet.wallet_id)
	held = record_of(other_wallet, ACCOUNT, item["entity_id"])
	if result["status"] == "error":
		assert result["error_code"] == "op_id_reused" and held is None
	else:
		assert "already_applied" not in result and held is not None


def test_a_conflict_in_a_wallet_that_the_caller_left_is_not_shown_through_another(shared, other_wallet):
	item = account()
	secret = update(ACCOUNT, item["entity_id"], 1, account_name="Secret", icon="a")
	other_wallet.push(item, secret)
	stale = update(ACCOUNT, item["entity_id"], 1, icon="b")
	(conflict,) = shared.push(stale, wallet_id=other_wallet.wallet_id)
	assert conflict["status"] == "conflict" and "Secret" in str(conflict)
	set_member(other_wallet.wallet_id, shared.user, "member", "removed")
	(result,) = shared.push(stale)
	assert "Secret" not in str(result)


def test_a_member_of_two_wallets_pulls_each_alone(shared, other_wallet):
	mine, theirs = account(), account()
	shared.push(mine)
	other_wallet.push(theirs)
	pulled = shared.page(wallet_id=other_wallet.wallet_id, limit=5000).json()["message"]["items"]
	ids = {item["client_id"] for item in pulled}
	assert theirs["entity_id"] in ids and mine["entity_id"] not in ids
	assert {item["payload"]["wallet_id"] for item in pulled} == {other_wallet.wallet_id}
