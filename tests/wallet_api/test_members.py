"""Memberships by call, by push and in the Desk. Source: contracts/wallet.md; rules in hisabi_wallet/members.py."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import frappe
import pytest

from hisabi_sync.hisabi_wallet import members
from hisabi_sync.hisabi_wallet.members import NEW, RIGHTS, State, may_change
from tests.support.phone import create, delete, new_id, update
from tests.wallet_api.people import ROLES, membership, message, new_phone, new_wallet, refused

MEMBER, WALLET = "Hisabi Wallet Member", "Hisabi Wallet"
STATUSES = ("active", "pending", "removed")


# --- the rules themselves, every combination

STATES = [State(role, status) for role in ROLES for status in STATUSES]


def combinations():
	return itertools.product([*ROLES, None], [NEW, *STATES], STATES, [True, False])


def test_no_rule_lets_anybody_rise_above_what_he_may_give():
	for actor, before, after, own in combinations():
		if not may_change(actor, before, after, own):
			continue
		leaves = own and after == State(before.role, "removed")
		names_himself = own and before == NEW
		assert leaves or names_himself or after.role in RIGHTS[actor].manages
		assert not (own and before != NEW and ROLES.index(after.role) < ROLES.index(before.role))
		assert actor or leaves


def test_no_rule_makes_anybody_active_but_himself():
	for actor, before, after, own in combinations():
		if before.status != "active" and after.status == "active" and may_change(actor, before, after, own):
			assert own and before == NEW and after.role == actor


def test_no_rule_lets_an_admin_touch_an_owner():
	for before, after in itertools.product([NEW, *STATES], STATES):
		if "owner" in (before.role, after.role):
			assert not may_change("admin", before, after, False)


# --- leaving and removing


def test_a_removed_member_loses_the_wallet_and_the_others_see_it(house):
	phone, owner = house.phones["member"], house.phones["owner"]
	phone.pull()
	owner.pull()
	body = {"wallet_id": house.id, "user": phone.user}
	for _ in range(2):
		given = message(owner.call("wallets.member_remove", body))
		assert (given["user"], given["role"], given["status"]) == (phone.user, "member", "removed")
	for response in (phone.page(cursor=phone.cursor), phone.send([])):
		if response.status_code != 417:
			assert refused(response, 403, "wallet_access_denied")["purge"] is True
	(item,) = owner.pull()
	assert (item["entity_type"], item["payload"]["status"]) == (MEMBER, "removed")
	assert item["doc_version"] == given["doc_version"]
	assert membership(house.id, phone.user) == ("member", "removed")
	wallets = message(phone.call("wallets.wallet_list"))["wallets"]
	assert house.id not in {row["wallet_id"] for row in wallets}


def test_leaving(house):
	phone = house.phones["viewer"]
	assert message(phone.call("wallets.wallet_leave", {"wallet_id": house.id}))["status"] == "removed"
	refused(phone.page(), 403, "wallet_access_denied")


def test_the_last_owner_stays_and_another_one_frees_him(house):
	owner, body = house.phones["owner"], {"wallet_id": house.id}
	refused(owner.call("wallets.wallet_leave", body), 409, "last_owner")
	message(owner.call("wallets.member_update", {**body, "user": house.users["admin"], "role": "owner"}))
	message(owner.call("wallets.wallet_leave", body))
	refused(house.phones["admin"].call("wallets.wallet_leave", body), 409, "last_owner")
	frappe.db.rollback()
	assert frappe.db.get_value(WALLET, house.id, "owner_user") == house.users["admin"]


def test_of_two_owners_who_leave_at_once_one_stays(house):
	members.ensure(house.id, house.users["admin"], "owner")
	frappe.db.commit()
	phones = [house.phones["owner"], house.phones["admin"]]
	with ThreadPoolExecutor(2) as pool:
		leave = lambda phone: phone.call("wallets.wallet_leave", {"wallet_id": house.id})  # noqa: E731
		statuses = sorted(response.status_code for response in pool.map(leave, phones))
	assert statuses == [200, 409]


# --- pushes


def member_item(house, user, **payload):
	values = {"wallet": house.id, "user": user, "role": "member", "status": "pending", **payload}
	return create(MEMBER, new_id("m"), **values)


def code_of(phone, item):
	(result,) = phone.push(item)
	return result.get("error_code") or result["status"]


def held(house, role):
	"""(client id, version) of the membership of a role's user."""
	frappe.db.rollback()
	return frappe.db.get_value(
		MEMBER, {"wallet_id": house.id, "user": house.users[role]}, ["client_id", "doc_version"]
	)


