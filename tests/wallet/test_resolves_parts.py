"""Choices in child rows and JSON: they settle what they name, and nothing that nobody took out goes with them."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import create, new_id, update
from tests.wallet.wire import payload_of

ITEMS = {"Data": ("Soap", "Tea", "Salt", "Rice"), "Link": ("SAR", "USD", "EUR", "YER")}


@pytest.fixture(scope="module", params=["Data", "Link"])
def shop(request, server, site):
	"""(DocType with rows and JSON that a person made in the Desk, names of four items)."""
	name = new_id("Shop").replace("-", " ")
	frappe.set_user("Administrator")
	retry.run(lambda: _make(name, request.param))
	yield name, ITEMS[request.param]
	doctypes.remove(name, f"{name} Line")


def _make(name, fieldtype):
	item = ("item", fieldtype, "Currency" if fieldtype == "Link" else None)
	doctypes.make(f"{name} Line", columns(item, ("qty", "Int")), istable=1)
	doctypes.make(name, columns("wallet", ("lines", "Table", f"{name} Line"), ("prefs", "JSON")))
	doctypes.sync(name, "wallet", "wallet", check_permissions=0)


@pytest.fixture
def collided(shared, sibling, shop):
	"""(client id, rows of A, settle): B set the first row; A set it, the second, and added one."""
	name, items = shop
	made = create(name, lines=[_row(item, 1) for item in items[:3]], prefs={"a": 1, "b": 1, "c": 1})
	shared.push(made)
	client_id = made["entity_id"]
	begin = payload_of(shared, name, client_id)["lines"]
	theirs = [{**begin[0], "qty": 11}, *begin[1:]]
	(answer,) = shared.push(update(name, client_id, 1, lines=theirs, prefs={"a": 11, "b": 1, "c": 1}))
	assert answer["status"] == "accepted"
	mine = [{**begin[0], "qty": 12}, {**begin[1], "qty": 70}, begin[2], _row(items[3], 4)]
	(answer,) = sibling.push(update(name, client_id, 1, lines=mine, prefs={"a": 12, "b": 70, "c": 1}))
	assert (answer["status"], set(answer["conflict_fields"])) == ("conflict", {"lines", "prefs"})

	def settle(**choices):
		item = {**update(name, client_id, None, **choices), "resolves": answer["conflict_id"]}
		(result,) = sibling.push(item)
		assert result["status"] == "accepted", result
		held = payload_of(shared, name, client_id)
		assert held["lines"] == result["server_record"]["lines"]
		return [row["qty"] for item in items for row in held["lines"] if row["item"] == item], held["prefs"]

	return client_id, mine, settle


def _row(item, qty):
	return {"item": item, "qty": qty}


def test_nothing_is_chosen(collided):
	_, _, settle = collided
	assert settle() == ([11, 70, 1, 4], {"a": 11, "b": 70, "c": 1})


def test_one_row_and_one_key_are_chosen(collided):
	_, mine, settle = collided
	got = settle(lines=[{**mine[0], "qty": 13}], prefs={"a": 13})
	assert got == ([13, 70, 1, 4], {"a": 13, "b": 70, "c": 1})


def test_everything_is_chosen(collided):
	_, mine, settle = collided
	got = settle(lines=[{**mine[0], "qty": 13}, *mine[1:]], prefs={"a": 13, "b": 70, "c": 1})
	assert got == ([13, 70, 1, 4], {"a": 13, "b": 70, "c": 1})


def test_empty_lists_and_objects_choose_nothing(collided):
	_, _, settle = collided
	assert settle(lines=[], prefs={}) == ([11, 70, 1, 4], {"a": 11, "b": 70, "c": 1})


def test_the_device_keeps_its_own_later_rows(collided, sibling, shop):
	"""Between the conflict and its settlement the same device added a row, which its choice does not name."""
	client_id, mine, settle = collided
	name, items = shop
	late = [*payload_of(sibling, name, client_id)["lines"], _row(items[2], 5)]
	(answer,) = sibling.push(update(name, client_id, 2, lines=late))
	assert answer["status"] == "accepted"
	rows, _ = settle(lines=[{**mine[0], "qty": 13}])
	assert rows == [13, 70, 1, 5, 4]
