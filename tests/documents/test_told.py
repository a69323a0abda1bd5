"""What was stored is not what was sent: the answer says so and names it, and a pull brings it, also where the answer was lost."""

import pytest

from tests.support.engine import change, fetch

DATES = "ITM-1"
DAY, LATER = "2099-03-01", "2099-03-20"


@pytest.fixture
def dated(seller):
	"""An order whose row is delivered on DAY, and so is the order."""
	return seller.made({"item_code": DATES, "delivery_date": DAY})


def test_a_value_that_the_controller_puts_back_is_told_and_pulled(seller, dated):
	_, token = fetch(seller.caller)
	outcome = seller.edited(dated, delivery_date=LATER)
	assert (outcome.merged, outcome.adjusted, outcome.doc_version) == (True, ["delivery_date"], 2)
	assert outcome.record["delivery_date"] == DAY
	(item,), _ = fetch(seller.caller, token)
	assert (item.client_id, item.doc_version, item.payload["delivery_date"]) == (dated, 2, DAY)
	assert seller.edited(dated, 2, note="next").doc_version == 3
	assert seller.edited(dated, 2, po_no="AB").doc_version == 4, "nobody else has changed it"


def test_a_repeat_of_it_gets_the_first_answer(seller, dated):
	edit = seller.update(dated, delivery_date=LATER)
	again = change(edit.entity_type, dated, "update", 1, op_id=edit.op_id, **edit.payload)
	(first,), (second,) = seller.push(edit), seller.push(again)
	assert second.repeated and (second.doc_version, second.adjusted, second.record) == (
		first.doc_version,
		first.adjusted,
		first.record,
	)


def test_a_value_that_the_controller_changes_is_told(seller, dated):
	outcome = seller.edited(dated, po_no=" ab ", note="x")
	assert (outcome.adjusted, outcome.record["po_no"], outcome.doc_version) == (["po_no"], "AB", 2)


def test_a_column_of_rows_that_the_controller_changes_is_told(seller, dated):
	(row,) = seller.doc(dated).items
	outcome = seller.edited(dated, items=[{"name": row.name, "discount_percentage": 50, "rate": 9}])
	assert outcome.adjusted == ["items.rate"]
	assert outcome.record["items"][0]["rate"] == 5.5


def test_a_value_of_a_new_order_that_is_set_from_elsewhere_is_told(seller):
	given = seller.order({"item_code": DATES}, territory="South")
	(outcome,) = seller.push(given)
	assert (outcome.status, outcome.adjusted, outcome.record["territory"]) == (
		"accepted",
		["territory"],
		"North",
	)


def test_what_only_the_server_sets_is_told_where_the_device_has_another_value(seller, dated):
	outcome = seller.edited(dated, status="Done", total=11)
	assert (sorted(outcome.warnings), outcome.adjusted) == (["status", "total"], ["status"])
	assert (outcome.doc_version, outcome.record["status"]) == (2, "Draft")
	same = seller.edited(dated, 2, status="Draft", total=11)
	assert (same.adjusted, same.doc_version, same.merged) == (None, 2, False)


def test_a_docstatus_is_ignored_and_named(seller, dated):
	outcome = seller.edited(dated, docstatus=1)
	assert outcome.warnings == ["docstatus"]
	assert seller.doc(dated).docstatus == 0


def test_what_may_not_be_read_is_not_compared(seller, boss, dated):
	boss.edited(dated, credit_limit=500)
	for guess in (500, 501):
		outcome = seller.edited(dated, 2, credit_limit=guess)
		assert (outcome.warnings, outcome.adjusted, outcome.doc_version) == (["credit_limit"], None, 2)
	assert seller.doc(dated).credit_limit == 500


def test_an_edit_of_what_is_computed_from_it_is_no_difference(seller, dated):
	(row,) = seller.doc(dated).items
	outcome = seller.edited(dated, items=[{"name": row.name, "qty": 4}])
	assert (outcome.adjusted, outcome.merged) == (None, False)
	assert seller.held(dated).payload["items"][0]["amount"] == 44


def test_a_dry_run_says_what_an_order_would_cost_and_leaves_nothing(seller, shop):
	wanted = seller.order({"item_code": DATES, "qty": 2})
	(outcome,) = seller.push(wanted, dry_run=True, shows_all=True)
	assert (outcome.status, outcome.doc_version) == ("accepted", 1)
	quoted = outcome.record
	assert seller.held(wanted.client_id) is None
	again = change(wanted.entity_type, wanted.client_id, **wanted.payload)
	(made,) = seller.push(again)
	assert made.record is None, "nothing came out otherwise than it was sent"
	payload = seller.held(wanted.client_id).payload
	assert quoted["grand_total"] == payload["grand_total"] > 0
	assert [line["rate"] for line in quoted["items"]] == [line["rate"] for line in payload["items"]]


def test_a_dry_run_of_a_delete_shows_no_record(seller, dated):
	(outcome,) = seller.push(change(seller.shop.order, dated, "delete", 1), dry_run=True, shows_all=True)
	assert (outcome.status, outcome.record) == ("accepted", None)