PUSHES = [
	# (who pushes, whose membership, values, what comes back)
	("owner", "viewer", {"role": "member"}, "accepted"),
	("owner", "viewer", {"role": "owner"}, "accepted"),
	("owner", "viewer", {"status": "removed"}, "accepted"),
	("owner", "owner", {"role": "admin"}, "permission_denied"),
	("owner", "owner", {"status": "removed"}, "permission_denied"),
	("owner", "owner", {"status": "pending"}, "permission_denied"),
	("admin", "viewer", {"role": "admin"}, "accepted"),
	("admin", "viewer", {"role": "owner"}, "permission_denied"),
	("admin", "owner", {"role": "member"}, "permission_denied"),
	("admin", "owner", {"status": "removed"}, "permission_denied"),
	("admin", "admin", {"role": "owner"}, "permission_denied"),
	("admin", "admin", {"status": "removed"}, "accepted"),
	("member", "viewer", {"role": "member"}, "permission_denied"),
	("member", "member", {"role": "admin"}, "permission_denied"),
]


@pytest.mark.parametrize(("pusher", "target", "values", "expected"), PUSHES)
def test_updates_by_push_follow_the_same_rules(house, pusher, target, values, expected):
	before = membership(house.id, house.users[target])
	item = update(MEMBER, *held(house, target), **values)
	assert code_of(house.phones[pusher], item) == expected
	after = membership(house.id, house.users[target])
	wanted = (values.get("role", before[0]), values.get("status", before[1]))
	assert after == (wanted if expected == "accepted" else before)


def test_viewers_push_nothing(house):
	refused(house.phones["viewer"].send([member_item(house, "x@example.com")]), 403, "wallet_read_only")


@pytest.mark.parametrize("pusher", ["owner", "admin"])
def test_a_pushed_member_is_pending_and_outside_until_he_accepts(house, pusher):
	phone, guest = house.phones[pusher], house.phones["outsider"]
	assert code_of(phone, member_item(house, guest.user, status="active")) == "permission_denied"
	assert code_of(phone, member_item(house, guest.user)) == "accepted"
	assert membership(house.id, guest.user) == ("member", "pending")
	body = refused(guest.page(), 403, "wallet_access_denied")
	assert "purge" not in body
	assert code_of(phone, member_item(house, guest.user)) == "unique_violation"
	frappe.db.rollback()
	name, version = frappe.db.get_value(
		MEMBER, {"wallet_id": house.id, "user": guest.user}, ["client_id", "doc_version"]
	)
	assert code_of(phone, update(MEMBER, name, version, status="active")) == "permission_denied"
	invite = {"wallet_id": house.id, "role": "viewer"}
	code = message(phone.call("wallets.invite_create", invite))["code"]
	message(guest.call("wallets.invite_accept", {"code": code}))
	assert membership(house.id, guest.user) == ("viewer", "active")


def test_a_push_does_not_tell_who_has_an_account(house):
	phone = house.phones["owner"]
	shapes = []
	for user in (house.users["outsider"], f"{new_id('Nobody')}@Example.com"):
		(result,) = phone.push(member_item(house, user))
		shapes.append((result["status"], sorted(result), result["doc_version"]))
		assert membership(house.id, user.lower()) == ("member", "pending")
	assert shapes[0] == shapes[1]


def test_an_admin_makes_no_owner_by_push(house):
	item = member_item(house, house.users["outsider"], role="owner")
	assert code_of(house.phones["admin"], item) == "permission_denied"
	assert membership(house.id, house.users["outsider"]) is None


def test_a_membership_stays_with_its_user_and_wallet(house):
	item = update(MEMBER, *held(house, "viewer"), user=house.users["outsider"])
	assert code_of(house.phones["owner"], item) == "rejected"
	assert membership(house.id, house.users["viewer"]) == ("viewer", "active")


DELETES = [
	("owner", "owner", False),
	("admin", "owner", False),
	("admin", "viewer", True),
	("owner", "admin", True),
]


