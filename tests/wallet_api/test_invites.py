"""Invites: one code, one person, for some time. Source: contracts/wallet.md, devices and wallets."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import frappe
import pytest

from hisabi_sync.engine.model import clock
from hisabi_sync.hisabi_wallet import members
from tests.wallet_api.people import membership, message, new_phone, new_user, refused


def invite(house, role="member", by="owner", **extra):
	body = {"wallet_id": house.id, "role": role, **extra}
	return message(house.phones[by].call("wallets.invite_create", body))


def accept(phone, code):
	return phone.call("wallets.invite_accept", {"code": code})


def listed(house):
	given = message(house.phones["owner"].call("wallets.invite_list", {"wallet_id": house.id}))
	return {row["invite_id"]: row for row in given["invites"]}


@pytest.fixture
def guest(house):
	return house.phones["outsider"]


def test_a_code_makes_a_member_whose_devices_see_the_wallet(house, guest):
	given = invite(house)
	assert set(given) == {"invite_id", "code", "wallet_id", "role", "status", "expires_at"}
	house.phones["owner"].pull()
	joined = message(accept(guest, given["code"]))
	assert joined == {"wallet_id": house.id, "role": "member", "already_member": False}
	assert membership(house.id, guest.user) == ("member", "active")
	assert {item["entity_type"] for item in guest.pull()} >= {"Hisabi Wallet", "Hisabi Wallet Member"}
	(seen,) = house.phones["owner"].pull()
	assert (seen["payload"]["user"], seen["payload"]["status"]) == (guest.user, "active")
	row = listed(house)[given["invite_id"]]
	assert (row["status"], row["used_by"]) == ("used", guest.user) and "code" not in row


def test_a_code_may_be_typed_as_people_type(house, guest):
	code = invite(house)["code"]
	sloppy = f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
	assert message(accept(guest, sloppy))["role"] == "member"


def test_the_same_person_may_repeat_it_nobody_else_may_use_it(house, guest):
	code = invite(house)["code"]
	for expected in (False, True):
		assert message(accept(guest, code))["already_member"] is expected
	refused(accept(house.phones["other"], code), 404, "invite_invalid")


def test_two_at_once_only_one_gets_in(house):
	phones = [house.phones["outsider"], house.phones["other"]]
	for _ in range(3):
		code = invite(house)["code"]
		with ThreadPoolExecutor(2) as pool:
			statuses = sorted(r.status_code for r in pool.map(accept, phones, [code] * 2))
		assert statuses == [200, 404]
		for phone in phones:
			if membership(house.id, phone.user) == ("member", "active"):
				message(phone.call("wallets.wallet_leave", {"wallet_id": house.id}))


def test_one_person_with_two_codes_at_once_has_one_membership(house, guest):
	codes = [invite(house)["code"], invite(house, "viewer")["code"]]
	with ThreadPoolExecutor(2) as pool:
		statuses = {r.status_code for r in pool.map(lambda code: accept(guest, code), codes)}
	assert 200 in statuses and statuses <= {200, 503}
	frappe.db.rollback()
	assert frappe.db.count("Hisabi Wallet Member", {"wallet_id": house.id, "user": guest.user}) == 1


def spoil(house, given, how):
	if how == "unknown":
		return "0000-0000-0000-0000"
	if how == "expired":
		frappe.db.set_value(
			"Hisabi Wallet Invite", given["invite_id"], "expires_at", clock.now() - timedelta(seconds=1)
		)
	if how == "revoked":
		body = {"wallet_id": house.id, "invite_id": given["invite_id"]}
		message(house.phones["owner"].call("wallets.invite_revoke", body))
	if how == "used":
		message(accept(house.phones["other"], given["code"]))
	if how == "giver removed":
		members.ensure(house.id, house.users["admin"], "admin", "removed")
	if how == "giver demoted":
		members.ensure(house.id, house.users["admin"], "member")
	frappe.db.commit()
	return given["code"]


@pytest.mark.parametrize("how", ["unknown", "expired", "revoked", "used", "giver removed", "giver demoted"])
def test_codes_that_do_not_work_are_one_error(house, guest, how):
	code = spoil(house, invite(house, by="admin"), how)
	body = refused(accept(guest, code), 404, "invite_invalid")
	assert set(body) == {"error", "error_code", "message", "retryable"}
	assert membership(house.id, guest.user) is None


def test_a_removed_member_does_not_come_back_by_a_code_of_his_own(house):
	code = invite(house, by="admin")["code"]
	body = {"wallet_id": house.id, "user": house.users["admin"]}
	message(house.phones["owner"].call("wallets.member_remove", body))
	refused(accept(house.phones["admin"], code), 404, "invite_invalid")


def test_a_member_keeps_his_role_and_the_code_its_use(house, guest):
	code = invite(house, "owner")["code"]
	assert message(accept(house.phones["viewer"], code)) == {
		"wallet_id": house.id,
		"role": "viewer",
		"already_member": True,
	}
	assert message(accept(guest, code))["role"] == "owner"


def test_who_was_removed_may_be_invited_again(house, guest):
	for role in ("member", "viewer"):
		message(accept(guest, invite(house, role)["code"]))
		assert membership(house.id, guest.user) == (role, "active")
		guest.cursor = None
		guest.pull()
		body = {"wallet_id": house.id, "user": guest.user}
		assert message(house.phones["owner"].call("wallets.member_remove", body))["status"] == "removed"


@pytest.mark.parametrize("hours", [0, -1, "x", 1.5, True, []])
def test_a_time_that_is_none_is_refused(house, hours):
	body = {"wallet_id": house.id, "role": "member", "expires_in_hours": hours}
	refused(house.phones["owner"].call("wallets.invite_create", body), 417, "invalid_argument")


def test_the_list_says_what_became_of_each(house):
	states = {how: invite(house) for how in ("open", "expired", "revoked")}
	for how, given in states.items():
		spoil(house, given, how)
	rows = listed(house)
	assert {how: rows[given["invite_id"]]["status"] for how, given in states.items()} == {
		h: h for h in states
	}


def test_guessing_codes_is_slow(house, server, site):
	guesser = new_phone(server, site, new_user())
	for _ in range(10):
		refused(accept(guesser, "1234-1234-1234-1234"), 404, "invite_invalid")
	response = accept(guesser, invite(house)["code"])
	refused(response, 429, "rate_limited")
	assert int(response.headers["Retry-After"]) > 0


def test_the_code_is_nowhere_in_the_database(house):
	given = invite(house)
	frappe.db.rollback()
	row = frappe.db.get_value("Hisabi Wallet Invite", given["invite_id"], "*", as_dict=True)
	assert given["code"] not in str(row) and given["code"].replace("-", "") not in str(row)
	assert frappe.get_meta("Hisabi Wallet Invite").get_field("code_hash").permlevel == 9
