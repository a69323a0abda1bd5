"""Locks are taken in one order by everybody who writes: what is held for derived values, documents, records, the counter."""

import inspect

import frappe
import pytest
from frappe.model.delete_doc import delete_doc

from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine import garbage, push, reconcile
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.resolution import cases, conflict_view
from hisabi_sync.hisabi_family import derived as family_derived
from hisabi_sync.hisabi_wallet.derived import verify
from tests.conflicts.world import Pair
from tests.derived.conftest import new_household
from tests.family.app import new_family
from tests.locks.statements import COUNTER, DOCUMENT, HELD, RECORD, Locks, in_order
from tests.support.engine import change, document_of, send
from tests.support.phone import new_id

ACCOUNT, TRANSACTION, CATEGORY = "Hisabi Account", "Hisabi Transaction", "Hisabi Category"
WALLET, FAMILY = "Hisabi Wallet", "Family"


@pytest.fixture
def pair(site):
	return Pair(*new_household("Administrator"))


@pytest.fixture
def money(pair):
	"""(pair, document name of an account, that of a transaction of it)."""
	account = pair.account()
	payment = new_id("payment")
	given = {
		"transaction_type": "expense",
		"date_time": "2026-03-01T10:00:00Z",
		"amount": 5,
		"currency": "SAR",
	}
	pair.accept(pair.mine, change(TRANSACTION, payment, account=account, **given))
	return pair, document_of(pair.mine, account), document_of(pair.mine, payment)


def traced(work, held=WALLET):
	frappe.db.rollback()
	with Locks(held) as locks:
		work()
		frappe.db.commit()
	return locks.transactions


def check(transactions, *kinds):
	"""Every transaction keeps the order, and one of them takes locks of exactly these kinds."""
	assert all(in_order(taken) for taken in transactions), transactions
	assert [kind for kind, _ in max(transactions, key=len)] == list(kinds), transactions


EVERYTHING = (HELD, DOCUMENT, RECORD, COUNTER)


def test_a_push(money):
	pair, account, payment = money
	client_id = frappe.db.get_value(TRANSACTION, payment, "client_id")
	update = change(TRANSACTION, client_id, "update", 1, amount=7)
	check(traced(lambda: send(pair.mine, update)), *EVERYTHING)
	check(
		traced(lambda: send(pair.mine, change(CATEGORY, new_id(), category_name="x", kind="expense"))),
		DOCUMENT,
		RECORD,
		COUNTER,
	)


@pytest.mark.parametrize("doctype", [ACCOUNT, TRANSACTION])
def test_a_save_in_the_desk(money, doctype):
	_, account, payment = money
	name = account if doctype == ACCOUNT else payment

	def save():
		doc = frappe.get_doc(doctype, name)
		doc.update({"color": "red"} if doctype == ACCOUNT else {"amount": 9})
		doc.save()

	check(traced(save), *EVERYTHING)


def test_a_new_document_in_the_desk(money):
	pair, account, _ = money
	values = {"wallet_id": pair.mine.space_key, "transaction_type": "expense", "amount": 3, "currency": "SAR"}
	values |= {"date_time": "2026-03-01 10:00:00", "account": account}
	check(traced(lambda: frappe.get_doc({"doctype": TRANSACTION, **values}).insert()), *EVERYTHING)


def test_a_value_that_is_set_in_the_database(money):
	_, account, _ = money
	check(traced(lambda: frappe.get_doc(ACCOUNT, account).db_set("color", "blue")), *EVERYTHING)


def test_a_deleted_document(money):
	"""Released versions of Frappe lock it themselves before any hook runs, and do not wait for that lock."""
	_, _, payment = money
	taken = max(traced(lambda: frappe.delete_doc(TRANSACTION, payment)), key=len)
	frappes_own = [taken[0]] if "wait=False" in inspect.getsource(delete_doc) else []
	assert [kind for kind, _ in frappes_own] in ([], [DOCUMENT])
	check([taken[len(frappes_own) :]], *(kind for kind in EVERYTHING if not frappes_own or kind != DOCUMENT))


