"""Atomic batches, dry runs, and compressed requests and answers."""

import gzip
import json

import frappe
import pytest
import requests

from tests.support.phone import METHOD, account, new_id, transaction, update
from tests.wallet.raw import raw
from tests.wallet.wire import (
	CONFLICT,
	answer_of,
	assert_accepted,
	assert_item_error,
	assert_refused,
	nothing_applied,
	payload_of,
	record_of,
)

ACCOUNT = "Hisabi Account"


@pytest.fixture
def held(shared):
	"""Client id of an account at version 1."""
	item = account()
	assert_accepted(shared.push(item)[0], 1)
	return item["entity_id"]


@pytest.fixture
def stale(shared, sibling, held):
	"""An edit that collides with another."""
	sibling.push(update(ACCOUNT, held, 1, icon="a"))
	return update(ACCOUNT, held, 1, icon="b")


# --- atomic


def assert_rolled_back(result, causes):
	assert_item_error(result, "batch_rolled_back", {"caused_by": [item["op_id"] for item in causes]})


def test_an_atomic_batch_without_a_fault_is_applied(shared, held):
	made = account()
	items = [
		made,
		transaction(made["entity_id"], amount=3),
		update(ACCOUNT, held, 1, icon="a"),
		account(held),
	]
	statuses = [result["status"] for result in shared.push(*items, atomic=True)]
	assert statuses == ["accepted", "accepted", "accepted", "duplicate"]
	assert payload_of(shared, ACCOUNT, made["entity_id"])["current_balance"] == -3


def test_an_error_rolls_an_atomic_batch_back(shared, held):
	bad = account(account_type="nonsense")
	items = [account(), transaction(held), bad, update(ACCOUNT, held, 1, icon="a")]
	with nothing_applied(shared):
		results = shared.push(*items, atomic=True)
	assert_item_error(results[2], "invalid_choice", ["account_type"])
	for index in (0, 1, 3):
		assert_rolled_back(results[index], [bad])
	assert payload_of(shared, ACCOUNT, held)["current_balance"] == 0


def test_a_conflict_rolls_an_atomic_batch_back_and_is_kept(shared, held, stale):
	items = [account(), stale, transaction(held)]
	with nothing_applied(shared):
		results = shared.push(*items, atomic=True)
	assert set(results[1]) == CONFLICT
	assert (results[1]["doc_version"], results[1]["server_record"]["icon"]) == (2, "a")
	assert frappe.db.get_value("Sync Conflict", results[1]["conflict_id"], "status") == "Open"
	for index in (0, 2):
		assert_rolled_back(results[index], [stale])


def test_a_conflict_of_a_rolled_back_batch_shows_the_record_without_the_batch(shared, held, stale):
	items = [update(ACCOUNT, held, 2, color="red"), stale]
	results = shared.push(*items, atomic=True)
	assert_rolled_back(results[0], [stale])
	assert (results[1]["doc_version"], results[1]["server_record"]["color"]) == (2, None)


def test_every_cause_of_a_rolled_back_batch_is_named(shared, stale):
	wrong = [account(account_type="nonsense"), {**account(), "operation": "upsert"}]
	results = shared.push(wrong[0], account(), stale, wrong[1], atomic=True)
	assert_rolled_back(results[1], [wrong[0], stale, wrong[1]])


def test_repeats_inside_a_rolled_back_batch_are_rolled_back_too(shared):
	item, bad = account(), account(account_type="nonsense")
	with nothing_applied(shared):
		results = shared.push(item, item, bad, atomic=True)
	assert_rolled_back(results[0], [bad])
	assert_rolled_back(results[1], [bad])


def test_what_was_applied_before_stands_when_an_atomic_batch_is_rolled_back(shared):
	item, bad = account(), account(account_type="nonsense")
	(first,) = shared.push(item)
	results = shared.push(item, account(), bad, atomic=True)
	assert results[0] == {**first, "already_applied": True}
	assert_rolled_back(results[1], [bad])
	assert record_of(shared, ACCOUNT, item["entity_id"])["doc_version"] == 1


def test_the_same_batch_without_its_fault_is_applied_whole(shared):
	items, bad = [account(), account()], account(account_type="nonsense")
	shared.push(*items, bad, atomic=True)
	for result in shared.push(*items, atomic=True):
		assert_accepted(result, 1)
		assert "already_applied" not in result


# --- dry run


def without_chance(result):
	"""A result without times and the names of rows, which differ from run to run."""
	changing = ("server_modified", "conflict_id")
	record = result.get("server_record")
	shown = {k: v for k, v in record.items() if k not in changing} if record else None
	kept = {k: v for k, v in result.items() if k not in (*changing, "server_doc")}
	return {**kept, "server_record": shown}


def rows_of(phone):
	"""How many rows there are of what a push leaves behind."""
	frappe.db.rollback()
	device = frappe.db.get_value("Sync Device", {"device_id": phone.device_id})
	return [frappe.db.count(d, {"device": device}) for d in ("Sync Batch", "Sync Item", "Sync Conflict")]


