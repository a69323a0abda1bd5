"""Tokens of devices: registration, rotation, expiry, revocation. Source: contracts/wallet.md, devices and wallets."""

from datetime import timedelta

import frappe
import pytest
import requests
from frappe.utils.password import update_password

from hisabi_sync.engine.model import clock, ids
from tests.support.phone import METHOD, Phone, new_id
from tests.support.users import PASSWORD
from tests.wallet_api.people import message, new_phone, new_user, refused, sign_in


@pytest.fixture(scope="module")
def user(site):
	return new_user()


@pytest.fixture
def phone(server, site, user):
	return new_phone(server, site, user)


def holder(phone, token):
	"""The same phone with another token."""
	site = phone.session.headers["X-Frappe-Site-Name"]
	return Phone(phone.url, site, token, phone.device_id, phone.wallet_id)


def listing(phone):
	return message(phone.call("devices.list_devices"))["devices"]


def rotate(phone):
	given = message(phone.call("devices.rotate_token", {"device_id": phone.device_id}))
	assert set(given) == {"device_token", "device_id", "expires_at"}
	return holder(phone, given["device_token"])


def change(phone, user, **values):
	"""Move time, or something else, in the device's row."""
	frappe.db.set_value("Sync Device", ids.device(user, phone.device_id), values)
	frappe.db.commit()


def ago(**span):
	return clock.now() - timedelta(**span)


# --- registration


def api_key(site, user):
	"""Headers of a signed-in user."""
	doc = frappe.get_doc("User", user)
	doc.api_key, doc.api_secret = frappe.generate_hash(length=15), "a-secret-of-the-test"
	doc.save(ignore_permissions=True)
	frappe.db.commit()
	return {"Authorization": f"token {doc.api_key}:a-secret-of-the-test", "X-Frappe-Site-Name": site}


@pytest.mark.parametrize(
	"device_id", ['x" onmouseover=window.pwned=1 y="', "&lt;img src=x onerror=1//", "<b>", "a\nb"]
)
def test_a_device_id_that_the_desk_would_run_is_refused(server, site, device_id):
	response = sign_in(server, site, new_user(PASSWORD), PASSWORD, device_id)
	refused(response, 417, "invalid_argument")


def test_a_signed_in_user_registers_a_device(server, site, user):
	headers, url = api_key(site, user), f"{server.url}{METHOD}devices.register_device"
	body = {"device_id": new_id("device"), "platform": "web", "device_name": "<b>Tab</b><script>x</script>"}
	given = message(requests.post(url, json=body, headers=headers, timeout=30))
	own = Phone(server.url, site, given["device_token"], body["device_id"], given["wallet_id"])
	own.pull()
	(row,) = [row for row in listing(own) if row["device_id"] == body["device_id"]]
	assert row["current"] and row["platform"] == "web" and "<script" not in row["device_name"]
	again = message(requests.post(url, json=body, headers=headers, timeout=30))
	assert again["device_token"] != given["device_token"]
	refused(own.call("devices.list_devices"), 401, "invalid_token")
	listing(holder(own, again["device_token"]))
	message(requests.post(url, json={**body, "device_name": "<" * 140}, headers=headers, timeout=30))
	too_long = requests.post(url, json={**body, "device_name": "x" * 141}, headers=headers, timeout=30)
	refused(too_long, 417, "invalid_argument")


def test_a_device_token_registers_no_devices(phone):
	refused(phone.call("devices.register_device", {"device_id": "sibling"}), 403, "permission_denied")


def test_no_credentials_no_devices(server, site):
	for method in ("register_device", "rotate_token", "revoke_device", "list_devices"):
		headers = {"X-Frappe-Site-Name": site}
		response = requests.post(
			f"{server.url}{METHOD}devices.{method}", json={"device_id": "x"}, headers=headers, timeout=30
		)
		refused(response, 401, "not_authenticated")


# --- the token


@pytest.mark.parametrize(
	"spoil", [lambda t: t[:-1], lambda t: t + "x", lambda t: t.replace("_", "-"), lambda t: "hsd_", str.upper]
)
def test_a_spoiled_token_is_invalid(phone, spoil):
	broken = spoil(phone.token)
	headers = {"X-Device-Token": broken, "X-Frappe-Site-Name": phone.session.headers["X-Frappe-Site-Name"]}
	response = requests.post(f"{phone.url}{METHOD}devices.list_devices", json={}, headers=headers, timeout=30)
	refused(response, 401, "invalid_token")


def test_a_token_cannot_be_moved_to_another_device(phone, server, site, user):
	other = new_phone(server, site, user)
	mixed = f"hsd_{ids.device(user, other.device_id)}_{phone.token.split('_', 2)[2]}"
	refused(holder(phone, mixed).call("devices.list_devices"), 401, "invalid_token")


