"""Every call of wallets.* as every role, with ids of one's own, of others and of nobody.

OK is 200; anything else is a status and a code. Where a role is not named, the answer is that of the role before it.
"""

import frappe
import pytest
import requests

from hisabi_sync.hisabi_wallet import members
from tests.support.phone import METHOD, new_id
from tests.wallet_api.people import ROLES, message, new_phone, new_wallet, refused

OK, DENIED, OUT = (200, None), (403, "permission_denied"), (403, "wallet_access_denied")
GONE, LAST, BAD = (404, "not_found"), (409, "last_owner"), (417, "invalid_argument")
READ_ONLY = (403, "wallet_read_only")

# (call, arguments beside the wallet, {role: answer}). A user is named by his role in the wallet.
CASES = [
	("invite_create", {"role": "owner"}, {"owner": OK, "admin": DENIED}),
	("invite_create", {"role": "admin"}, {"owner": OK, "member": DENIED}),
	("invite_create", {"role": "viewer"}, {"owner": OK, "member": DENIED}),
	("invite_list", {}, {"owner": OK, "member": DENIED}),
	("invite_revoke", {"invite_id": "owner invite"}, {"owner": OK, "admin": DENIED}),
	("invite_revoke", {"invite_id": "viewer invite"}, {"owner": OK, "member": DENIED}),
	("invite_revoke", {"invite_id": "foreign invite"}, {"owner": GONE, "member": DENIED}),
	("invite_revoke", {"invite_id": "no invite"}, {"owner": GONE, "member": DENIED}),
	("member_update", {"user": "owner", "role": "viewer"}, {"owner": LAST, "admin": DENIED}),
	("member_update", {"user": "admin", "role": "owner"}, {"owner": OK, "admin": DENIED}),
	("member_update", {"user": "admin", "role": "member"}, {"owner": OK, "member": DENIED}),
	("member_update", {"user": "member", "role": "owner"}, {"owner": OK, "admin": DENIED}),
	("member_update", {"user": "member", "role": "admin"}, {"owner": OK, "member": DENIED}),
	("member_update", {"user": "viewer", "role": "member"}, {"owner": OK, "member": DENIED}),
	("member_update", {"user": "outsider", "role": "viewer"}, {"owner": GONE, "member": DENIED}),
	("member_update", {"user": "nobody", "role": "viewer"}, {"owner": GONE, "member": DENIED}),
	("member_update", {"user": "viewer", "role": "king"}, {"owner": BAD, "member": DENIED}),
	("member_remove", {"user": "owner"}, {"owner": LAST, "admin": DENIED}),
	("member_remove", {"user": "admin"}, {"owner": OK, "member": DENIED}),
	("member_remove", {"user": "member"}, {"owner": OK, "member": DENIED}),
	("member_remove", {"user": "viewer"}, {"owner": OK, "member": DENIED}),
	("member_remove", {"user": "outsider"}, {"owner": GONE, "member": DENIED}),
	("member_remove", {"user": "nobody"}, {"owner": GONE, "member": DENIED}),
	("wallet_leave", {}, {"owner": LAST, "admin": OK}),
	("wallet_defaults", {}, {"owner": OK, "viewer": READ_ONLY}),
]
CHANGING = ("member_update", "member_remove", "wallet_leave")
CALLS = {name: arguments for name, arguments, _ in CASES}


def by_role(answers):
	"""The answer for each role; the first one named is the owner's."""
	held = None
	for role in ROLES:
		held = answers.get(role, held)
		yield role, held


@pytest.fixture(scope="module")
def invited(server, site, crowd):
	"""A wallet of somebody else with an open invite."""
	wallet_id = new_wallet(crowd["other"])
	phone = new_phone(server, site, crowd["other"], wallet_id)
	given = message(phone.call("wallets.invite_create", {"wallet_id": wallet_id, "role": "viewer"}))
	return {"wallet_id": wallet_id, **given}


def filled(arguments, calm_house, invited):
	"""The arguments with names of users and invites of this wallet."""
	users = {**calm_house.users, "nobody": f"{new_id('nobody')}@example.com"}
	given = dict(arguments)
	if "user" in given:
		given["user"] = users[given["user"]]
	if "invite_id" in given:
		kind = given["invite_id"].split()[0]
		given["invite_id"] = {"foreign": invited["invite_id"], "no": "no-such-invite"}.get(kind) or _invite(
			calm_house, kind
		)
	return given


