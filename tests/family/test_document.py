"""The document's example requests, sent as printed, give answers of the shape of its example responses."""

import re

import pytest
import requests

from hisabi_sync.demo import site as demo_site
from tests.family.app import PATH, at

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
REQUEST = {
	"last_sync_at": "2025-11-10T12:00:00Z",
	"changes": [
		{
			"entity_type": "task",
			"entity_id": "uuid-123",
			"action": "update",
			"data": {"title": "Updated Task", "status": "done"},
			"version": 2,
			"client_timestamp": "2025-11-11T14:30:00Z",
		}
	],
	"device_id": "device-uuid",
}
NAMES = {
	*("server_changes", "conflicts", "last_sync_at", "success", "applied_count", "error_count"),
	*("errors", "ignored", "cursor", "has_more"),
}


def example(number, action, version, timestamp="2025-11-11T12:00:00Z", **data):
	return {
		"entity_type": "task",
		"entity_id": f"task-{number}",
		"action": action,
		"data": data,
		"version": version,
		"client_timestamp": timestamp,
	}


SIMPLE = [example(n, "create", 1, title=f"Task {n}", status="open") for n in (1, 2, 3)]


def send(app, *changes):
	return app.sync(*changes, last_sync_at="2025-11-10T00:00:00Z")


def test_request_and_response(documented):
	response = documented.call(REQUEST)
	assert response.status_code == 200, response.text
	body = response.json()
	assert set(body) == NAMES and TIME.fullmatch(body["last_sync_at"])
	assert (body["success"], body["applied_count"], body["error_count"]) == (True, 1, 0)
	by_id = {change["entity_id"]: change for change in body["server_changes"]}
	names = {"entity_type", "entity_id", "action", "data", "version", "client_timestamp"}
	assert set(by_id["uuid-456"]) == names
	assert (by_id["uuid-456"]["action"], by_id["uuid-456"]["version"]) == ("create", 1)
	done = by_id["uuid-123"]
	assert (done["data"]["title"], done["data"]["status"], done["version"]) == ("Updated Task", "done", 3)


def test_a_conflict_has_the_documents_fields(documented):
	late = {**REQUEST["changes"][0], "entity_id": "uuid-789", "data": {"title": "Late"}}
	body = documented.call({**REQUEST, "changes": [late]}).json()
	assert body["success"] is False and body["applied_count"] == 0
	(conflict,) = body["conflicts"]
	expected = {
		"entity_type": "task",
		"entity_id": "uuid-789",
		"conflict_reason": "Version mismatch",
		"resolution": "server_wins",
		"client_version": 2,
		"server_version": 4,
	}
	assert expected.items() <= conflict.items()
	assert conflict["server_data"]["title"] == "Buy bread, milk and dates"
	assert conflict["conflict_id"] and conflict["fields"] == ["title"]


def test_example_1_simple_sync(documented):
	body = send(documented, *SIMPLE)
	assert (body["success"], body["applied_count"]) == (True, 3)
	assert {"task-1", "task-2", "task-3"} <= {c["entity_id"] for c in body["server_changes"]}


def test_example_2_version_mismatch(documented):
	body = send(documented, example(1, "update", 2, title="New Title"))
	(conflict,) = body["conflicts"]
	assert (conflict["resolution"], conflict["server_version"]) == ("server_wins", 4)
	assert conflict["server_data"]["title"] == "Task 1"


def test_example_3_done_wins(documented):
	data = {"status": "done", "completedAt": "2025-11-11T14:30:00Z"}
	body = send(documented, example(1, "update", 2, at("14:30:00"), **data))
	assert body["success"] is True and body["conflicts"] == []
	task = documented.held["task", "task-1"]
	assert task["status"] == "done" and task["completedAt"].startswith("2025-11-11T14:30:00")
	assert (task["title"], task["desc"]) == ("Task 1", "Before supper")


def test_the_examples_one_after_the_other_and_again(documented):
	for _ in range(2):
		assert send(documented, *SIMPLE)["success"] is True
		assert send(documented, example(1, "update", 2, title="New Title"))["success"] is False
		done = example(1, "update", 2, at("14:30:00"), status="done", completedAt=at("14:30:00"))
		assert send(documented, done)["success"] is True
	awards = [line for line in documented.all("points_ledger") if line["taskId"] == "task-1"]
	assert [line["delta"] for line in awards] == [10]


@pytest.mark.parametrize("how", ["path", "method"])
def test_the_demo_site_has_credential_space_and_key(server, site, how):
	info = demo_site.prepare()
	assert set(info["jwt"]) == {"algorithm", "secret", "issuer", "audience"}
	headers = {"Authorization": info["credentials"]["family"], "X-Frappe-Site-Name": site}
	path = PATH if how == "path" else "/api/method/hisabi_sync.api.family.delta"
	body = {"last_sync_at": None, "changes": [], "device_id": "phone-123"}
	response = requests.post(f"{server.url}{path}", json=body, headers=headers, timeout=30)
	assert response.status_code == 200, response.text
	answer = response.json() if how == "path" else response.json()["message"]
	assert "task-1" in {change["entity_id"] for change in answer["server_changes"]}
	assert info["spaces"]["family"] == "demo-family"