@pytest.mark.parametrize("atomic", [False, True])
def test_a_dry_run_answers_the_same_and_changes_nothing(shared, sibling, held, stale, atomic):
	made, other = account(), account()
	sibling.push(other, update(ACCOUNT, other["entity_id"], 1, icon="a"))
	merged = update(ACCOUNT, other["entity_id"], 1, color="b")
	items = [made, transaction(made["entity_id"]), merged, account(held), made]
	items += [stale, account(account_type="nonsense")]
	before = rows_of(shared)
	with nothing_applied(shared):
		dry = shared.push(*items, dry_run=True, atomic=atomic)
	assert rows_of(shared) == before
	real = shared.push(*items, atomic=atomic)
	assert [without_chance(result) for result in dry] == [without_chance(result) for result in real]


def test_a_dry_run_of_an_applied_op_says_so(shared):
	item = account()
	(first,) = shared.push(item)
	(result,) = shared.push(item, dry_run=True)
	assert result["already_applied"] is True and answer_of(result) == first


def test_a_dry_run_of_a_new_wallet_leaves_none(shared):
	wallet_id = new_id("wallet")
	made = {**account(wallet_id), "entity_type": "Hisabi Wallet"}
	made["payload"] = {"wallet_name": "New", "status": "active"}
	body = {"device_id": shared.device_id, "wallet_id": wallet_id, "items": [made, account()]}
	response = shared.call("sync.sync_push", {**body, "dry_run": True})
	assert [r["status"] for r in response.json()["message"]["results"]] == ["accepted", "accepted"]
	frappe.db.rollback()
	assert not frappe.db.exists("Hisabi Wallet", wallet_id)
	assert_refused(shared.page(wallet_id=wallet_id), 403, "wallet_access_denied")


# --- compression


def compressed(phone, method, given, **headers):
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, **given}
	return raw(phone, gzip.compress(json.dumps(body).encode()), method, Content_Encoding="gzip", **headers)


def test_every_call_takes_a_compressed_body(shared):
	item = account()
	(result,) = compressed(shared, "sync.sync_push", {"items": [item]}).json()["message"]["results"]
	assert_accepted(result, 1)
	message = compressed(shared, "sync.sync_pull", {"limit": 1}).json()["message"]
	assert (len(message["items"]), message["has_more"]) == (1, True)
	cursor = {"cursor": message["next_cursor"]}
	assert compressed(shared, "sync.sync_ack", cursor).json()["message"]["acknowledged"] is True
	asked = compressed(shared, "sync.sync_op_status", {"op_ids": [item["op_id"]]}).json()["message"]
	assert asked["results"] == [{**result, "found": True}]


def test_a_compressed_push_that_is_repeated_is_applied_once(shared):
	item = account()
	results = [compressed(shared, "sync.sync_push", {"items": [item]}).json() for _ in range(2)]
	first, second = (body["message"]["results"][0] for body in results)
	assert second == {**first, "already_applied": True}


@pytest.mark.parametrize("token", [None, "hsd_nonsense", "other"])
def test_a_compressed_body_opens_no_door(shared, stranger, site, token):
	given = {"device_id": shared.device_id, "wallet_id": shared.wallet_id, "items": [account()]}
	token = stranger.token if token == "other" else token
	headers = {"Content-Encoding": "gzip", "Content-Type": "application/json", "X-Frappe-Site-Name": site}
	if token:
		headers["X-Device-Token"] = token
	with nothing_applied(shared):
		body = gzip.compress(json.dumps(given).encode())
		url = f"{shared.url}{METHOD}sync.sync_push"
		response = requests.post(url, data=body, headers=headers, timeout=30)
	codes = {None: "not_authenticated", stranger.token: "device_mismatch"}
	assert_refused(response, 401, codes.get(token, "invalid_token"))


def test_errors_of_a_compressed_call_are_the_same(shared, stranger, enlisted):
	wrong = {"items": [account()], "wallet_id": stranger.wallet_id}
	assert_refused(compressed(shared, "sync.sync_push", wrong), 403, "wallet_access_denied")
	assert_refused(compressed(shared, "sync.sync_push", {"items": ["a"]}), 417, "item_must_be_an_object")
	viewer = enlisted["viewer"]
	assert_refused(compressed(viewer, "sync.sync_push", {"items": []}), 403, "wallet_read_only")


def pulled(phone, encoding, **given):
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, **given}
	headers = {"Accept-Encoding": encoding}
	return phone.call("sync.sync_pull", body, headers=headers)


@pytest.mark.parametrize("encoding", ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.5"])
def test_a_large_answer_is_compressed_for_who_accepts_it(shared, encoding):
	shared.push(*(account() for _ in range(20)))
	plain, small = pulled(shared, "identity", limit=20), pulled(shared, encoding, limit=20)
	assert "Content-Encoding" not in plain.headers
	assert small.headers["Content-Encoding"] == "gzip"
	assert "Accept-Encoding" in small.headers["Vary"]
	assert int(small.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 3
	assert small.json()["message"]["items"] == plain.json()["message"]["items"]


@pytest.mark.parametrize("encoding", ["identity", "br", "gzip;q=0", "gzip; q=0.0, br"])
def test_no_answer_is_compressed_for_who_does_not_accept_it(shared, encoding):
	shared.push(*(account() for _ in range(20)))
	assert "Content-Encoding" not in pulled(shared, encoding, limit=20).headers


def test_a_small_answer_is_not_compressed(shared):
	assert "Content-Encoding" not in shared.send([]).headers
