"""The cursor in the answer of a push skips no change of anybody else (promise 2)."""

import functools

import pytest

from tests.support.phone import account, transaction
from tests.wallet.people import sign_in, sign_up
from tests.wallet.pulls import keys, message_of, start_over, take, truth
from tests.wallet.wire import assert_accepted, at_once


def push_cursor(phone, *items, **extra):
	response = phone.send(list(items), **extra)
	assert response.status_code == 200, response.text
	return response.json()["message"]["cursor"]


def acknowledge(phone):
	phone.pull()
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, "cursor": phone.cursor}
	assert phone.call("sync.sync_ack", body).status_code == 200


def after(phone, cursor):
	return keys(message_of(phone.page(cursor=cursor, limit=5000))["items"])


def key_of(item):
	return (item["entity_type"], item["entity_id"])


def test_a_push_cursor_of_a_device_that_acknowledged_nothing_skips_nothing(server, site):
	phone = sign_in(server, site, sign_up())
	item = account()
	assert key_of(item) in after(phone, push_cursor(phone, item))


def test_a_push_cursor_goes_on_from_what_the_device_acknowledged(wallet):
	"""Never behind its own changes: the server may have completed them with values that the device does not have."""
	phone, other = wallet
	acknowledge(phone)
	mine, theirs = account(), account()
	cursor = push_cursor(phone, mine)
	other.push(theirs)
	assert after(phone, cursor) == [key_of(mine), key_of(theirs)]


def test_a_push_cursor_does_not_skip_what_others_wrote_before_the_push(wallet):
	phone, other = wallet
	acknowledge(phone)
	item = account()
	other.push(item)
	for pushed in (account(), account(account_type="nonsense")):
		assert key_of(item) in after(phone, push_cursor(phone, pushed))


@pytest.mark.parametrize(
	"extra", [{"dry_run": True}, {"atomic": True}, {"atomic": True, "dry_run": True}], ids=str
)
def test_a_cursor_of_a_push_that_changed_nothing_does_not_skip_what_comes_next(wallet, extra):
	phone, other = wallet
	acknowledge(phone)
	items = [account(), account()] + ([] if extra.get("dry_run") else [account(account_type="nonsense")])
	cursor = push_cursor(phone, *items, **extra)
	later = [account() for _ in range(3)]
	other.push(*later)
	assert after(phone, cursor) == [key_of(item) for item in later]


def test_a_push_cursor_does_not_skip_the_balance_that_a_push_moved_nor_foreign_changes(wallet):
	phone, other = wallet
	held = account()
	phone.push(held)
	acknowledge(phone)
	moved = transaction(held["entity_id"])
	other.push(moved)
	found = after(phone, push_cursor(phone, transaction(held["entity_id"])))
	assert {key_of(moved), key_of(held)} <= set(found)


def test_phones_that_follow_their_push_cursors_hold_all_that_the_other_wrote(wallet):
	def work(phone):
		made = []
		for _ in range(12):
			acknowledge(phone)
			made.append(account())
			response = phone.send(made[-1:])
			assert_accepted(response.json()["message"]["results"][0], 1)
			take(phone, message_of(phone.page(cursor=response.json()["message"]["cursor"], limit=5000)))
		return {key_of(item) for item in made}

	for phone in wallet:
		start_over(phone)
	written = at_once(*(functools.partial(work, phone) for phone in wallet))
	for phone, mine in zip(wallet, written, strict=True):
		phone.pull()
		# A device's own changes need not be echoed; every other one it must have.
		assert set(truth(phone)) - set(phone.replica) <= mine
