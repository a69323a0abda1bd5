"""Cursors that are no cursors, cursors that are too old, and wallets that a device has to forget."""

import base64

import frappe
import pytest

from hisabi_sync.engine import garbage
from hisabi_sync.engine.model import ids
from tests.support.phone import account, delete, new_id, transaction
from tests.wallet.people import enlist, set_member, sign_in, sign_up
from tests.wallet.wire import assert_refused

ACCOUNT = "Hisabi Account"
GARBAGE = [
	"abc",
	"0",
	"null",
	"AAAA",
	"A" * 55,
	"A" * 279,
	"A" * 281,
	"A" * 100_000,
	"ä" * 55,
	"\ud83d\ude00" * 20,
	" ",
	"=" * 55,
	"'; DROP TABLE tabUser; --",
	"2026-01-01T00:00:00Z",
	"1767225600000",
	5,
	-1,
	1.5,
	True,
	[],
	["abc"],
	{},
	{"position": 1},
]


@pytest.mark.parametrize("cursor", GARBAGE, ids=lambda v: repr(v)[:30])
def test_garbage_is_no_cursor(shared, cursor):
	assert_refused(shared.page(cursor=cursor), 417, "invalid_cursor")


@pytest.mark.parametrize("cursor", [None, ""], ids=repr)
def test_an_empty_cursor_is_a_first_pull(shared, cursor):
	shared.push(account())
	assert shared.page(cursor=cursor, limit=1).json()["message"]["items"]


def test_a_cursor_in_which_any_letter_was_changed_is_refused(shared):
	shared.push(account())
	shared.pull()
	raw = base64.urlsafe_b64decode(shared.cursor + "=" * (-len(shared.cursor) % 4))
	for index in range(len(raw)):
		forged = bytearray(raw)
		forged[index] ^= 1
		text = base64.urlsafe_b64encode(bytes(forged)).decode().rstrip("=")
		assert_refused(shared.page(cursor=text), 417, "invalid_cursor")


@pytest.mark.parametrize(
	"change",
	[
		lambda c: c[:-4],
		lambda c: c[4:],
		lambda c: c + "AAAA",
		lambda c: c + c,
		lambda c: " " + c,
		lambda c: c + "\n",
		str.swapcase,
		lambda c: c[:20] + "\n" + c[20:],
		lambda c: c[:10] + "." + c[10:],
	],
)
def test_a_cursor_that_was_cut_or_lengthened_is_refused(shared, change):
	shared.pull()
	assert_refused(shared.page(cursor=change(shared.cursor)), 417, "invalid_cursor")


def test_a_cursor_of_another_wallet_is_refused(shared, stranger):
	for phone in (shared, stranger):
		phone.push(account())
		phone.pull()
	assert_refused(shared.page(cursor=stranger.cursor), 417, "invalid_cursor")
	assert_refused(stranger.page(cursor=shared.cursor), 417, "invalid_cursor")
	assert_refused(
		shared.page(cursor=shared.cursor, wallet_id=stranger.wallet_id), 403, "wallet_access_denied"
	)


def test_a_cursor_works_for_every_device_of_the_wallet(shared, sibling):
	shared.pull()
	item = account()
	sibling.push(item)
	pulled = sibling.page(cursor=shared.cursor).json()["message"]["items"]
	assert [found["client_id"] for found in pulled] == [item["entity_id"]]


# --- too old


@pytest.fixture
def old(server, site):
	"""A phone with a cursor from before a delete whose tombstone is gone, and the record that is left."""
	phone = sign_in(server, site, sign_up())
	kept, gone = account(), account()
	phone.push(kept, gone)
	phone.pull()
	before = phone.cursor
	phone.push(delete(ACCOUNT, gone["entity_id"], 1))
	assert collected(phone) == 1
	return phone, before, kept["entity_id"], gone["entity_id"]


def assert_resync(response, reason):
	error = assert_refused(response, 410, "resync_required")
	assert error["reason"] == reason
	assert not {"items", "next_cursor"} & set(error)


def test_a_cursor_behind_the_horizon_must_start_over_and_can(old):
	phone, before, kept, gone = old
	assert_resync(phone.page(cursor=before), "position_too_old")
	assert_resync(phone.page(cursor=before, entity_types=[ACCOUNT]), "position_too_old")
	assert_resync(phone.page(since=0), "position_too_old")
	phone.cursor, phone.replica = None, {}
	phone.pull()
	assert (ACCOUNT, kept) in phone.replica and (ACCOUNT, gone) not in phone.replica


