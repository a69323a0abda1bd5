"""What the server computes: right after every change, pulled like one, and never a reason for a conflict."""

import frappe
import pytest

from hisabi_sync.hisabi_wallet.derived.verify import verify
from tests.support.engine import change, fetch, send
from tests.support.phone import account as phone_account
from tests.support.phone import new_id, transaction, update

MARCH = "2026-03-10T10:00:00Z"


def account(client_id, **values):
	return change(
		"Hisabi Account", client_id, account_name="A", account_type="cash", **{"currency": "SAR", **values}
	)


def payment(client_id, account_id, amount, **values):
	given = {
		"transaction_type": "expense",
		"date_time": MARCH,
		"currency": "SAR",
		"account": account_id,
		**values,
	}
	return change("Hisabi Transaction", client_id, amount=amount, **given)


def state(caller, entity_type):
	"""{client id: payload} of the live records of an entity type, as a device gets them."""
	items, _ = fetch(caller, entity_types=[entity_type])
	return {item.client_id: item.payload for item in items if not item.deleted_at}


def ok(outcomes):
	assert {outcome.status for outcome in outcomes} == {"accepted"}, outcomes
	return outcomes


def test_a_balance_follows_creates_updates_moves_and_deletes(household):
	one, two = household
	cash, bank, lunch = new_id(), new_id(), new_id()
	ok(send(one, account(cash, opening_balance=100), account(bank), payment(lunch, cash, 12.34)))
	assert state(two, "Hisabi Account")[cash]["current_balance"] == 87.66
	ok(send(two, change("Hisabi Transaction", lunch, "update", 1, amount=20)))
	assert state(one, "Hisabi Account")[cash]["current_balance"] == 80
	ok(send(one, change("Hisabi Transaction", lunch, "update", 2, account=bank)))
	balances = {name: a["current_balance"] for name, a in state(two, "Hisabi Account").items()}
	assert balances == {cash: 100, bank: -20}
	ok(send(one, change("Hisabi Transaction", lunch, "delete", 3)))
	assert state(two, "Hisabi Account")[bank]["current_balance"] == 0


def test_decimals_are_not_floats(household):
	one, _ = household
	cash = new_id()
	ok(
		send(
			one, account(cash), *(payment(new_id(), cash, 0.1, transaction_type="income") for _ in range(30))
		)
	)
	stored = frappe.db.sql(
		"SELECT CAST(current_balance AS CHAR) FROM `tabHisabi Account` WHERE client_id = %s", cash
	)
	assert stored == (("3.000000000",),)


@pytest.mark.parametrize(
	("extra", "arrives"),
	[({"converted_amount": 375}, 375), ({"fx_rate_used": 3.75}, 375), ({}, 100)],
)
def test_a_transfer_between_currencies_uses_the_rate_given(household, extra, arrives):
	one, _ = household
	dollars, riyals = new_id(), new_id()
	transfer = payment(
		new_id(), dollars, 100, currency="USD", transaction_type="transfer", to_account=riyals, **extra
	)
	ok(send(one, account(dollars, currency="USD"), account(riyals), transfer))
	balances = {name: a["current_balance"] for name, a in state(one, "Hisabi Account").items()}
	assert balances == {dollars: -100, riyals: arrives}


def test_a_device_cannot_set_what_the_server_computes(household):
	one, _ = household
	cash = new_id()
	(outcome,) = send(one, account(cash, current_balance=1000))
	assert (outcome.status, outcome.warnings) == ("accepted", ["current_balance"])
	assert state(one, "Hisabi Account")[cash]["current_balance"] == 0


def test_a_balance_that_moved_does_not_make_an_edit_of_the_account_stale(household):
	one, two = household
	cash = new_id()
	ok(send(one, account(cash)))
	ok(send(two, payment(new_id(), cash, 5)))
	for policy in ("merge", "manual"):
		frappe.db.set_value("Sync Entity", "Hisabi Account", "policy", policy)
		from hisabi_sync.engine.entities import entity_types

		entity_types.forget()
		(outcome,) = ok(send(one, change("Hisabi Account", cash, "update", 1, account_name=policy)))
		assert outcome.merged is (policy == "manual"), policy
		if policy == "merge":
			ok(send(two, payment(new_id(), cash, 5)))
			frappe.db.set_value("Sync Entity", "Hisabi Account", "policy", "merge")
			entity_types.forget()
			break


def test_a_budget_counts_expenses_of_its_category_and_window(household):
	one, two = household
	food, other, cash, budget, total = (new_id() for _ in range(5))
	kinds = [change("Hisabi Category", c, category_name="C", kind="expense") for c in (food, other)]
	window = {"start_date": "2026-03-01T00:00:00Z", "period": "monthly", "currency": "SAR", "amount": 100}
	ok(
		send(
			one,
			*kinds,
			account(cash),
			change(
				"Hisabi Budget", budget, budget_name="Food", scope_type="category", category=food, **window
			),
			change("Hisabi Budget", total, budget_name="All", scope_type="total", **window),
		)
	)
	ok(
		send(
			two,
			payment(new_id(), cash, 10, category=food),
			payment(new_id(), cash, 7, category=other),
			payment(new_id(), cash, 3, category=food, date_time="2026-05-01T00:00:00Z"),
			payment(new_id(), cash, 99, category=food, transaction_type="income"),
		)
	)
	assert {n: b["spent_amount"] for n, b in state(one, "Hisabi Budget").items()} == {budget: 10, total: 17}
	ok(send(one, change("Hisabi Budget", budget, "update", 1, end_date="2026-06-01T00:00:00Z")))
	assert state(two, "Hisabi Budget")[budget]["spent_amount"] == 13


