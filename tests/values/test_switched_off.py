"""An entity type that the site has switched off, or cannot use, in each contract: one stable code, nothing applied."""

import json

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types
from tests.values.lines import OK

CODE = "entity_disabled"
# Contract -> DocType of the line's items.
DOCTYPES = {
	"wallet": "Hisabi Account",
	"mobile": "Field Meter",
	"batch": "Field Observation",
	"family": "Family Task",
}
NEIGHBOURS = {"wallet": lambda line: line.others[1](), "family": lambda line: line.others[0]()}
HOW = {
	"switched off": ("enabled", 0, 1),
	"broken": ("policy_parameters", "{no JSON", None),
}


def put(doctype, column, value):
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Entity", {"document_type": doctype})
	frappe.db.set_value("Sync Entity", name, column, value, update_modified=False)
	entity_types.forget()
	frappe.db.commit()


@pytest.fixture(params=HOW)
def closed(request, line):
	"""The line while devices can neither see nor write its items, with what its tables held before."""
	column, value, before = HOW[request.param]
	doctype = DOCTYPES[line.name]
	held = frappe.db.get_value("Sync Entity", {"document_type": doctype}, column)
	put(doctype, column, value)
	yield line
	put(doctype, column, held if column != "enabled" else before)


def counts(doctype):
	frappe.db.rollback()
	return frappe.db.count(doctype), frappe.db.count("Sync Record", {"document_type": doctype})


def result_of(line, answer):
	"""(code, whether it is worth another try, text of all that is told) of the one item."""
	found = answer.get("message", answer)
	one = (found.get("results") or [*found.get("errors", ()), *found.get("conflicts", ())])[0]
	return one.get("error_code") or one["code"], one.get("retryable"), json.dumps(one)


def test_an_item_of_it_is_refused_by_a_stable_code_and_nothing_is_applied(closed):
	doctype = DOCTYPES[closed.name]
	before = counts(doctype)
	item = json.dumps(closed.item("kept for later"))
	for _ in range(2):
		response = closed.send(f"[{item}]")
		assert response.status_code == 200, response.text
		code, retryable, told = result_of(closed, response.json())
		# Items of the wallet's contract have no `retryable`: its guide names the code.
		assert (code, retryable) == (CODE, None if closed.name == "wallet" else True), told
	assert counts(doctype) == before


def test_what_was_refused_is_taken_when_it_is_on_again(line):
	doctype = DOCTYPES[line.name]
	item = json.dumps(line.item("kept for later"))
	put(doctype, "enabled", 0)
	try:
		assert line.push(item) == [CODE]
	finally:
		put(doctype, "enabled", 1)
	before = counts(doctype)
	assert line.push(item) == [OK]
	assert counts(doctype) == tuple(number + 1 for number in before)


@pytest.mark.parametrize("contract", ["wallet", "family"])
def test_neighbours_of_other_types_are_applied(request, contract):
	line = request.getfixturevalue(contract)
	put(DOCTYPES[contract], "enabled", 0)
	try:
		items = [line.item("off"), NEIGHBOURS[contract](line)]
		assert line.push(*map(json.dumps, items)) == [CODE, OK]
	finally:
		put(DOCTYPES[contract], "enabled", 1)
