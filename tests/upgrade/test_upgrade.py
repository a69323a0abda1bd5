"""An upgrade carries over what sites and phones of the older release hold."""

import pytest

from tests.upgrade import older
from tests.upgrade.older import HELD


@pytest.fixture
def client(upgraded):
	return upgraded[2]


@pytest.fixture
def database(upgraded):
	return upgraded[0]


def pull(client, cursor, **more):
	"""{(entity type, client id): item} behind a cursor, over all pages."""
	found = {}
	while True:
		page = client.wallet("sync_pull", cursor=cursor, **more)
		found.update({(item["entity_type"], item["client_id"]): item for item in page["items"]})
		cursor = page["next_cursor"]
		if not page["has_more"]:
			return found


def test_an_old_cursor_goes_on_where_it_was(client):
	found = pull(client, HELD["wallet_cursor"])
	assert found["Hisabi Account", "old-account-1"]["doc_version"] >= 2
	assert found["Hisabi Account", "old-account-4"]["is_deleted"]


def test_a_first_pull_that_was_under_way_is_finished(client):
	told = {tuple(pair) for pair in HELD["first_page"]["items"]}
	found = pull(client, HELD["first_page"]["next_cursor"])
	whole = {key for key, item in pull(client, None).items() if not item["is_deleted"]}
	assert whole <= told | set(found)


def test_a_repeat_gets_the_answer_of_before(client):
	known = HELD["accepted"]
	item = {
		"op_id": known["op_id"],
		"entity_type": known["entity_type"],
		"entity_id": known["client_id"],
		"operation": "create",
		"payload": {"account_name": "Account 1", "account_type": "cash", "currency": "SAR"},
	}
	(answer,) = client.wallet("sync_push", items=[item])["results"]
	assert answer["already_applied"] is True
	assert (answer["status"], answer["doc_version"]) == ("accepted", known["doc_version"])


def test_a_stale_edit_is_taken_on_versions_of_before(client):
	before = pull(client, HELD["wallet_cursor"])["Hisabi Account", "old-account-1"]["payload"]["account_name"]
	edit = {
		"op_id": "after-the-upgrade",
		"entity_type": "Hisabi Account",
		"entity_id": "old-account-1",
		"operation": "update",
		"base_version": 1,
		"payload": {"icon": "purse"},
	}
	(answer,) = client.wallet("sync_push", items=[edit])["results"]
	assert answer["status"] == "accepted"
	account = pull(client, HELD["wallet_cursor"])["Hisabi Account", "old-account-1"]
	assert (account["payload"]["account_name"], account["payload"]["icon"]) == (before, "purse")


def test_answers_of_before_are_still_known(client):
	known = (HELD["conflict"]["op_id"], HELD["failed"], "never-sent")
	found = client.wallet("sync_op_status", op_ids=list(known))["results"]
	assert [one["status"] for one in found] == ["conflict", "error", "missing"]


def test_an_open_conflict_of_before_is_settled(client):
	client.settle(HELD["conflict"]["conflict_id"], "accept_client")
	account = pull(client, HELD["wallet_cursor"])["Hisabi Account", "old-account-1"]
	assert account["payload"]["account_name"] == "Device name"


def test_tokens_and_positions_of_the_other_contracts_go_on(client):
	mobile = client.post(
		"/api/v1/mobile/sync/pull",
		"mobile",
		{"device_id": "device-uuid-123", "since_token": HELD["mobile_token"], "limit": 50},
	)
	assert "changes" in mobile
	again = client.post(
		"/v1/sync/batch",
		"batch",
		{
			"syncId": HELD["batch"]["syncId"],
			"requestedAt": "2026-03-01T08:00:00Z",
			"device": {
				"deviceId": "device-field-1",
				"appVersion": "1.0.0",
				"updatedAt": "2026-03-01T08:00:00Z",
			},
			"lastKnownServerCursor": None,
			"upserts": {
				"observations": [
					{"observationId": "old-obs-1", "crop": "wheat", "severity": "low", "notes": "Aphids"}
				],
				"recommendations": [],
				"playbookPatches": [],
			},
		},
		**{"Idempotency-Key": HELD["batch"]["syncId"]},
	)
	assert {name: again[name] for name in HELD["batch"]} == HELD["batch"]


def test_runs_of_before_are_shown_and_taken_up(client):
	tenant = {"X-Tenant-ID": "default-tenant"}
	answer = client.get(f"/api/sync/status/{HELD['open_run']}", "operator", **tenant)
	assert answer["status"] in ("queued", "running", "completed", "completed_with_errors", "failed")
	assert client.get(f"/api/sync/status/{HELD['run']}", "operator", **tenant)["status"] == "completed"


def test_a_second_migration_changes_nothing(upgraded, database):
	_, sites, _ = upgraded
	count = "SELECT COUNT(*), COALESCE(SUM(doc_version), 0) FROM `tabSync Record`"
	before = database.rows(count)
	older.command(sites, "migrate")
	assert database.rows(count) == before


def test_reconciling_finds_nothing_to_change_after_an_upgrade(upgraded, database):
	"""A change of how values are read must not make every record of a site news to every phone."""
	_, sites, _ = upgraded
	total = "SELECT COALESCE(SUM(doc_version), 0) FROM `tabSync Record`"
	((before,),) = database.rows(total)
	older.command(sites, "hisabi-reconcile")
	((after,),) = database.rows(total)
	assert after - before <= 2  # the two texts that the older release had escaped


def test_tokens_open_the_contracts_that_they_were_used_for(client, database):
	del client
	held = dict(database.rows("SELECT device_id, scopes FROM `tabSync Device` WHERE token_hash IS NOT NULL"))
	assert held["demo-phone"] == "wallet"
	assert held["device-uuid-123"] == "mobile"
	assert held["device-field-1"] == "batch playbook:edit"


def test_texts_of_before_come_back_as_they_were_written(client):
	found = pull(client, None)
	assert found["Hisabi Account", "old-account-5"]["payload"]["account_name"] == "a<b & c"
	assert found["Hisabi Category", "old-category"]["payload"]["category_name"] == "if a<b"
