"""Tries to log in are counted by an address that clients cannot invent, and lock nobody out who is right."""

import frappe
import pytest
from frappe.installer import update_site_config

from hisabi_sync.api.protocol import credentials, throttle
from hisabi_sync.api.protocol.throttle import CONFIG
from tests.support.phone import new_id
from tests.support.users import PASSWORD
from tests.wallet_api.people import message, new_user, refused, sign_in
from tests.wallet_api.test_login import LIMIT, forget_tries


@pytest.fixture
def user(site):
	forget_tries()
	yield new_user(PASSWORD)
	forget_tries()


@pytest.fixture
def behind_a_proxy(site):
	"""The test server has one proxy before it, which is the test."""
	update_site_config(CONFIG, 1)
	yield
	update_site_config(CONFIG, "None")


@pytest.fixture
def two_tries(site):
	"""Fewer tries, so that a crowd need not be one."""
	frappe.db.set_single_value("Sync Settings", "login_attempts", 2)
	frappe.db.commit()
	frappe.clear_document_cache("Sync Settings", "Sync Settings")
	yield 2
	frappe.db.set_single_value("Sync Settings", "login_attempts", LIMIT)
	frappe.db.commit()
	frappe.clear_document_cache("Sync Settings", "Sync Settings")


def by(forwarded):
	return {"headers": {"X-Forwarded-For": forwarded}}


def statuses(server, site, user, count, name="203.0.113.{}", **more):
	"""How so many wrong tries are answered, each with an address of its own."""
	return [
		sign_in(server, site, user, "wrong", **by(name.format(n)), **more).status_code for n in range(count)
	]


def test_invented_addresses_are_not_believed(server, site, user):
	assert statuses(server, site, user, 25) == [401] * LIMIT + [429] * (25 - LIMIT)


@pytest.mark.usefixtures("behind_a_proxy")
def test_invented_addresses_before_that_of_the_proxy_are_not_believed(server, site, user):
	found = statuses(server, site, user, 25, "198.51.100.{}, 192.0.2.7")
	assert found == [401] * LIMIT + [429] * (25 - LIMIT)
	message(sign_in(server, site, user, PASSWORD, **by("192.0.2.7, 192.0.2.8")))


@pytest.mark.usefixtures("behind_a_proxy")
def test_a_crowd_of_addresses_locks_no_owner_out(server, site, user, two_tries):
	"""From then on each address has one try, so that guessing gets no faster either."""
	tries = two_tries * credentials.CROWD + 1
	assert set(statuses(server, site, user, tries, "2001:db8:0:{}::1")) == {401}
	place = by("2001:db8:1::1")
	refused(sign_in(server, site, user, "wrong", **place), 401, "invalid_login")
	refused(sign_in(server, site, user, "wrong", **place), 429, "rate_limited")
	message(sign_in(server, site, user, PASSWORD, **by("2001:db8:2::1")))


def test_a_device_of_ones_own_is_not_locked_by_others(server, site, user):
	"""Also where they are behind the same address."""
	message(sign_in(server, site, user, PASSWORD, "my-phone"))
	assert statuses(server, site, user, LIMIT + 1)[-1] == 429
	message(sign_in(server, site, user, PASSWORD, "my-phone"))
	for _ in range(LIMIT):
		refused(sign_in(server, site, user, "wrong", "my-phone"), 401, "invalid_login")
	refused(sign_in(server, site, user, PASSWORD, "my-phone"), 429, "rate_limited")


@pytest.mark.usefixtures("behind_a_proxy")
def test_wrong_tries_on_a_device_from_elsewhere_lock_its_owner_out_nowhere(server, site, user):
	message(sign_in(server, site, user, PASSWORD, "my-phone", **by("192.0.2.20")))
	place = by("192.0.2.21")
	found = [sign_in(server, site, user, "wrong", "my-phone", **place).status_code for _ in range(LIMIT + 5)]
	assert found == [401] * LIMIT + [429] * 5
	message(sign_in(server, site, user, PASSWORD, "my-phone", **by("192.0.2.20")))


def test_refusals_do_not_tell_which_devices_are_registered(server, site, user):
	"""Neither before nor after the tries are used up; unknown users' devices look the same."""
	message(sign_in(server, site, user, PASSWORD, "my-phone"))
	for name in (user, f"{new_id('no')}@example.com"):
		for order in (["my-phone", "no-phone"], ["no-phone", "my-phone"]):
			forget_tries()
			found = [
				sign_in(server, site, name, "wrong", device).status_code
				for device in [None, *order] * (LIMIT // 2)
			]
			assert found == [401] * LIMIT + [429] * (len(found) - LIMIT)


@pytest.mark.usefixtures("behind_a_proxy")
def test_names_that_nobody_has_are_limited_by_address(server, site, user, two_tries):
	place, most = by("192.0.2.9"), two_tries * credentials.ADDRESS
	for _ in range(most):
		refused(sign_in(server, site, f"{new_id('no')}@example.com", "wrong", **place), 401, "invalid_login")
	refused(sign_in(server, site, f"{new_id('no')}@example.com", "wrong", **place), 429, "rate_limited")
	message(sign_in(server, site, user, PASSWORD, **by("192.0.2.10")))


@pytest.mark.usefixtures("behind_a_proxy")
def test_strangers_do_not_fill_the_log(server, site, monkeypatch):
	before = frappe.db.count("Activity Log", {"user": "Guest"})
	for n in range(credentials.ROWS + 5):
		sign_in(server, site, f"{new_id('no')}@example.com", "wrong", **by(f"192.0.2.{n}"))
	frappe.db.rollback()
	assert frappe.db.count("Activity Log", {"user": "Guest"}) - before <= credentials.ROWS
	forget_tries()


@pytest.mark.parametrize(
	("conf", "peer", "forwarded", "expected"),
	[
		({}, "192.0.2.1", "10.0.0.1", "192.0.2.1"),
		({"restart_supervisor_on_update": True}, "127.0.0.1", "10.0.0.1, 192.0.2.1", "192.0.2.1"),
		({"restart_systemd_on_update": True}, "127.0.0.1", "", "127.0.0.1"),
		({"restart_supervisor_on_update": True, CONFIG: 0}, "127.0.0.1", "10.0.0.1", "127.0.0.1"),
		({CONFIG: 2}, "10.0.0.2", "6.6.6.6, 192.0.2.1, 10.0.0.1", "192.0.2.1"),
		({CONFIG: 9}, "10.0.0.2", "192.0.2.1, 10.0.0.1", "192.0.2.1"),
		({CONFIG: 1}, "127.0.0.1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
		({CONFIG: 1}, "127.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
		({CONFIG: 1}, "127.0.0.1", "nonsense", "unknown"),
		({}, None, "10.0.0.1", "unknown"),
	],
)
def test_which_address_counts(monkeypatch, conf, peer, forwarded, expected):
	request = frappe._dict(remote_addr=peer, headers={"X-Forwarded-For": forwarded} if forwarded else {})
	monkeypatch.setattr(frappe.local, "request", request, raising=False)
	monkeypatch.setattr(frappe.local, "conf", frappe._dict(conf))
	assert throttle.caller_address() == expected