def test_a_cursor_at_the_horizon_goes_on_working(old):
	phone, _, _, gone = old
	assert phone.pull() == []
	item = account()
	phone.push(item)
	assert [pulled["client_id"] for pulled in phone.pull()] == [item["entity_id"]]


def test_a_create_after_its_tombstone_is_gone_is_a_new_record(old):
	phone, _, _, gone = old
	(result,) = phone.push(account(gone))
	assert result["status"] == "accepted", result
	assert [pulled["client_id"] for pulled in phone.pull()] == [gone]


def test_a_tombstone_stays_while_a_live_device_has_not_seen_it(old, server, site):
	phone, _, kept, _ = old
	slow = sign_in(server, site, phone.user, phone.wallet_id)
	slow.pull()
	phone.push(delete(ACCOUNT, kept, 1))
	phone.pull()
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, "cursor": phone.cursor}
	assert phone.call("sync.sync_ack", body).status_code == 200
	frappe.db.rollback()
	assert garbage.collect_space(ids.space("wallet", phone.wallet_id)) == 0
	assert [(i["client_id"], i["is_deleted"]) for i in slow.pull()] == [(kept, True)]


def test_a_tombstone_that_something_alive_links_to_stays(server, site):
	"""Frappe would refuse to save the transaction if its account were nowhere."""
	phone = sign_in(server, site, sign_up())
	home = account()
	spent = transaction(home["entity_id"])
	phone.push(home, spent)
	phone.push(delete(ACCOUNT, home["entity_id"], version_of(ACCOUNT, home)))
	assert collected(phone) == 0
	name = frappe.db.get_value("Hisabi Transaction", {"client_id": spent["entity_id"]})
	frappe.get_doc("Hisabi Transaction", name).update({"note": "by the Desk"}).save()
	frappe.db.commit()
	phone.push(delete("Hisabi Transaction", spent["entity_id"], version_of("Hisabi Transaction", spent)))
	assert collected(phone) == 2
	assert not frappe.db.exists(ACCOUNT, {"client_id": home["entity_id"]})


def version_of(doctype, item):
	frappe.db.rollback()
	return frappe.db.get_value(doctype, {"client_id": item["entity_id"]}, "doc_version")


def collected(phone):
	"""How many tombstones go when all devices have them."""
	phone.pull()
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, "cursor": phone.cursor}
	assert phone.call("sync.sync_ack", body).status_code == 200
	frappe.db.rollback()
	return garbage.collect_space(ids.space("wallet", phone.wallet_id))


def test_a_cursor_from_before_a_backup_was_restored_must_start_over(old):
	phone, *_ = old
	space = ids.space("wallet", phone.wallet_id)
	sequence = frappe.db.get_value("Sync Space", space, "sequence")
	frappe.db.set_value("Sync Space", space, "sequence", sequence - 1)
	frappe.db.commit()
	assert_resync(phone.page(cursor=phone.cursor), "position_unknown")


# --- purge


def test_a_removed_member_is_told_to_forget_the_wallet_whatever_he_asks_for(shared, server, site):
	member = enlist(server, site, shared.wallet_id, "member")
	member.pull()
	set_member(shared.wallet_id, member.user, "member", "removed")
	for given in (
		{},
		{"cursor": member.cursor},
		{"cursor": "nonsense"},
		{"since": 0},
		{"entity_types": [ACCOUNT]},
	):
		error = assert_refused(member.page(**given), 403, "wallet_access_denied")
		assert error["purge"] is True
		assert "items" not in error


def test_who_was_never_a_member_or_is_only_invited_is_not_told_to_forget(shared, stranger, server, site):
	invited = enlist(server, site, shared.wallet_id, "member")
	set_member(shared.wallet_id, invited.user, "member", "pending")
	for phone in (invited, stranger):
		error = assert_refused(phone.page(wallet_id=shared.wallet_id), 403, "wallet_access_denied")
		assert "purge" not in error


def test_a_member_who_comes_back_pulls_from_his_last_cursor(shared, server, site):
	member = enlist(server, site, shared.wallet_id, "member")
	member.pull()
	set_member(shared.wallet_id, member.user, "member", "removed")
	item = account(account_name=new_id())
	shared.push(item)
	set_member(shared.wallet_id, member.user, "viewer")
	assert item["entity_id"] in [pulled["client_id"] for pulled in member.pull()]