def _invite(calm_house, role):
	body = {"wallet_id": calm_house.id, "role": role}
	return message(calm_house.phones["owner"].call("wallets.invite_create", body))["invite_id"]


def check(response, expected):
	if expected == OK:
		return message(response)
	return refused(response, *expected)


@pytest.mark.parametrize(
	("call", "arguments", "answers"), CASES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_what_a_role_may_do(calm_house, invited, call, arguments, answers):
	"""The lowest role first, so that what a higher one changes does not spoil the others."""
	for role, expected in reversed(list(by_role(answers))):
		if _touches_himself(role, arguments):
			continue
		given = filled(arguments, calm_house, invited)
		check(
			calm_house.phones[role].call(f"wallets.{call}", {"wallet_id": calm_house.id, **given}), expected
		)
		if expected == OK and call in CHANGING:
			_restore(calm_house)


def _touches_himself(role, arguments):
	return arguments.get("user") == role and role != "owner"


def _restore(calm_house):
	"""Everybody has the role that he is called after."""
	frappe.db.rollback()
	for role in ROLES:
		members.ensure(calm_house.id, calm_house.users[role], role)
	frappe.db.commit()


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_nobody_promotes_himself(calm_house, role):
	for wanted in ROLES[: ROLES.index(role)]:
		body = {"wallet_id": calm_house.id, "user": calm_house.users[role], "role": wanted}
		refused(calm_house.phones[role].call("wallets.member_update", body), *DENIED)


@pytest.mark.parametrize("call", sorted(CALLS))
def test_foreign_wallets_are_like_unknown_ones(calm_house, invited, call):
	given = filled(CALLS[call], calm_house, invited)
	wallets = {
		"foreign": calm_house.id,
		"unknown": new_id("wallet"),
		"odd": "x' OR '1'='1",
		"case": calm_house.id.upper(),
	}
	phone = calm_house.phones["outsider"]
	bodies = [
		refused(phone.call(f"wallets.{call}", {"wallet_id": wallet_id, **given}), *OUT)
		for wallet_id in wallets.values()
	]
	assert all(body == bodies[0] for body in bodies)
	refused(phone.call(f"wallets.{call}", given), 417, "wallet_id_required")


@pytest.mark.parametrize("call", [*sorted(CALLS), "wallet_create", "wallet_list", "invite_accept"])
def test_without_credentials_nothing_answers(server, site, call):
	headers = {"X-Frappe-Site-Name": site}
	body = {"wallet_id": "w", "client_id": "c", "wallet_name": "n", "code": "c"}
	response = requests.post(f"{server.url}{METHOD}wallets.{call}", json=body, headers=headers, timeout=30)
	refused(response, 401, "not_authenticated")


@pytest.mark.parametrize("call", [*sorted(CALLS), "wallet_create", "invite_accept"])
@pytest.mark.parametrize("value", [7, ["x"], {"a": 1}, True, "x" * 141])
def test_arguments_of_a_wrong_type_are_refused(calm_house, call, value):
	names = {"wallet_create": "client_id", "invite_accept": "code"}
	body = {names.get(call, "wallet_id"): value}
	refused(calm_house.phones["owner"].call(f"wallets.{call}", body), *BAD)


@pytest.mark.parametrize("call", ["invite_list", "wallet_list"])
def test_lists_answer_get_too(calm_house, call):
	phone = calm_house.phones["owner"]
	response = phone.session.get(f"{phone.url}{METHOD}wallets.{call}", params={"wallet_id": calm_house.id})
	assert message(response)["server_time"].endswith("Z")


def test_changes_do_not_answer_get(calm_house):
	phone = calm_house.phones["owner"]
	response = phone.session.get(
		f"{phone.url}{METHOD}wallets.wallet_leave", params={"wallet_id": calm_house.id}
	)
	assert 400 <= response.status_code < 500


def test_a_wallet_id_with_another_phones_device_is_refused(calm_house):
	body = {"wallet_id": calm_house.id, "device_id": calm_house.phones["admin"].device_id}
	refused(calm_house.phones["owner"].call("wallets.invite_list", body), 401, "device_mismatch")
