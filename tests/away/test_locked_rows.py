"""A row that another transaction holds: the call is answered 503 `unavailable` with `Retry-After`, and nothing is lost."""

from contextlib import contextmanager

import frappe
import pytest

from hisabi_sync.engine.database import retry
from tests.support.phone import account

pytestmark = pytest.mark.usefixtures("little_patience")


@contextmanager
def held(table, where="1 = 1"):
	"""Another transaction holds rows of a table, and the gaps between them."""
	frappe.db.rollback()
	frappe.db.sql(f"SELECT name FROM `tab{table}` WHERE {where} FOR UPDATE")  # noqa: S608
	try:
		yield
	finally:
		frappe.db.rollback()


def ack(phone):
	return phone.call(
		"sync.sync_ack",
		{"device_id": phone.device_id, "wallet_id": phone.wallet_id, "cursor": phone.cursor},
	)


def presign(phone):
	given = {"filename": "a.png", "content_type": "image/png", "size": 3, "wallet_id": phone.wallet_id}
	return phone.call("media.presign", {**given, "device_id": phone.device_id})


def rotate(phone):
	return phone.call("devices.rotate_token", {"device_id": phone.device_id})


def revoke(phone):
	return phone.call("devices.revoke_device", {"device_id": phone.device_id})


@pytest.mark.parametrize(
	("call", "table"),
	[
		(ack, "Sync Device Position"),
		(presign, "Sync Media"),
		(rotate, "Sync Device"),
		(revoke, "Sync Device"),
	],
	ids=lambda given: given.__name__ if callable(given) else None,
)
def test_a_held_row_is_no_mistake_of_the_server(phone, call, table):
	phone.push(account())
	phone.pull()
	with held(table):
		response = call(phone)
		body = response.json()
		assert (response.status_code, body["error_code"], body["retryable"]) == (503, "unavailable", True), (
			body
		)
		assert int(response.headers["Retry-After"]) >= 1
	assert call(phone).status_code == 200


def test_what_a_device_was_last_seen_is_not_waited_for(phone):
	frappe.db.set_value("Sync Device", {"device_id": phone.device_id}, "last_seen", "2020-01-01")
	frappe.db.commit()
	with held("Sync Device", f"device_id = {frappe.db.escape(phone.device_id)}"):
		assert phone.page().status_code == 200


def test_a_deadlock_of_a_call_that_writes_is_tried_again(site):
	tries = []

	def once(given):
		tries.append(given)
		if len(tries) == 1:
			raise frappe.QueryDeadlockError("Deadlock found")
		return {}

	assert retry.committed(lambda: once({})) == {} and len(tries) == 2
