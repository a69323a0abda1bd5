"""Absent is not empty: what a device leaves out of a document or a row, the record keeps or the controller fills."""

import pytest

from tests.support.engine import change
from tests.support.phone import new_id

DATES, COFFEE = "ITM-1", "ITM-2"


def row(item, qty=2, **more):
	return {"item_code": item, "qty": qty, **more}


def cells(doc, *names):
	return [tuple(getattr(one, name) for name in names) for one in doc.items]


def sent(rows, *names):
	"""Rows of a pull with their names and these columns alone."""
	return [{name: one[name] for name in ("name", *names)} for one in rows]


def test_a_new_order_gets_prices_names_and_units_from_its_items(seller):
	doc = seller.doc(seller.made(row(DATES), row(COFFEE, 3)))
	assert cells(doc, "item_name", "uom", "conversion_factor", "rate", "amount") == [
		("Dates", "Nos", 1, 11, 22),
		("Coffee", "Nos", 1, 12, 36),
	]
	assert (doc.total, round(doc.grand_total, 2)) == (58, 66.7)


def test_a_price_of_nothing_that_was_meant_stays(seller):
	doc = seller.doc(seller.made(row(DATES, rate=0), row(COFFEE, rate=None)))
	assert cells(doc, "rate") == [(0,), (12,)], "0 is a price; null says nothing in a new row"


def test_a_column_left_out_has_the_default_of_its_doctype(seller):
	doc = seller.doc(seller.made({"item_code": DATES}))
	assert cells(doc, "qty", "amount") == [(1, 11)]
	client_id = seller.made(row(DATES))
	(held,) = seller.held(client_id).payload["items"]
	seller.edited(client_id, items=[{"name": held["name"]}, {"item_code": COFFEE}])
	assert cells(seller.doc(client_id), "qty", "rate") == [(2, 11), (1, 12)]


@pytest.mark.parametrize("named", [True, False], ids=["by name", "by links"])
def test_a_row_keeps_what_an_edit_leaves_out(seller, named):
	client_id = seller.made(row(DATES, rate=20, note="blue ones"), row(COFFEE, 1, discount_percentage=50))
	held = sent(seller.held(client_id).payload["items"], "item_code")
	first, second = held if named else ({"item_code": one["item_code"]} for one in held)
	outcome = seller.edited(client_id, items=[{**first, "qty": 5}, second])
	assert not outcome.merged, outcome.record
	doc = seller.doc(client_id)
	assert cells(doc, "name", "qty", "rate", "note", "discount_percentage") == [
		(held[0]["name"], 5, 20, "blue ones", 0),
		(held[1]["name"], 1, 6, None, 50),
	]


def test_a_row_keeps_columns_that_devices_do_not_know(seller):
	client_id = seller.made(row(DATES))
	seller.in_desk(client_id, rows={0: {"barcode": "628"}})
	(held,) = sent(seller.held(client_id).payload["items"])
	seller.edited(client_id, items=[{**held, "qty": 3}])
	assert cells(seller.doc(client_id), "qty", "barcode") == [(3, "628")]


def test_a_cell_that_is_sent_empty_is_emptied(seller):
	client_id = seller.made(row(DATES, rate=20, note="blue ones"))
	(held,) = sent(seller.held(client_id).payload["items"])
	seller.edited(client_id, items=[{**held, "note": None, "rate": None}])
	assert cells(seller.doc(client_id), "note", "rate") == [(None, 0)]


def test_an_old_edit_takes_no_column_back_that_it_left_out(seller):
	client_id = seller.made(row(DATES), row(COFFEE))
	first, second = sent(seller.held(client_id).payload["items"])
	seller.in_desk(client_id, rows={0: {"rate": 9, "note": "agreed"}})
	outcome = seller.edited(client_id, items=[{**first, "qty": 7}, second])
	assert outcome.merged
	assert cells(seller.doc(client_id), "qty", "rate", "note") == [(7, 9, "agreed"), (2, 12, None)]


def test_an_old_edit_of_a_row_that_is_gone_shows_the_whole_row(seller, other):
	client_id = seller.made(row(DATES, rate=20, note="blue ones"), row(COFFEE))
	first, second = sent(seller.held(client_id).payload["items"])
	other.edited(client_id, items=[second])
	(outcome,) = seller.push(seller.update(client_id, items=[{**first, "qty": 7}, second]))
	assert (outcome.status, outcome.conflict_fields) == ("conflict", ["items"])
	assert cells(seller.doc(client_id), "item_code") == [(COFFEE,)]


def test_a_base_in_parts_clashes_only_in_what_it_names(seller):
	client_id = seller.made(row(DATES))
	(held,) = sent(seller.held(client_id).payload["items"])
	seller.in_desk(client_id, rows={0: {"note": "agreed"}})
	edit = seller.update(client_id, None, items=[{**held, "qty": 7}])
	edit.base_values = {"items": [{**held, "qty": 2}]}
	(outcome,) = seller.push(edit)
	assert outcome.status == "accepted", outcome
	assert cells(seller.doc(client_id), "qty", "note") == [(7, "agreed")]
	blind = seller.update(client_id, None, items=[{**held, "note": "mine"}])
	blind.base_values = {"items": [held]}
	(outcome,) = seller.push(blind)
	assert outcome.status == "conflict", "it did not say which note it saw"


def test_what_the_controller_does_not_fill_is_named_by_its_column(seller):
	(outcome,) = seller.push(change(seller.shop.order, new_id("order"), items=[row(DATES)]))
	assert (outcome.code, outcome.detail) == ("missing_required_fields", ["customer"])
	client_id = seller.made(row(DATES))
	(held,) = sent(seller.held(client_id).payload["items"])
	(outcome,) = seller.push(
		seller.update(client_id, items=[{**held, "item_code": DATES, "conversion_factor": None}])
	)
	assert outcome.status == "accepted", outcome
	note = seller.order(row(DATES), note="missing")
	assert seller.push(note)[0].message == "Say who pays for it"
