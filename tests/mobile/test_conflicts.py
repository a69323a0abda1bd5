"""Resolving conflicts and replaying batches over HTTP."""

import frappe
import pytest

from tests.mobile.app import create, form, meter, new_app, new_person, question, update
from tests.support.phone import new_id


@pytest.fixture(scope="module")
def owner(server, site, tenant):
	return new_app(server, site, tenant, "owner")


@pytest.fixture(scope="module")
def manager(server, site, tenant):
	"""A Sync Manager who is no member of any tenant."""
	return new_app(server, site, tenant, None, user=new_person("Sync Manager"))


def clash(app, other, **more):
	"""(id of the meter, conflict) after both set its reading."""
	(made,) = app.push(meter(reading=1, note="old"))
	app.push(update("meter", made["server_id"], 1, reading=2))
	(result,) = other.push(update("meter", made["server_id"], 1, reading=3, **more))
	assert result["status"] == "conflict"
	return made["server_id"], result["conflict_id"]


def resolve(app, conflict, resolution, status=200, **more):
	response = app.call(f"conflicts/{conflict}/resolve", {"resolution": resolution, **more})
	assert response.status_code == status, response.text
	return response.json()


@pytest.mark.parametrize(("resolution", "reading"), [("accept_server", 2), ("accept_client", 3)])
def test_a_side_is_accepted(app, other, owner, resolution, reading):
	identity, conflict = clash(app, other)
	_, token = other.pull()
	answer = resolve(owner, conflict, resolution)
	assert answer["server_version"] == 3 and answer["server_payload"]["reading"] == reading
	assert (answer["resolution"], answer["resolved_by"]) == (resolution, owner.user)
	(change,) = [change for change in other.pull(token)[0] if change["id"] == identity]
	assert (change["server_version"], change["payload"]["reading"]) == (3, reading)


def test_a_manual_merge(app, other, owner):
	_, conflict = clash(app, other)
	answer = resolve(owner, conflict, "manual_merge", payload={"reading": 2.5, "note": "checked"})
	assert (answer["server_payload"]["reading"], answer["server_payload"]["note"]) == (2.5, "checked")


def test_twice_is_409_with_the_earlier_resolution(app, other, owner):
	_, conflict = clash(app, other)
	resolve(owner, conflict, "accept_server")
	body = resolve(owner, conflict, "accept_client", 409)
	assert body["error_code"] == "already_settled"
	assert body["conflict"]["resolution"] == "accept_server"


def test_a_record_that_moved_on_asks_for_confirmation(app, other, owner):
	identity, conflict = clash(app, other)
	app.push(update("meter", identity, 2, reading=9))
	body = resolve(owner, conflict, "accept_client", 409)
	assert body["error_code"] == "record_changed"
	assert (body["server_version"], body["server_payload"]["reading"]) == (3, 9)
	answer = resolve(owner, conflict, "accept_client", server_version=3)
	assert answer["server_payload"]["reading"] == 3


def test_who_may(app, other, owner, manager, stranger, server, site, tenant):
	_, conflict = clash(app, other)
	assert resolve(app, conflict, "accept_server", 403)["error_code"] == "permission_denied"
	viewer = new_app(server, site, tenant, "viewer")
	assert resolve(viewer, conflict, "accept_server", 403)["error_code"] == "space_read_only"
	missing = resolve(stranger, new_id("conflict"), "accept_server", 404)
	assert resolve(stranger, conflict, "accept_server", 404) == missing
	assert resolve(other, conflict, "accept_server")["status"] == "Resolved"
	_, conflict = clash(app, other)
	assert resolve(manager, conflict, "accept_server")["status"] == "Resolved"


@pytest.mark.parametrize(
	"given",
	[
		{},
		{"resolution": "both"},
		{"resolution": 5},
		{"resolution": "manual_merge"},
		{"resolution": "accept_client", "payload": {"reading": 1}},
		{"resolution": "manual_merge", "payload": [1]},
		{"resolution": "manual_merge", "payload": {"colour": "red"}},
		{"resolution": "manual_merge", "payload": {"reading": "much"}},
	],
)
def test_wrong_resolutions(app, other, owner, given):
	_, conflict = clash(app, other)
	response = owner.call(f"conflicts/{conflict}/resolve", given)
	assert response.status_code == 400 and response.json()["retryable"] is False, response.text
	assert frappe.db.get_value("Sync Conflict", conflict, "status") == "Open"


def test_a_taken_code_is_settled_by_giving_another(app, other, owner):
	code, free = new_id("code"), new_id("code")
	app.push(meter(code=code))
	item = meter(code=code)
	(result,) = other.push(item)
	answer = resolve(owner, result["conflict_id"], "manual_merge", payload={"code": free})
	assert answer["server_payload"]["code"] == free
	(again,) = other.push(item)
	assert again["status"] == "ok"
	assert other.held("meter", again["server_id"])["payload"]["code"] == free


# --- replay


def replay(app, batch, status=200):
	response = app.call(f"sync/batches/{batch}/replay")
	assert response.status_code == status, response.text
	return response.json()


def test_a_batch_is_replayed_when_the_cause_is_gone(app, tenant, manager):
	temp_id, code = new_id("tmp"), new_id("code")
	survey = form(tenant, question("note"))
	items = (
		create(
			"submission", form_id=survey, form_version="v2", meter_id=temp_id, data={"note": "a", "new": "b"}
		),
		meter(temp_id, code),
		{"resource_type": "meter", "action": "create", "client_version": 1, "payload": {}},
	)
	answer = app.send(*items).json()
	assert [result["status"] for result in answer["results"]] == ["error", "ok", "error"]
	doc = frappe.get_doc("Field Form", survey)
	doc.append("questions", question("new"))
	doc.save()
	frappe.db.commit()
	for _ in range(2):
		again = replay(manager, answer["batch_id"])
		assert again["batch_id"] == answer["batch_id"]
		assert [result["status"] for result in again["results"]] == ["ok", "ok", "error"]
		assert [result["client_temp_id"] for result in again["results"]] == [
			items[0]["client_temp_id"],
			temp_id,
			None,
		]
	assert frappe.db.count("Field Meter", {"tenant": tenant, "code": code}) == 1
	assert app.push(*items)[0] == again["results"][0]
	changes, _ = app.pull(again["server_sync_token"])
	assert again["results"][0]["server_id"] in {change["id"] for change in changes}


def test_who_may_replay(app, manager, stranger):
	batch = app.send(meter()).json()["batch_id"]
	assert replay(app, batch, 403)["error_code"] == "permission_denied"
	assert replay(manager, "no-such-batch", 404)["error_code"] == "not_found"


def test_replay_is_for_batches_of_this_contract(manager):
	name = frappe.db.get_value("Sync Batch", {"contract": "wallet"})
	if name:
		assert replay(manager, name, 404)["error_code"] == "not_found"
