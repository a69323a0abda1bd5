"""Controllers get the types that Frappe itself hands them, and what they raise costs one item."""

import frappe
import pytest
from frappe.utils import add_days, nowdate

from hisabi_sync.api.protocol.item_reader import is_retryable
from tests.support import shop as double
from tests.support.engine import change
from tests.support.phone import new_id

DATES, COFFEE = "ITM-1", "ITM-2"


def test_amounts_are_floats(seller):
	client_id = seller.made({"item_code": DATES, "rate": 9.99, "discount_percentage": 0})
	seller.edited(client_id, additional_discount_percentage=5)
	doc = seller.doc(client_id)
	assert (doc.total, round(doc.discount_amount, 4)) == (9.99, 0.4995)
	made = seller.doc(
		seller.made({"item_code": COFFEE, "discount_percentage": 50}, additional_discount_percentage=10)
	)
	assert (made.total, round(made.discount_amount, 2)) == (6, 0.6)


def test_dates_and_times_are_compared_with_those_of_the_document(seller):
	first, second = add_days(nowdate(), 3), add_days(nowdate(), 5)
	client_id = seller.made(
		{"item_code": DATES, "delivery_date": first}, {"item_code": COFFEE}, pick_up="08:30:00"
	)
	rows = [{"name": one.name} for one in seller.doc(client_id).items]
	seller.edited(client_id, items=[rows[0], {**rows[1], "delivery_date": second}], pick_up="09:15:00")
	doc = seller.doc(client_id)
	assert (str(doc.delivery_date), str(doc.pick_up)) == (second, "9:15:00")
	late = seller.update(client_id, 2, items=[rows[0], {**rows[1], "delivery_date": add_days(nowdate(), -9)}])
	assert seller.push(late)[0].status == "accepted"
	assert str(seller.doc(client_id).delivery_date) == first


@pytest.mark.parametrize("trouble", ["type", "key"])
def test_a_mistake_in_a_controller_costs_its_item_alone(seller, trouble):
	sound, other = seller.order({"item_code": DATES}), seller.order({"item_code": COFFEE})
	odd = seller.order({"item_code": DATES}, note=trouble)
	outcomes = seller.push(sound, odd, other)
	assert [one.status for one in outcomes] == ["accepted", "error", "accepted"]
	assert (outcomes[1].code, outcomes[1].message) == (
		"internal_error",
		"The server could not process this item",
	)
	assert frappe.db.count(seller.shop.order, {"note": trouble, "team": seller.team}) == 0


def test_an_order_without_rows_costs_its_item_alone(seller):
	"""Its controller stumbles over that before Frappe asks for rows."""
	empty, sound = seller.order(), seller.order({"item_code": DATES})
	first, second = seller.push(empty, sound)
	assert (first.status, first.code, first.detail) == ("error", "missing_required_fields", ["items"])
	assert second.status == "accepted"


def test_a_sentence_of_a_controller_is_that_of_its_item(seller):
	(outcome,) = seller.push(seller.order({"item_code": DATES}, note="sentence"))
	assert (outcome.code, outcome.message) == ("rejected", "Accounts are frozen until Sunday")


def test_a_sentence_is_told_without_its_markup(seller, monkeypatch):
	raised = frappe.ValidationError("You must <a href='/x'> Cancel </a>\n  it first.")
	monkeypatch.setitem(double.TROUBLE, "again", raised)
	(outcome,) = seller.push(seller.order({"item_code": DATES}, note="again"))
	assert (outcome.code, outcome.message) == ("rejected", "You must Cancel it first.")


def test_a_mistake_is_logged_once_however_often_it_comes_back(seller, monkeypatch):
	raised = TypeError(f"odd {new_id()}")
	monkeypatch.setitem(double.TROUBLE, "again", raised)
	errors = f"Hisabi Sync: an item of {seller.shop.order} failed"
	before = frappe.db.count("Error Log", {"method": errors})
	odd = seller.order({"item_code": DATES}, note="again")
	tries = []
	for _ in range(4):
		given = change(odd.entity_type, odd.client_id, op_id=odd.op_id, **odd.payload)
		(outcome,) = seller.push(given)
		assert outcome.code == "internal_error"
		tries.append(is_retryable(outcome))
	assert tries == [True, True, False, False]
	assert frappe.db.count("Error Log", {"method": errors}) - before <= 1