@pytest.mark.parametrize(("pusher", "target", "allowed"), DELETES)
def test_deletes_by_push_follow_the_same_rules(house, pusher, target, allowed):
	expected = "accepted" if allowed else "permission_denied"
	assert code_of(house.phones[pusher], delete(MEMBER, *held(house, target))) == expected
	status = house.phones[target].page().status_code
	assert status == (403 if allowed else 200)


def test_a_new_wallet_by_push_with_its_creators_own_membership(server, site, crowd):
	phone = new_phone(server, site, crowd["outsider"], new_id("wallet"))
	own = {"wallet": phone.wallet_id, "user": phone.user, "role": "owner", "status": "active"}
	items = [create(WALLET, phone.wallet_id, wallet_name="New", status="active"), create(MEMBER, "me", **own)]
	assert [result["status"] for result in phone.push(*items)] == ["accepted", "accepted"]
	phone.pull()
	assert [key for key in phone.replica if key[0] == MEMBER] == [(MEMBER, "me")]
	assert membership(phone.wallet_id, phone.user) == ("owner", "active")
	again = phone.push(*items)
	assert all(result["already_applied"] for result in again)
	assert code_of(phone, update(MEMBER, "me", 1, status="removed")) == "permission_denied"


@pytest.mark.parametrize(
	("role", "expected"),
	[("owner", "accepted"), ("admin", "permission_denied"), ("member", "permission_denied")],
)
def test_who_may_delete_the_wallet(house, role, expected):
	frappe.db.rollback()
	version = frappe.db.get_value(WALLET, house.id, "doc_version")
	assert code_of(house.phones[role], delete(WALLET, house.id, version)) == expected
	wallets = message(house.phones["viewer"].call("wallets.wallet_list"))["wallets"]
	assert (house.id in {row["wallet_id"] for row in wallets}) is (expected != "accepted")


@pytest.mark.parametrize(
	("role", "expected"), [("owner", "accepted"), ("admin", "accepted"), ("member", "permission_denied")]
)
def test_who_may_rename_the_wallet(house, role, expected):
	frappe.db.rollback()
	version = frappe.db.get_value(WALLET, house.id, "doc_version")
	assert code_of(house.phones[role], update(WALLET, house.id, version, wallet_name="Ours")) == expected


# --- the Desk


def save(house, target, user, **values):
	frappe.set_user(user)
	doc = members.document_of(house.id, house.users[target])
	doc.update(values)
	doc.flags.ignore_permissions = True  # the DocType's permissions are not what is tested here
	doc.save()


def test_in_the_desk_a_system_manager_may_do_everything_but_orphan_a_wallet(house):
	save(house, "viewer", "Administrator", role="owner")
	save(house, "owner", "Administrator", status="removed")
	with pytest.raises(members.LastOwner):
		save(house, "viewer", "Administrator", role="member")
	frappe.db.rollback()


@pytest.mark.parametrize("actor", ["admin", "member", "viewer", "outsider"])
def test_in_the_desk_others_have_their_role_in_the_wallet(house, actor):
	for target, values in (("owner", {"status": "removed"}), (actor, {"role": "owner"})):
		if target in ROLES:
			with pytest.raises(frappe.PermissionError):
				save(house, target, house.users[actor], **values)
	frappe.db.rollback()


def test_a_wallet_goes_to_nobody_else_by_naming_him(house):
	frappe.set_user(house.users["admin"])
	wallet = frappe.get_doc(WALLET, house.id)
	wallet.owner_user, wallet.flags.ignore_permissions = house.users["admin"], True
	with pytest.raises(frappe.PermissionError):
		wallet.save()


def test_a_pulled_wallet_is_like_the_listed_one(house):
	(row,) = [
		row
		for row in message(house.phones["admin"].call("wallets.wallet_list"))["wallets"]
		if row["wallet_id"] == house.id
	]
	house.phones["admin"].pull()
	item = house.phones["admin"].replica[WALLET, house.id]
	assert row["role"] == "admin" and row["wallet_name"] == item["payload"]["wallet_name"]
	assert (row["doc_version"], row["server_modified"]) == (item["doc_version"], item["server_modified"])
	assert new_wallet(house.users["other"]) != house.id
