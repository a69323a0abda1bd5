"""A paper that was submitted on this side and edited on the other one: a person says in the Desk which values stand."""

import frappe
import pytest

from tests.runs import test_both_ways, world
from tests.runs.conftest import alone, operator
from tests.runs.test_both_ways import connect, edit_there, here, keyed_service, linked, there
from tests.runs.test_lifecycle import CARRIED, papers

assert alone and operator and papers  # fixtures


@pytest.fixture
def erp(desk_site, alone, papers):
	frappe.local.conf["hisabi_sync_allowed_networks"] = ["127.0.0.0/8"]
	with keyed_service() as running:
		yield running


@pytest.fixture
def clash(operator, erp):
	"""(connection, run record) of a paper submitted here with 7 and edited there to 8."""
	connection = connect(operator, erp, **CARRIED)
	doc = linked(operator, connection)
	doc.reload()
	doc.quantity = 7
	doc.submit()
	frappe.db.commit()
	edit_there(erp, quantity=8)
	(record,) = test_both_ways.run(operator, connection, "push")["records"]
	assert record["error_code"] == "both_changed", record
	return connection, record["id"]


@pytest.mark.parametrize("side, quantity", [("here", 7), ("there", 8)])
def test_a_person_says_which_values_stand(window, manager, operator, erp, clash, shots, side, quantity):
	connection, record = clash
	page = window(manager)
	page.goto(f"/app/sync-run-record/{record}")
	page.get_by_text("Both sides have changed").first.wait_for()
	page.screenshot(path=shots / "run-both-changed.png")
	with page.expect_response("**/*runs_desk.retry") as answered:
		page.get_by_role("button", name=f"Keep the values {side}").click()
	assert answered.value.ok, answered.value.text()
	page.wait_for_function("cur_frm.doc.status === 'pending'")
	assert page.get_by_role("button", name="Keep the values here").count() == 0
	world.lanes.work(connection.name)
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Run Record", record, ["status", "keep"]) == ("completed", side)
	(document,) = erp.site.documents["Paper"].values()
	assert (document["quantity"], document["docstatus"]) == (quantity, 1)
	assert there(erp)[0][1] == quantity and here(operator)[0].quantity == 7
	assert page.mistakes == []
