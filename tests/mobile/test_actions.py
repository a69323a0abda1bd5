"""Submit, cancel, amend, transitions of a Workflow and methods in the mobile contract, over HTTP."""

from concurrent.futures import ThreadPoolExecutor

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import cases
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import create, new_app, update
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.phone import new_id

FULL = {"submit": 1, "cancel": 1, "amend": 1}
STATES = (("Asked", 0), ("Granted", 1), ("Turned down", 0))


@pytest.fixture(scope="module")
def paper(site):
	"""A DocType whose documents are submitted."""
	name = f"Paper {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	retry.run(lambda: _make(name, is_submittable=1))
	_sync(name, "submit", "cancel", "amend")
	yield name
	doctypes.remove(name)


@pytest.fixture(scope="module")
def leave(site):
	"""A DocType with a Workflow: the seller asks, a boss grants or turns down."""
	name = f"Leave {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	retry.run(lambda: _make(name, is_submittable=1))
	_sync(name, "workflow")
	_make_workflow(name)
	yield name
	frappe.delete_doc("Workflow", name)
	doctypes.remove(name)


def _make(name, **values):
	roles = [permission("Hisabi User", **FULL), permission("System Manager", **FULL)]
	doctypes.make(name, columns("tenant", "note"), permissions=roles, **values)


def _sync(name, *actions):
	listed = [{"action": action} for action in actions]
	doctypes.sync(name, SPACE_TYPE, "tenant", check_permissions=1, actions=listed)


def _make_workflow(name):
	for state, _status in STATES:
		frappe.get_doc({"doctype": "Workflow State", "workflow_state_name": state}).insert(
			ignore_if_duplicate=True
		)
	for action in ("Grant", "Turn down", "Ask again"):
		frappe.get_doc({"doctype": "Workflow Action Master", "workflow_action_name": action}).insert(
			ignore_if_duplicate=True
		)
	states = [{"state": s, "doc_status": str(d), "allow_edit": "Hisabi User"} for s, d in STATES]
	steps = [
		("Asked", "Grant", "Granted", "System Manager"),
		("Asked", "Turn down", "Turned down", "Hisabi User"),
		("Turned down", "Ask again", "Asked", "Hisabi User"),
	]
	transitions = [
		{"state": state, "action": action, "next_state": after, "allowed": role, "allow_self_approval": 1}
		for state, action, after, role in steps
	]
	given = {"workflow_name": name, "document_type": name, "is_active": 1, "send_email_alert": 0}
	frappe.get_doc({"doctype": "Workflow", **given, "states": states, "transitions": transitions}).insert()
	frappe.db.commit()
	entity_types.registry()


def act(resource_type, identity, action, version, **more):
	payload = {"id": identity}
	given = {"resource_type": resource_type, "action": action, "payload": payload, "client_version": version}
	return {**given, **more}


def made(app, resource_type, **values):
	(result,) = app.push(create(resource_type, **values))
	assert result["status"] == "ok", result
	return result["server_id"]


def test_the_life_of_a_document_that_is_submitted(app, paper):
	identity = made(app, paper, note="first")
	held = app.held(paper, identity)
	assert (held["payload"]["docstatus"], held["actions"]) == (0, ["submit"])
	submit = act(paper, identity, "submit", 1)
	(result,) = app.push(submit)
	assert (result["status"], result["server_version"]) == ("ok", 2), result
	assert result["server_payload"]["docstatus"] == 1
	assert app.push(submit)[0] == result, "a repeat has the first answer"
	(cancelled,) = app.push(act(paper, identity, "cancel", 2))
	assert (cancelled["status"], app.held(paper, identity)["actions"]) == ("ok", ["amend"])
	amend = act(paper, None, "amend", 1, client_temp_id=new_id("tmp"))
	amend["payload"] = {"amended_from": identity, "note": "better"}
	(result,) = app.push(amend)
	assert result["status"] == "ok", result
	assert app.push(amend)[0] == result
	held = app.held(paper, result["server_id"])["payload"]
	assert (held["amended_from"], held["note"], held["docstatus"]) == (identity, "better", 0)


