"""devices.login: what it answers, to whom, how often, and how fast. Source: contracts/wallet.md, devices and wallets."""

import time
from types import SimpleNamespace

import frappe
import pytest
from frappe.utils.password import passlibctx

from hisabi_sync.api.protocol import credentials
from tests.support.phone import Phone, new_id
from tests.support.users import PASSWORD
from tests.wallet_api.people import message, new_user, refused, sign_in

LIMIT = 10


def forget_tries():
	frappe.cache.delete_keys("hisabi_sync_tries:")


def test_login_answers_a_token_that_works_and_the_default_wallet(server, site, ann):
	given = message(sign_in(server, site, ann, PASSWORD, "phone-1", platform="ios", device_name="My phone"))
	assert set(given) == {"device_token", "device_id", "wallet_id", "expires_at", "user", "scopes"}
	assert given["device_id"] == "phone-1" and given["expires_at"].endswith("Z")
	phone = Phone(server.url, site, given["device_token"], "phone-1", given["wallet_id"])
	assert {item["entity_type"] for item in phone.pull()} == {"Hisabi Wallet", "Hisabi Wallet Member"}
	again = message(sign_in(server, site, ann, PASSWORD, "phone-2"))
	assert again["wallet_id"] == given["wallet_id"]


def test_login_opens_no_session(server, site, ann):
	response = sign_in(server, site, ann, PASSWORD)
	assert response.cookies.get("sid") in (None, "Guest")


@pytest.mark.parametrize("pwd", ["wrong", "", None, 7, ["x"], "x" * 5000, "\0"])
def test_a_wrong_password_is_one_error_whatever_is_wrong(server, site, ann, pwd):
	known, unknown = (sign_in(server, site, user, pwd) for user in (ann, f"{new_id('no')}@example.com"))
	assert refused(known, 401, "invalid_login") == refused(unknown, 401, "invalid_login")
	forget_tries()


def test_a_disabled_user_is_refused_like_a_wrong_password(server, site, ann):
	frappe.db.set_value("User", ann, "enabled", 0)
	frappe.db.commit()
	try:
		refused(sign_in(server, site, ann, PASSWORD), 401, "invalid_login")
	finally:
		frappe.db.set_value("User", ann, "enabled", 1)
		frappe.db.commit()


def test_two_factor_users_have_their_own_code_and_only_with_the_password(server, site, ann):
	_two_factor(1)
	try:
		refused(sign_in(server, site, ann, PASSWORD), 401, "two_factor_required")
		refused(sign_in(server, site, ann, "wrong"), 401, "invalid_login")
	finally:
		_two_factor(0)
	message(sign_in(server, site, ann, PASSWORD))


def _two_factor(on):
	frappe.db.set_single_value("System Settings", "enable_two_factor_auth", on)
	frappe.db.set_value("Role", "Hisabi User", "two_factor_auth", on)
	frappe.db.commit()
	frappe.clear_cache()


@pytest.mark.parametrize("exists", [True, False])
def test_a_user_has_a_number_of_tries_from_all_devices_together(server, site, ann, exists):
	user = ann if exists else f"{new_id('no')}@example.com"
	forget_tries()
	for _ in range(LIMIT):
		refused(sign_in(server, site, user.upper(), "wrong"), 401, "invalid_login")
	response = sign_in(server, site, user, PASSWORD)
	body = refused(response, 429, "rate_limited")
	assert body["retryable"] is True
	assert 0 < int(response.headers["Retry-After"]) <= 15 * 60
	forget_tries()


def test_wrong_tries_with_a_device_id_do_not_lock_out_who_else_uses_it(server, site, ann):
	forget_tries()
	for _ in range(LIMIT):
		refused(
			sign_in(server, site, f"{new_id('no')}@example.com", "wrong", "one-phone"), 401, "invalid_login"
		)
	message(sign_in(server, site, ann, PASSWORD, "one-phone"))


def test_good_logins_do_not_count(server, site, ann):
	forget_tries()
	for _ in range(LIMIT + 1):
		message(sign_in(server, site, ann, PASSWORD, "busy-phone"))


def test_known_and_unknown_users_take_the_same_time(server, site):
	"""The best of interleaved tries, for noise only adds; a hash that is left out would make one of them several times faster."""
	user, times = new_user(PASSWORD), {True: [], False: []}
	for _ in range(9):
		for exists in times:
			started = time.perf_counter()
			refused(
				sign_in(server, site, user if exists else f"{new_id('no')}@example.com", "wrong"),
				401,
				"invalid_login",
			)
			times[exists].append(time.perf_counter() - started)
	known, unknown = (min(times[exists]) for exists in (True, False))
	assert 0.5 < known / unknown < 2, times


@pytest.mark.parametrize(
	"pwd", ["wrong", None, 7, "", "x" * 5000], ids=["wrong", "none", "number", "empty", "long"]
)
@pytest.mark.parametrize("who", ["a user", "nobody", "without a password"])
def test_every_refusal_costs_one_hash(ann, site, monkeypatch, who, pwd):
	"""Of the same kind as that of a right password, so that the time tells nobody who has an account."""
	user = {"a user": ann, "nobody": "", "without a password": new_user()}[who]
	verified = []

	def verify(*given):
		verified.append(given)
		return passlibctx.verify(*given)

	context = SimpleNamespace(hash=passlibctx.hash, verify=verify)
	monkeypatch.setattr(credentials, "passlibctx", context)
	assert not credentials._verify(user, pwd)
	((_, compared),) = verified
	assert passlibctx.identify(compared) == passlibctx.default_scheme()


def test_no_password_is_kept_anywhere(server, site, ann):
	secret = f"secret-{new_id()}"
	sign_in(server, site, ann, secret)
	sign_in(server, site, secret, secret)  # typed into the wrong field
	frappe.db.rollback()
	for doctype, fields in {"Activity Log": ["subject", "full_name", "user"], "Error Log": ["error"]}.items():
		for field in fields:
			assert not frappe.db.exists(doctype, {field: ["like", f"%{secret}%"]}), (doctype, field)
	assert secret not in server.log.read_text(errors="replace")
	assert frappe.db.exists("Activity Log", {"user": ann, "status": "Failed", "operation": "Login"})
