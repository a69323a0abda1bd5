"""The document's example requests, sent as printed, give answers of the shape of its example responses."""

import json
import re

import frappe
import pytest
import requests

from hisabi_sync.demo import site as demo_site
from tests.mobile.app import documents_world

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
PUSH = {
	"device_id": "device-uuid-123",
	"client_sync_token": "tok_20251203_123",
	"items": [
		{
			"client_temp_id": "tmp-1",
			"resource_type": "submission",
			"action": "create",
			"payload": {"form_id": "f-1", "form_version": "v2", "data": {"fieldA": "ok"}},
			"client_version": 1,
		},
		{
			"resource_type": "meter",
			"action": "update",
			"payload": {"id": "m-123", "reading": 42},
			"client_version": 5,
		},
	],
}
PULL = {"since_token": "tok_20251203_123"}


@pytest.fixture
def fresh(server, site):
	return documents_world(server, site)


def test_push(fresh):
	response = fresh.call("sync/push", PUSH)
	assert response.status_code == 200, response.text
	body = response.json()
	assert {"batch_id", "processed_at", "results", "server_sync_token"} == set(body)
	assert TIME.fullmatch(body["processed_at"])
	created, conflict = body["results"]
	assert created["client_temp_id"] == "tmp-1" and created["status"] == "ok"
	assert created["server_id"].startswith("sub-")
	assert conflict["client_temp_id"] is None and conflict["status"] == "conflict"
	assert conflict["server_id"] == "m-123"
	assert conflict["error"] == "Version mismatch: server_version=7, client_version=5"
	assert conflict["server_version"] == 7
	assert conflict["server_payload"]["reading"] == 50
	assert conflict["server_payload"]["last_updated_by"] == "Administrator"
	assert frappe.db.exists("Sync Conflict", conflict["conflict_id"])


def test_pull(fresh):
	response = fresh.call("sync/pull", PULL)
	assert response.status_code == 200, response.text
	body = response.json()
	assert {"next_token", "changes"} <= set(body)
	by_id = {change["id"]: change for change in body["changes"]}
	assert {"f-1", "m-123", "sub-999"} == set(by_id)
	shown = by_id["sub-999"]
	assert {"id", "resource_type", "action", "payload", "server_version"} <= set(shown)
	assert (shown["resource_type"], shown["action"], shown["server_version"]) == ("submission", "create", 3)
	expected = {"form_id": "f-1", "data": {"fieldA": "reviewed"}, "status": "approved"}
	assert expected.items() <= shown["payload"].items()
	again = fresh.call("sync/pull", {"since_token": body["next_token"]}).json()
	assert again["changes"] == []


def test_ack_of_a_pull(fresh):
	token = fresh.call("sync/pull", PULL).json()["next_token"]
	response = fresh.call("sync/ack", {"ack_token": token})
	assert response.status_code == 200 and response.json()["acknowledged"] is True


def test_resolve(fresh):
	conflict = fresh.call("sync/push", PUSH).json()["results"][1]["conflict_id"]
	token = fresh.call("sync/pull", PULL).json()["next_token"]
	response = fresh.call(f"conflicts/{conflict}/resolve", {"resolution": "accept_client"})
	assert response.status_code == 200, response.text
	assert response.json()["server_version"] == 8
	(change,) = fresh.call("sync/pull", {"since_token": token}).json()["changes"]
	assert change["id"] == "m-123" and change["payload"]["reading"] == 42 and change["server_version"] == 8


def test_the_demo_site_has_credential_and_space(server, site):
	info = json.loads(json.dumps(demo_site.prepare()))
	response = requests.post(
		f"{server.url}/api/v1/mobile/sync/pull",
		json=PULL,
		headers={"Authorization": info["credentials"]["mobile"], "X-Frappe-Site-Name": site},
		timeout=30,
	)
	assert response.status_code == 200, response.text
	assert {"f-1", "m-123"} <= {change["id"] for change in response.json()["changes"]}
	assert frappe.db.exists("Sync Space", {"space_key": info["spaces"]["mobile"], "space_type": "tenant"})


def test_methods_answer_in_frappes_way(fresh):
	response = fresh.session.post(
		f"{fresh.url}/api/method/hisabi_sync.api.mobile.pull", json=PULL, timeout=30
	)
	assert response.status_code == 200 and "changes" in response.json()["message"]
