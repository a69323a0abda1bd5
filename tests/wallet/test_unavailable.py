"""A batch that the database cannot serve now: 503, to be sent again, and nothing of it is there."""

from contextlib import contextmanager

import frappe
import pymysql
import pytest
import redis

from hisabi_sync.api.protocol import http
from tests.support.phone import account, update
from tests.wallet.wire import assert_accepted

pytestmark = pytest.mark.usefixtures("little_patience")


@contextmanager
def held(table, name):
	"""Another transaction holds a row."""
	frappe.db.rollback()
	frappe.db.sql(f"SELECT name FROM `tab{table}` WHERE name = %s FOR UPDATE", (name,))  # noqa: S608
	try:
		yield
	finally:
		frappe.db.rollback()


def space_of(phone):
	from hisabi_sync.engine.model import ids

	return ids.space("wallet", phone.wallet_id)


def stored(space):
	frappe.db.rollback()
	return [frappe.db.count(table, {"space": space}) for table in ("Sync Record", "Sync Batch", "Sync Item")]


def refused(phone, *items, **options):
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, "items": items, **options}
	response = phone.call("sync.sync_push", body)
	assert response.status_code == 503, response.text
	answer = response.json()
	assert answer["error_code"] == "unavailable" and answer["retryable"] is True and answer["message"]


def test_while_the_spaces_counter_is_held_a_push_answers_503_and_leaves_nothing(phone):
	items, space = [account(), account()], space_of(phone)
	before = stored(space)
	with held("Sync Space", space):
		refused(phone, *items)
	assert stored(space) == before
	for result in phone.push(*items):
		assert_accepted(result, 1)
		assert "already_applied" not in result


def test_while_a_record_is_held_an_atomic_push_answers_503_and_leaves_nothing(phone):
	item = account()
	assert_accepted(phone.push(item)[0], 1)
	space = space_of(phone)
	before = stored(space)
	name = frappe.db.get_value("Sync Record", {"space": space, "client_id": item["entity_id"]})
	edit = update("Hisabi Account", item["entity_id"], 1, color="green")
	with held("Sync Record", name):
		refused(phone, edit, account(), atomic=True)
	assert stored(space) == before
	assert_accepted(phone.push(edit)[0], 2)


@pytest.mark.parametrize("error", [redis.exceptions.ConnectionError("gone"), pymysql.InterfaceError(0, "")])
def test_what_was_written_before_redis_went_away_is_rolled_back(error, monkeypatch):
	"""Frappe commits whatever a response of ours leaves behind."""
	undone = []
	monkeypatch.setattr(frappe.db, "rollback", lambda *_, **__: undone.append("rollback"))

	def work(given):
		raise error

	monkeypatch.setattr(frappe.local, "session", frappe._dict(user="somebody"), raising=False)
	response = http.respond("wallet", work, read=dict)
	assert response.status_code == 503 and response.get_json()["error_code"] == "unavailable"
	assert undone == ["rollback"]
