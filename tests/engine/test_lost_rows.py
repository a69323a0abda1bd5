"""A row that raw SQL removed is its record's tombstone: for who writes to it, and for everybody else."""

import frappe
import pytest

from hisabi_sync.engine import push
from tests.derived.conftest import new_household
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id

# An entity type that other values follow from, and one that none do.
KINDS = {
	"Hisabi Account": {"account_name": "Cash", "account_type": "cash", "currency": "SAR"},
	"Hisabi Category": {"category_name": "Food", "kind": "expense"},
}
NAMES = {"Hisabi Account": "account_name", "Hisabi Category": "category_name"}


@pytest.fixture
def household():
	return new_household("Administrator")


def lose(doctype, client_id):
	frappe.db.sql(f"DELETE FROM `tab{doctype}` WHERE client_id = %s", (client_id,))  # noqa: S608
	frappe.db.commit()


def rows(doctype, client_id):
	return frappe.db.sql(f"SELECT COUNT(*) FROM `tab{doctype}` WHERE name LIKE %s", (f"{client_id}%",))[0][0]  # noqa: S608


@pytest.mark.parametrize("doctype", KINDS)
@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_push_that_names_it_is_told_and_the_others_are_applied(household, doctype, operation):
	one, two = household
	gone, stays = new_id(), new_id()
	values = KINDS[doctype]
	outcomes = send(
		one, change(doctype, gone, **values), change(doctype, stays, **{**values, NAMES[doctype]: "B"})
	)
	assert {outcome.status for outcome in outcomes} == {"accepted"}
	_, token = fetch(two)
	lose(doctype, gone)
	payload = {"color": "red"} if operation == "update" else {}
	outcomes = send(
		one,
		change(doctype, gone, operation, 1, **payload),
		change(doctype, stays, "update", 1, color="red"),
	)
	assert outcomes[1].status == "accepted"
	if operation == "update":
		assert (outcomes[0].code, outcomes[0].detail["is_deleted"]) == ("deleted", True)
	else:
		assert outcomes[0].status in ("accepted", "duplicate")
	assert rows(doctype, gone) == 0, "a hollow row without owner and wallet"
	told = {item.client_id: item.deleted_at is not None for item in fetch(two, token)[0]}
	assert told == {gone: True, stays: False}


def test_a_dry_run_leaves_it_as_it_is(household):
	one, two = household
	gone = new_id()
	send(one, change("Hisabi Category", gone, **KINDS["Hisabi Category"]))
	lose("Hisabi Category", gone)
	(outcome,) = send(one, change("Hisabi Category", gone, "update", 1, color="red"), dry_run=True)
	assert outcome.code == "deleted"
	assert frappe.db.get_value("Sync Record", {"client_id": gone}, "deleted_at") is None


def test_a_payment_from_an_account_that_is_gone_spoils_nobody_else(household):
	one, _ = household
	gone, stays = new_id(), new_id()
	cash = KINDS["Hisabi Account"]
	send(one, change("Hisabi Account", gone, **cash), change("Hisabi Account", stays, **cash))
	lose("Hisabi Account", gone)

	def payment(account):
		values = {"transaction_type": "expense", "date_time": "2026-03-01T10:00:00Z", "amount": 1}
		return change("Hisabi Transaction", new_id(), currency="SAR", account=account, **values)

	outcomes = push.push(one, [payment(gone), payment(stays)], push.Options("test")).outcomes
	assert outcomes[1].status == "accepted"
	assert frappe.db.get_value("Hisabi Account", {"client_id": stays}, "current_balance") == -1
