"""What an item holds beside its payload has a size too, and no answer repeats more of it than a name has letters."""

import json

import frappe
import pytest

from hisabi_sync.engine.model import ids
from tests.values.lines import OK

LONG = "x" * 1_000_000
ID_NAMES = ("entity_id", "client_id", "client_temp_id", "observationId")


def kept():
	"""Length of the longest item in the ledger that was written last."""
	frappe.db.rollback()
	rows = frappe.get_all("Sync Item", ["payload", "client_id", "op_id"], order_by="creation desc", limit=5)
	return max(len(json.dumps(row)) for row in rows)


@pytest.mark.parametrize("part", ["base_values", "id"])
def test_an_item_is_as_large_as_all_it_holds(line, part):
	item = line.item("fine")
	if part == "id":
		item |= {name: LONG for name in ID_NAMES if item.get(name)}
	elif line.name == "batch":
		item["corrections"] = LONG  # that contract has no base values; this the server alone sets
	else:
		item["base_values"] = {"note": LONG}
	response = line.send(json.dumps([item, line.item("fine")]))
	assert response.status_code == 200 and len(response.content) < 5_000, response.text[:500]
	said = line.said(response.json(), 2)
	assert sorted(said) == sorted([OK, "payload_too_large"])
	assert kept() < 2_000


def test_an_id_that_is_a_little_too_long_is_repeated_as_far_as_ids_go(line):
	item = line.item("fine")
	item |= {name: "y" * 1000 for name in ID_NAMES if item.get(name)}
	response = line.send(json.dumps([item]))
	assert response.status_code == 200 and "y" * (ids.LONGEST + 1) not in response.text
	assert line.said(response.json(), 1) != [OK]
