"""Actions in the site contract: submit, cancel, amend, and what follows a create at once."""

import frappe
import pytest

from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.test_actions import leave as leave
from tests.mobile.test_actions import paper as paper
from tests.site.app import action, create, tenant_device, update
from tests.support.phone import new_id


@pytest.fixture
def device(server, site):
	return tenant_device(server, site)


def status(doctype, name):
	frappe.db.rollback()
	return frappe.db.get_value(doctype, name, "docstatus")


def test_a_document_is_submitted_cancelled_and_amended(device, paper):
	made = create(paper, note="first")
	(result,) = device.push(made)
	device.pull()
	held = device.held[paper, made["id"]]
	assert (held["docstatus"], held["actions"]) == (0, ["submit"]) and "docstatus" not in held["values"]
	submit = action("submit", paper, made["id"], 1)
	(done,) = device.push(submit)
	assert (done["status"], done["version"], done["record"]["docstatus"]) == ("accepted", 2, 1), done
	assert device.push(submit)[0]["already_applied"]
	(cancelled,) = device.push(action("cancel", paper, made["id"], 2))
	assert cancelled["status"] == "accepted" and status(paper, result["name"]) == 2
	new = new_id("amended")
	amend = action(
		"amend", paper, made["id"], 3, args={"id": new}, values={"note": "better"}, then=["submit"]
	)
	(amended,) = device.push(amend)
	assert (amended["status"], amended["id"]) == ("accepted", new), amended
	assert device.push(amend)[0]["already_applied"]
	device.pull()
	held = device.held[paper, new]
	assert (held["values"]["amended_from"], held["values"]["note"], held["docstatus"]) == (
		made["id"],
		"better",
		1,
	)


def test_the_server_names_what_an_amendment_makes_where_nobody_does(device, paper):
	made = create(paper, note="a", then=["submit"])
	results = device.push(made, action("cancel", paper, made["id"], 2), action("amend", paper, made["id"], 3))
	assert [one["status"] for one in results] == ["accepted"] * 3, results
	assert results[2]["id"] not in (made["id"], "")
	device.pull()
	assert device.held[paper, results[2]["id"]]["values"]["amended_from"] == made["id"]


def test_an_action_on_what_others_changed_is_a_conflict(device, paper):
	made = create(paper, note="a")
	(result,) = device.push(made)
	doc = frappe.get_doc(paper, result["name"])
	doc.note = "office"
	doc.save()
	frappe.db.commit()
	(lost,) = device.push(action("submit", paper, made["id"], 1))
	assert (lost["status"], status(paper, result["name"])) == ("conflict", 0), lost
	assert lost["conflict"]["fields"]["note"]["server"] == "office"
	(listed,) = device.get("conflicts").json()["items"]
	assert (listed["op"], listed["action"]) == ("action", "submit")
	(done,) = device.push(action("submit", paper, made["id"], 2))
	assert done["status"] == "accepted" and status(paper, result["name"]) == 1


def test_a_workflow_says_its_state_and_what_may_be_done(device, leave):
	made = create(leave, note="x")
	device.push(made)
	device.pull()
	held = device.held[leave, made["id"]]
	assert (held["workflow_state"], held["actions"]) == ("Asked", ["workflow:Turn down"])
	(done,) = device.push(action("workflow:Turn down", leave, made["id"], 1))
	assert done["record"]["workflow_state"] == "Turned down", done
	(refused,) = device.push(action("workflow:Grant", leave, made["id"], 2))
	assert refused["status"] == "error" and refused["detail"] is not None, refused


@pytest.mark.parametrize(
	"wrong",
	[
		{"action": "workflow:"},
		{"action": "destroy"},
		{"action": None},
		{"action": ["submit"]},
		{"args": {"a": 1}},
		{"then": ["submit"]},
		{"then": "submit"},
		{"action": "amend", "args": {"id": " "}},
		{"action": "amend", "args": [1]},
		{"base_version": "x"},
		{"op": "create", "then": ["amend"]},
		{"op": "update", "then": ["submit"] * 11},
	],
	ids=str,
)
def test_a_malformed_action_costs_its_item(device, paper, wrong):
	made = create(paper, note="a")
	device.push(made)
	odd = action("submit", paper, made["id"], 1, values={"note": "b"}) | wrong
	bad, good = device.push(odd, update(paper, made["id"], 1, note="c"))
	assert (bad["status"], bad["code"], good["status"]) == ("error", "field_invalid", "accepted"), (bad, good)


def test_that_type_of_space(paper):
	assert frappe.db.get_value("Sync Entity", {"document_type": paper}, "space_type") == SPACE_TYPE