def installment(debt, amount, status):
	return change("Hisabi Debt Installment", new_id(), debt=debt, amount=amount, status=status)


def test_a_debt_and_the_goal_to_pay_it_follow_the_installments(household):
	one, two = household
	debt, goal = new_id(), new_id()
	owed = {"debt_name": "Car", "direction": "owe", "principal_amount": 300, "currency": "SAR"}
	wish = {"goal_name": "Free", "goal_type": "pay_debt", "target_amount": 300, "linked_debt": debt}
	ok(send(one, change("Hisabi Debt", debt, **owed), change("Hisabi Goal", goal, **wish)))
	ok(send(two, installment(debt, 100, "paid"), installment(debt, 200, "due")))
	debts, goals = state(one, "Hisabi Debt"), state(one, "Hisabi Goal")
	assert (debts[debt]["remaining_amount"], debts[debt]["status"]) == (200, "active")
	assert (goals[goal]["current_amount"], goals[goal]["progress_percent"]) == (100, 33.33)
	assert verify(one.space_key) == []


def test_a_goal_to_save_follows_the_balance_of_its_account(household):
	one, two = household
	cash, goal = new_id(), new_id()
	wish = {"goal_name": "Trip", "goal_type": "save", "target_amount": 200, "linked_account": cash}
	ok(send(one, account(cash, opening_balance=50), change("Hisabi Goal", goal, **wish)))
	ok(send(two, payment(new_id(), cash, 10, transaction_type="income")))
	saved = state(one, "Hisabi Goal")[goal]
	assert (saved["current_amount"], saved["remaining_amount"]) == (60, 140)
	assert verify(one.space_key) == []


def test_a_jameya_is_completed_by_its_payments(household):
	one, two = household
	ring = new_id()
	terms = {"monthly_amount": 100, "total_members": 2, "my_turn": 1, "start_date": MARCH}
	ok(send(one, change("Hisabi Jameya", ring, jameya_name="R", **terms)))
	paid, received = (
		change("Hisabi Jameya Payment", new_id(), jameya=ring, period_number=number, status=status)
		for number, status in ((1, "paid"), (2, "received"))
	)
	ok(send(two, paid, received))
	jameya = state(one, "Hisabi Jameya")[ring]
	assert (jameya["total_amount"], jameya["status"]) == (200, "completed")
	assert verify(one.space_key) == []


def test_an_edit_in_the_desk_moves_the_balance_and_the_form_can_be_saved_again(household):
	one, _ = household
	cash, lunch = new_id(), new_id()
	ok(send(one, account(cash), payment(lunch, cash, 10)))
	doc = frappe.get_doc("Hisabi Transaction", {"client_id": lunch})
	form = frappe.get_doc("Hisabi Account", {"client_id": cash})
	doc.amount = 25
	doc.save()
	frappe.db.commit()
	assert state(one, "Hisabi Account")[cash]["current_balance"] == -25
	form.color = "red"
	form.save()
	doc.delete()
	frappe.db.commit()
	assert state(one, "Hisabi Account")[cash]["current_balance"] == 0
	assert verify(one.space_key) == []


def test_a_delete_in_the_desk_takes_back_what_a_device_changed_meanwhile(phone):
	item = phone_account()
	bought = transaction(item["entity_id"], amount=10)
	phone.push(item, bought)
	frappe.db.rollback()
	name = frappe.db.get_value("Hisabi Transaction", {"client_id": bought["entity_id"]})  # reads as of now
	phone.push(update("Hisabi Transaction", bought["entity_id"], 1, amount=25))
	frappe.delete_doc("Hisabi Transaction", name)
	frappe.db.commit()
	found = {held["client_id"]: held["payload"] for held in phone.pull() if not held["is_deleted"]}
	assert found[item["entity_id"]]["current_balance"] == 0
	assert verify(phone.wallet_id) == []


def test_drift_is_found_and_repaired(household):
	one, _ = household
	cash = new_id()
	ok(send(one, account(cash), payment(new_id(), cash, 10)))
	_, token = fetch(one)
	frappe.db.sql("UPDATE `tabHisabi Account` SET current_balance = 7 WHERE client_id = %s", (cash,))
	frappe.db.commit()
	(drift,) = verify(one.space_key)
	assert (drift["client_id"], drift["stored"], drift["computed"]) == (cash, "7.000000000", "-10.000000000")
	verify(one.space_key, repair=True)
	assert verify(one.space_key) == []
	(item,), _ = fetch(one, token)
	assert item.payload["current_balance"] == -10
