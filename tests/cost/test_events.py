"""One realtime message for each space and batch, after the commit and never without one."""

import json

import frappe
import pytest
from frappe.utils.background_jobs import get_redis_conn

from hisabi_sync.engine.store.sequence import EVENT
from tests.cost.test_statements import payments
from tests.derived.conftest import new_household
from tests.support.engine import change, send
from tests.support.phone import new_id


@pytest.fixture
def events():
	"""A function that returns the sync events of a space published since it was last called."""

	subscriber = get_redis_conn().pubsub(ignore_subscribe_messages=True)
	subscriber.subscribe("events")
	subscriber.get_message(timeout=1)

	def published(space):
		found = []
		while message := subscriber.get_message(timeout=0.3):
			event = json.loads(message["data"])
			if event["event"] == EVENT and event["message"]["space"] == space:
				found.append(event["message"])
		return found

	yield published
	subscriber.close()


def test_a_batch_publishes_one_event_with_the_new_position(events):
	one, _ = new_household("Administrator")
	cash = new_id()
	events(one.space)
	send(one, change("Hisabi Account", cash, account_name="A", account_type="cash"), *payments(cash, 20))
	position = frappe.db.get_value("Sync Space", one.space, "sequence")
	assert events(one.space) == [{"space": one.space, "position": position}]


def test_nothing_is_published_for_a_dry_run_or_a_repeat(events):
	one, _ = new_household("Administrator")
	events(one.space)
	given = change("Hisabi Account", new_id(), account_name="A", account_type="cash")
	send(one, given, dry_run=True)
	assert events(one.space) == []
	send(one, given)
	assert len(events(one.space)) == 1
	send(one, given)
	assert events(one.space) == []
