"""Pulls and acknowledgements."""

import frappe
import pytest

from hisabi_sync.engine import garbage
from hisabi_sync.hisabi_field import tokens
from tests.mobile.app import delete, meter, new_app, new_tenant, update


@pytest.fixture
def alone(server, site):
	return new_app(server, site, new_tenant(), "owner")


def test_pages_bring_everything_once(alone):
	made = [result["server_id"] for result in alone.push(*[meter() for _ in range(7)])]
	changes, token = alone.pull(limit=2)
	assert sorted(change["id"] for change in changes) == sorted(made)
	assert {change["action"] for change in changes} == {"create"}
	assert alone.pull(token)[0] == []


def test_actions(alone):
	kept, gone = (result["server_id"] for result in alone.push(meter(), meter()))
	_, token = alone.pull()
	(new,) = alone.push(meter())
	alone.push(update("meter", kept, 1, reading=4), delete("meter", gone, 1))
	changes, _ = alone.pull(token)
	found = {change["id"]: change for change in changes}
	assert found[kept]["action"] == "update" and found[kept]["server_version"] == 2
	assert found[gone]["action"] == "delete" and found[gone]["payload"] == {}
	assert found[new["server_id"]]["action"] == "create"


def test_the_token_of_a_push_brings_what_others_did(server, site, alone):
	other = new_app(server, site, alone.tenant)
	(made,) = other.push(meter())
	token = alone.send(meter()).json()["server_sync_token"]
	assert made["server_id"] in {change["id"] for change in alone.pull(token)[0]}


def test_only_some_types(documented):
	changes, _ = documented.pull(resource_types=["form"])
	assert {change["resource_type"] for change in changes} == {"form"}
	response = documented.call("sync/pull", {"resource_types": ["pump"]})
	assert response.status_code == 400


def test_a_form_comes_with_its_versions(documented):
	form = documented.held("form", "f-1")["payload"]
	assert form["version"] == "v2"
	assert [row["version"] for row in form["versions"]] == ["v1", "v2"]
	assert form["definition"][0]["name"] == "fieldA"


def test_an_ack_never_moves_backwards(alone):
	alone.push(meter())
	_, first = alone.pull()
	alone.push(meter())
	_, second = alone.pull(first)
	for token in (second, first, second):
		assert alone.call("sync/ack", {"ack_token": token}).status_code == 200
	position = frappe.db.get_value("Sync Space", alone.space, "sequence")
	assert frappe.db.get_value("Sync Device Position", {"space": alone.space}, "acknowledged") == position


def test_a_token_that_is_too_old_has_to_start_over(alone):
	gone, _ = (result["server_id"] for result in alone.push(meter(), meter()))
	_, old = alone.pull()
	alone.push(delete("meter", gone, 1))
	_, token = alone.pull(old)
	assert alone.call("sync/ack", {"ack_token": token}).status_code == 200
	garbage.collect_space(alone.space)
	response = alone.call("sync/pull", {"since_token": old})
	assert (response.status_code, response.json()["error_code"]) == (410, "resync_required")
	# What the device has not sent yet survives: it starts over and pushes it.
	changes, _ = alone.pull()
	assert len(changes) == 1
	assert alone.push(meter())[0]["status"] == "ok"


def test_an_old_token_stands_for_its_position(alone):
	alone.push(meter())
	position = frappe.db.get_value("Sync Space", alone.space, "sequence")
	(made,) = alone.push(meter())
	device = frappe.db.get_value("Sync Device", {"device_id": alone.device_id})
	given = {"token": "from-before", "device": device, "tenant": alone.tenant, "position": position}
	frappe.get_doc({"doctype": tokens.DOCTYPE, **given}).insert()
	frappe.db.commit()
	assert [change["id"] for change in alone.pull("from-before")[0]] == [made["server_id"]]
	assert alone.call("sync/ack", {"ack_token": "from-before"}).status_code == 200
	assert alone.call("sync/pull", {"since_token": "From-before"}).status_code == 400


def test_a_token_that_is_continued_with_another_type_catches_up(server, site, alone):
	"""What comes of the new type is new to the device, whatever its version; of the old one it is not."""
	(made,) = alone.push(meter())
	alone.push(update("meter", made["server_id"], 1, reading=4))
	_, token = alone.pull(resource_types=["form"])
	(new,), token = alone.pull(token, resource_types=["meter"])
	assert (new["id"], new["action"], new["server_version"]) == (made["server_id"], "create", 2)
	alone.push(update("meter", made["server_id"], 2, reading=5))
	changes, token = alone.pull(token, resource_types=["form"])
	assert changes == []
	(later,), _ = alone.pull(token, resource_types=["meter"])
	assert later["action"] == "update"


def test_an_acknowledged_token_of_one_type_keeps_the_tombstones_of_another(server, site, alone):
	(made,) = alone.push(meter())
	_, of_meters = alone.pull(resource_types=["meter"])
	alone.push(delete("meter", made["server_id"], 1))
	_, of_forms = alone.pull(resource_types=["form"])
	body = {"device_id": alone.device_id, "ack_token": of_forms}
	assert alone.call("sync/ack", body).status_code == 200
	frappe.db.rollback()
	assert garbage.collect_space(alone.space) == 0
	(gone,), _ = alone.pull(of_meters, resource_types=["meter"])
	assert (gone["id"], gone["action"]) == (made["server_id"], "delete")
