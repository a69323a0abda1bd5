"""The same change on several connections at the same instant is applied once (promise 1)."""

import functools
import random

import requests

from tests.support.phone import METHOD, account, new_id, update
from tests.wallet.wire import assert_accepted, assert_item_error, assert_repeats, at_once, record_of

ACCOUNT = "Hisabi Account"
ROUNDS = 25


def held_by(phone):
	"""Client id of a new account at version 1."""
	item = account()
	assert_accepted(phone.push(item)[0], 1)
	return item["entity_id"]


def connection(phone):
	"""The phone's pushes over a connection of their own."""
	session = requests.Session()
	session.headers.update(phone.session.headers)

	def push(*items):
		body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, "items": items}
		response = session.post(f"{phone.url}{METHOD}sync.sync_push", json=body, timeout=60)
		assert response.status_code == 200, response.text
		return response.json()["message"]["results"]

	return push


def test_the_same_create_on_two_connections_at_one_instant_is_applied_once(shared):
	one, other = connection(shared), connection(shared)
	for _ in range(ROUNDS):
		item = account()
		(first,), (second,) = at_once(functools.partial(one, item), functools.partial(other, item))
		assert_repeats([first, second], "accepted")
		assert first["doc_version"] == 1


def test_the_same_update_on_two_connections_at_one_instant_is_applied_once(shared):
	one, other, held = connection(shared), connection(shared), held_by(shared)
	for version in range(1, ROUNDS):
		item = update(ACCOUNT, held, version, icon=f"icon {version}")
		(first,), (second,) = at_once(functools.partial(one, item), functools.partial(other, item))
		assert_repeats([first, second], "accepted")
		assert first["doc_version"] == version + 1
	assert record_of(shared, ACCOUNT, held)["doc_version"] == ROUNDS


def test_one_batch_on_six_connections_at_one_instant_is_applied_once(shared):
	connections = [connection(shared) for _ in range(6)]
	for _ in range(4):
		items = [account() for _ in range(5)]
		answers = at_once(*(functools.partial(push, *random.sample(items, 5)) for push in connections))
		for item in items:
			assert_repeats([r for part in answers for r in part if r["op_id"] == item["op_id"]], "accepted")


def test_a_failing_item_on_two_connections_at_one_instant_is_an_error_on_both(shared):
	one, other = connection(shared), connection(shared)
	for _ in range(5):
		item = account(account_type="nonsense")
		for (result,) in at_once(functools.partial(one, item), functools.partial(other, item)):
			assert_item_error(result, "invalid_choice")


def test_one_client_id_from_two_devices_at_one_instant_is_one_record(shared, sibling):
	for _ in range(ROUNDS):
		client_id = new_id()
		jobs = [functools.partial(phone.push, account(client_id)) for phone in (shared, sibling)]
		results = [result for (result,) in at_once(*jobs)]
		assert sorted(result["status"] for result in results) == ["accepted", "duplicate"], results
		assert {result["doc_version"] for result in results} == {1}


def test_two_edits_of_one_field_at_one_instant_are_one_change_and_one_conflict(shared, sibling):
	held = held_by(shared)
	for version in range(1, ROUNDS):
		jobs = [
			functools.partial(phone.push, update(ACCOUNT, held, version, icon=f"{phone.device_id} {version}"))
			for phone in (shared, sibling)
		]
		results = [result for (result,) in at_once(*jobs)]
		assert sorted(result["status"] for result in results) == ["accepted", "conflict"], results
		assert {result["doc_version"] for result in results} == {version + 1}