@pytest.mark.parametrize("choice", ["accept_client", "accept_server"])
def test_a_conflict_that_is_settled(pair, choice):
	_, name = pair.clash()
	check(traced(lambda: cases.resolve(name, cases.Resolution(choice))), *EVERYTHING)


def test_a_conflict_that_is_dismissed_and_opened_again(pair):
	_, name = pair.clash()
	check(traced(lambda: cases.dismiss(name, "no need")), HELD, DOCUMENT, RECORD)
	check(traced(lambda: cases.reopen(name)), HELD, DOCUMENT, RECORD)


@pytest.mark.parametrize("look", [conflict_view.whole, conflict_view.form])
def test_who_looks_at_a_conflict_locks_nothing(pair, look):
	_, name = pair.clash()
	frappe.db.rollback()
	with Locks(WALLET) as locks:
		look(name)
	assert locks.all == []


def test_a_failed_item_that_is_processed_again(pair):
	missing = new_id("account")
	given = {
		"transaction_type": "expense",
		"date_time": "2026-03-01T10:00:00Z",
		"amount": 5,
		"currency": "SAR",
	}
	failing = change(TRANSACTION, new_id(), account=missing, **given)
	failing.raw = {"op_id": failing.op_id, "entity_type": TRANSACTION, "entity_id": failing.client_id}
	failing.raw |= {"operation": "create", "payload": failing.payload}
	(outcome,) = push.push(pair.mine, [failing], push.Options("wallet")).outcomes
	assert outcome.code == "invalid_link"
	pair.accept(pair.mine, change(ACCOUNT, missing, account_name="a", account_type="cash", currency="SAR"))
	(item,) = frappe.get_all("Sync Item", filters={"op_id": failing.op_id}, pluck="name")

	def again():
		(result,) = failed.process([item])
		assert result["done"], result

	check(traced(again), *EVERYTHING)


def test_reconcile(money):
	_, account, _ = money
	frappe.db.sql("UPDATE `tabHisabi Account` SET color = 'raw' WHERE name = %s", (account,))
	frappe.db.commit()
	check(traced(lambda: reconcile.run(ACCOUNT), None), DOCUMENT, RECORD, COUNTER)


def test_garbage(money):
	pair, _, payment = money
	client_id = frappe.db.get_value(TRANSACTION, payment, "client_id")
	send(pair.mine, change(TRANSACTION, client_id, "delete", 1))
	old = clock.now().replace(year=2020)
	frappe.db.set_value("Sync Record", {"document_name": payment}, "deleted_at", old, update_modified=False)
	frappe.db.commit()
	check(traced(lambda: garbage.collect_space(pair.mine.space)), DOCUMENT, RECORD)


def test_values_that_are_repaired(money):
	pair, account, _ = money
	frappe.db.sql("UPDATE `tabHisabi Account` SET current_balance = 99 WHERE name = %s", (account,))
	frappe.db.commit()
	check(traced(lambda: verify.verify(pair.mine.space_key, repair=True)), *EVERYTHING)


@pytest.fixture
def streak(site):
	"""(family, document name of a done task, that of the streak that follows from it)."""
	family = new_family("Administrator")
	values = {"doctype": "Family Task", "family": family, "title": "Dishes", "points": 5}
	task = frappe.get_doc({**values, "status": "open", "assignees": '["Administrator"]'}).insert()
	task.status = family_derived.DONE
	task.save()
	frappe.db.commit()
	(name,) = frappe.get_all("Family Streak", filters={"family": family}, pluck="name")
	return family, task.name, name


def test_a_task_that_is_done_in_the_desk(streak):
	_, task, _ = streak

	def reopen():
		doc = frappe.get_doc("Family Task", task)
		doc.status = "open"
		doc.save()

	check(traced(reopen, FAMILY), *EVERYTHING)


def test_a_streak_that_expires(streak):
	family, _, name = streak
	frappe.db.set_value("Family Streak", name, {"current_streak": 3, "last_done_on": "2020-01-01"})
	frappe.db.commit()
	check(traced(lambda: family_derived._expire(name, family), FAMILY), *EVERYTHING)
	assert frappe.db.get_value("Family Streak", name, "current_streak") == 0