def test_expiry(phone, user):
	change(phone, user, expires_at=ago(seconds=1))
	refused(phone.call("devices.list_devices"), 401, "device_expired")


def test_last_seen_moves(phone, user):
	change(phone, user, last_seen=ago(days=1))
	listing(phone)
	(row,) = [row for row in listing(phone) if row["current"]]
	assert row["last_seen"] > clock.dump(ago(minutes=5))


def test_a_change_of_the_password_stops_tokens(server, site):
	own = new_user()
	phone = new_phone(server, site, own)
	listing(phone)
	update_password(own, "another good passphrase 8")
	frappe.db.commit()
	assert refused(phone.call("devices.list_devices"), 401, "device_revoked")["reason"] == "password_changed"
	listing(new_phone(server, site, own))


def test_a_disabled_user_has_no_tokens_until_he_is_back(phone, user):
	for enabled in (0, 1):
		frappe.db.set_value("User", user, "enabled", enabled)
		frappe.db.commit()
		if not enabled:
			body = refused(phone.call("devices.list_devices"), 401, "device_revoked")
			assert body["reason"] == "user_disabled"
	listing(phone)


# --- rotation


def test_after_a_rotation_both_tokens_work_for_a_while(phone):
	newer = rotate(phone)
	assert newer.token != phone.token
	listing(phone)
	listing(newer)


def test_a_rotation_extends_the_life_of_the_device(phone, user):
	change(phone, user, expires_at=ago(days=-1))
	rotate(phone)
	frappe.db.rollback()
	left = frappe.db.get_value("Sync Device", ids.device(user, phone.device_id), "expires_at") - clock.now()
	assert left > timedelta(days=100)


def test_a_rotation_whose_answer_got_lost_gives_the_same_token_again(phone):
	first, second = rotate(phone), rotate(phone)
	assert first.token == second.token
	listing(first)


def test_a_rotated_token_that_comes_back_revokes_the_device(phone, user):
	newer = rotate(phone)
	change(phone, user, previous_valid_until=ago(seconds=1))
	listing(newer)
	for token in (phone, newer):
		body = refused(token.call("devices.list_devices"), 401, "device_revoked")
		assert body["reason"] == "token_reused"
	frappe.db.rollback()
	row = frappe.db.get_value("Sync Device", ids.device(user, phone.device_id), ["status", "revoked_reason"])
	assert row == ("Revoked", "token_reused")


def test_a_token_of_many_rotations_ago_is_known_as_one(phone, user):
	newest = phone
	for _ in range(4):
		newest = rotate(newest)
	change(phone, user, previous_valid_until=ago(seconds=1))
	refused(phone.call("devices.list_devices"), 401, "device_revoked")
	refused(newest.call("devices.list_devices"), 401, "device_revoked")


def test_rotation_needs_the_token_itself(server, site, user):
	url = f"{server.url}{METHOD}devices.rotate_token"
	refused(
		requests.post(url, json={}, headers=api_key(site, user), timeout=30), 401, "device_token_required"
	)


def test_rotation_names_its_own_device_only(phone):
	refused(phone.call("devices.rotate_token", {"device_id": "other"}), 401, "device_mismatch")


# --- revocation


def test_a_revoked_device_is_out_and_may_sign_in_again(phone, server, site, user):
	other = new_phone(server, site, user)
	for _ in range(2):
		given = message(other.call("devices.revoke_device", {"device_id": phone.device_id}))
		assert given == {"device_id": phone.device_id, "status": "revoked"}
	body = refused(phone.call("devices.list_devices"), 401, "device_revoked")
	assert body["reason"] == "revoked_by_user"
	(row,) = [row for row in listing(other) if row["device_id"] == phone.device_id]
	assert (row["status"], row["current"]) == ("revoked", False)


def test_devices_of_others_are_like_unknown_ones(phone, server, site, crowd):
	theirs = new_phone(server, site, crowd["outsider"])
	bodies = [
		refused(phone.call("devices.revoke_device", {"device_id": device_id}), 404, "not_found")
		for device_id in (theirs.device_id, "no-such-device")
	]
	assert bodies[0] == bodies[1]
	listing(theirs)
	assert theirs.device_id not in {row["device_id"] for row in listing(phone)}


def test_lists_and_the_desk_show_no_secrets(phone, site, user):
	text = phone.call("devices.list_devices").text
	frappe.db.rollback()
	row = frappe.db.get_value("Sync Device", ids.device(user, phone.device_id), "*", as_dict=True)
	secrets = [row.token_hash, row.token_family, row.password_mark, phone.token]
	assert all(secrets) and not any(secret in text for secret in secrets)
	meta = frappe.get_meta("Sync Device")
	for name in ("token_hash", "previous_token_hash", "token_family", "password_mark"):
		assert meta.get_field(name).hidden and meta.get_field(name).permlevel == 9
	assert not [p for p in meta.permissions if p.permlevel]