@pytest.mark.parametrize("round_", range(3))
def test_of_two_devices_that_amend_at_the_same_moment_one_wins(app, other, paper, round_):
	"""Two processes of the server have both found the document without an amendment; the loser is told, and may go on."""
	identity = made(app, paper, note="first")
	for number, action in enumerate(("submit", "cancel"), 1):
		assert app.push(act(paper, identity, action, number))[0]["status"] == "ok"
	wanted = {"amended_from": identity, "note": "better"}
	items = [act(paper, None, "amend", 1, client_temp_id=new_id("tmp"), payload=wanted) for _ in range(2)]
	with ThreadPoolExecutor(2) as pool:
		results = list(pool.map(lambda pair: pair[0].push(pair[1])[0], zip((app, other), items, strict=True)))
	told = sorted((result["status"], result.get("error_code")) for result in results)
	assert told == [("error", "already_amended"), ("ok", None)], results
	frappe.db.rollback()
	name = app.held(paper, identity)["name"]
	assert frappe.db.count(paper, {"amended_from": name}) == 1
	assert app.held(paper, identity)["actions"] == []


def test_one_push_creates_submits_cancels_and_amends_by_temporary_ids(app, paper):
	first, second = new_id("tmp"), new_id("tmp")
	make = create(paper, note="a")
	make["client_temp_id"] = first
	amend = act(paper, None, "amend", 1, client_temp_id=second)
	amend["payload"] = {"amended_from": first}
	steps = [
		make,
		act(paper, first, "submit", 1),
		act(paper, first, "cancel", 2),
		amend,
		act(paper, second, "submit", 1),
	]
	results = app.push(*steps)
	assert [result["status"] for result in results] == ["ok"] * 5, results
	held = app.held(paper, results[3]["server_id"])["payload"]
	assert (held["docstatus"], held["amended_from"]) == (1, results[0]["server_id"])


def test_create_and_submit_in_one_item(app, paper):
	item = {**create(paper, note="x"), "then": ["submit"]}
	(result,) = app.push(item)
	assert (result["status"], result["server_payload"]["docstatus"]) == ("ok", 1), result
	assert app.push(item)[0] == result


@pytest.mark.parametrize(
	"wrong",
	[
		{"then": "submit"},
		{"then": ["create"]},
		{"then": ["amend"]},
		{"then": [1]},
		{"then": ["submit"] * 11},
		{"args": {"a": 1}},
		{"action": "workflow:"},
		{"action": "workflow"},
		{"action": ["submit"]},
		{"action": "amend"},
		{"action": "submit", "then": ["submit"]},
	],
	ids=str,
)
def test_a_malformed_action_costs_its_item(app, paper, wrong):
	identity = made(app, paper)
	odd = {**update(paper, identity, 1, note="odd"), **wrong}
	bad, good = app.push(odd, create(paper, note="good"))
	assert (bad["status"], good["status"]) == ("error", "ok"), (bad, good)
	assert bad["error_code"] in ("field_invalid", "field_required"), bad
	assert app.held(paper, identity)["payload"]["docstatus"] == 0


def test_the_office_submits_after_it_saw_what_was_changed(app, paper):
	identity, conflict = in_conflict(app, paper)
	with pytest.raises(RequestError, match="argument"):
		cases.resolve(conflict, cases.Resolution("manual_merge"))
	frappe.db.rollback()
	done = cases.resolve(conflict, cases.Resolution("accept_client"))
	frappe.db.commit()
	assert done["status"] == "Resolved" and app.held(paper, identity)["payload"]["docstatus"] == 1


def test_the_office_leaves_the_record_as_it_is(app, paper):
	identity, conflict = in_conflict(app, paper)
	cases.resolve(conflict, cases.Resolution("accept_server"))
	frappe.db.commit()
	held = app.held(paper, identity)
	assert (held["payload"]["docstatus"], held["payload"]["note"]) == (0, "of the office")


