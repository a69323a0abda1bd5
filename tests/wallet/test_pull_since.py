"""A pull by a time, as old clients do it, loses nothing and does not bring the whole past."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import frappe
import pytest

from hisabi_sync.engine.model import ids
from tests.support.phone import account, delete
from tests.wallet.people import sign_in, sign_up
from tests.wallet.pulls import keys, message_of, truth

ACCOUNT = "Hisabi Account"


def spellings(moment):
	seconds = moment.timestamp()
	return {
		"ISO text": moment.isoformat().replace("+00:00", "Z"),
		"ISO text in another zone": moment.astimezone(ZoneInfo("Asia/Aden")).isoformat(),
		"seconds": seconds,
		"whole seconds": int(seconds),
		"milliseconds": int(seconds * 1000),
		"seconds as text": str(int(seconds)),
		"milliseconds as text": str(int(seconds * 1000)),
	}


@pytest.fixture(scope="module")
def history(server, site):
	"""(phone, a client id from long before the moment, the moment, ids that were made, deleted and edited after it)."""
	phone = sign_in(server, site, sign_up())
	old, gone, edited, new = (account() for _ in range(4))
	phone.push(old, gone, edited)
	_age_batches(phone, hours=2)
	phone.push(account())  # `since` goes back to the newest batch before the moment
	_age_batches(phone, hours=1)
	phone.push(new, delete(ACCOUNT, gone["entity_id"], 1))
	_edit_in_desk(phone, edited["entity_id"])
	moment = datetime.now(UTC) - timedelta(minutes=30)
	return phone, old["entity_id"], moment, [item["entity_id"] for item in (new, gone, edited)]


def _age_batches(phone, hours):
	"""Make the batches of the wallet so much older."""
	frappe.db.rollback()
	frappe.db.sql(
		"UPDATE `tabSync Batch` SET creation = creation - INTERVAL %s HOUR WHERE space = %s",
		(hours, ids.space("wallet", phone.wallet_id)),
	)
	frappe.db.commit()


def _edit_in_desk(phone, client_id):
	doc = frappe.get_doc(ACCOUNT, {"client_id": client_id, "wallet_id": phone.wallet_id})
	doc.icon = "desk"
	doc.save()
	frappe.db.commit()


@pytest.mark.parametrize("form", spellings(datetime.now(UTC)))
def test_since_brings_everything_after_a_time_and_not_the_whole_past(history, form):
	phone, old, moment, later = history
	message = message_of(phone.page(since=spellings(moment)[form]))
	pulled = {item["client_id"]: item for item in message["items"]}
	assert set(later) <= set(pulled)
	assert old not in pulled
	assert [key for key in later if pulled[key]["is_deleted"]] == [later[1]]


def test_since_brings_what_was_pushed_just_after_it(history):
	phone = history[0]
	for moment in (datetime.now(UTC), datetime.now(UTC) + timedelta(minutes=2)):  # a clock that is ahead
		item = account()
		phone.push(item)
		message = message_of(phone.page(since=moment.isoformat()))
		assert item["entity_id"] in [pulled["client_id"] for pulled in message["items"]]


def test_since_before_everything_brings_everything(history):
	phone = history[0]
	for since in (0, "1990-01-01T00:00:00Z", -5):
		pulled = message_of(phone.page(since=since, limit=5000))["items"]
		assert {key for key in keys(pulled)} >= set(truth(phone))


def test_a_cursor_of_a_pull_by_time_goes_on_page_by_page(history):
	phone, _, moment, _ = history
	whole = message_of(phone.page(since=moment.isoformat(), limit=5000))["items"]
	message = message_of(phone.page(since=moment.isoformat(), limit=1))
	items = message["items"]
	while message["has_more"]:
		message = message_of(phone.page(cursor=message["next_cursor"], since=0, limit=1))
		items += message["items"]
	assert items == whole