def test_the_author_takes_the_action_again_and_closes_the_conflict(app, paper):
	identity, conflict = in_conflict(app, paper)
	(result,) = app.push(act(paper, identity, "submit", 2))
	assert result["status"] == "ok", result
	assert frappe.db.get_value("Sync Conflict", conflict, "status") == "Superseded"


def test_the_author_settles_their_own_action_by_resolve(app, paper):
	identity, conflict = in_conflict(app, paper)
	answer = app.call(f"conflicts/{conflict}/resolve", {"resolution": "accept_client"})
	assert answer.status_code == 200, answer.text
	assert app.held(paper, identity)["payload"]["docstatus"] == 1


def in_conflict(app, paper):
	identity = made(app, paper, note="first")
	doc = frappe.get_doc(paper, app.held(paper, identity)["name"])
	doc.note = "of the office"
	doc.save()
	frappe.db.commit()
	(result,) = app.push(act(paper, identity, "submit", 1))
	assert (result["status"], result["conflict_fields"]) == ("conflict", ["note"]), result
	return identity, result["conflict_id"]


def test_transitions_of_a_workflow_go_by_roles_and_states(app, leave):
	identity = made(app, leave)
	held = app.held(leave, identity)
	assert held["payload"]["workflow_state"] == "Asked"
	assert held["actions"] == ["workflow:Turn down"]
	refused, down = app.push(
		act(leave, identity, "workflow:Grant", 1), act(leave, made(app, leave), "workflow:Turn down", 1)
	)
	assert (refused["status"], down["status"]) == ("error", "ok"), (refused, down)
	assert down["server_payload"]["workflow_state"] == "Turned down"
	(again,) = app.push(act(leave, down["server_id"], "workflow:Ask again", 2))
	assert (again["status"], again["server_payload"]["workflow_state"]) == ("ok", "Asked")


def test_a_transition_that_was_taken_is_no_change(app, leave):
	identity = made(app, leave)
	down = act(leave, identity, "workflow:Turn down", 1)
	assert app.push(down)[0]["status"] == "ok"
	(again,) = app.push({**down, "client_version": 2})
	assert (again["status"], again["server_version"]) == ("ok", 2)


def test_a_document_with_a_workflow_is_not_submitted_past_it(app, leave):
	(result,) = app.push(act(leave, made(app, leave), "submit", 1))
	assert result["error_code"] == "action_not_allowed"


def test_the_state_of_a_workflow_is_not_set_by_a_payload(app, leave):
	identity = made(app, leave)
	(result,) = app.push(update(leave, identity, 1, workflow_state="Granted", docstatus=1))
	assert result["status"] == "ok" and "docstatus" in result["adjusted"]
	assert result["server_payload"]["workflow_state"] == "Asked"
	assert app.held(leave, identity)["payload"]["workflow_state"] == "Asked"


def test_a_stranger_cannot_submit_what_they_do_not_see(stranger, app, paper):
	identity = made(app, paper)
	(result,) = stranger.push(act(paper, identity, "submit", 1))
	assert result["error_code"] == "not_found"


def test_an_amendment_of_another_tenants_record_is_no_link(stranger, app, paper):
	identity = made(app, paper)
	amend = act(paper, None, "amend", 1, client_temp_id=new_id("tmp"))
	amend["payload"] = {"amended_from": identity}
	(result,) = stranger.push(amend)
	assert result["error_code"] == "invalid_link"


def test_a_viewer_submits_nothing(server, site, tenant, app, paper):
	from hisabi_sync.engine.sharing import spaces

	viewer = new_app(server, site, tenant)
	identity = made(app, paper)
	spaces.set_member(viewer.space, viewer.user, "viewer")
	frappe.db.commit()
	assert viewer.send(act(paper, identity, "submit", 1)).status_code == 403
