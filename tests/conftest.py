"""Fixtures: a site, a server, and people with wallets and phones. Everything is real; nothing stands in for Frappe."""

import functools
import os

import frappe
import pytest
from frappe.installer import update_site_config

from tests.support import users
from tests.support.server import Server
from tests.wallet import people

pytest_plugins = ["tests.support.options"]

SITE = os.environ["HISABI_SITE"]


@pytest.fixture(scope="session", autouse=True)
def site():
	"""A connection to the test site as Administrator."""
	os.chdir(os.environ["SITES_PATH"])  # Frappe finds its logs from here
	frappe.init(site=SITE, sites_path=os.environ["SITES_PATH"])
	frappe.connect()
	frappe.set_user("Administrator")
	frappe.local.conf["throttle_user_limit"] = 1_000_000  # users an hour
	yield SITE
	frappe.destroy()


@pytest.fixture(autouse=True)
def fresh_transaction(site):
	"""Each test sees what was committed before it and leaves nothing half done."""
	frappe.set_user("Administrator")
	frappe.db.rollback()
	frappe.local.dynamic_link_map = None  # Frappe keeps it for as long as a request takes
	yield
	frappe.db.rollback()
	assert not hasattr(frappe.local, "_realtime_log"), "nothing that is announced from now on would be sent"


@pytest.fixture(scope="session")
def server(site, tmp_path_factory):
	running = Server(site, tmp_path_factory.mktemp("server") / "web.log").start()
	yield running
	running.stop()
	unfit = running.unfit_answers()
	assert not unfit, "\n".join(["answers that are not as docs/openapi.json says:", *unfit[:50]])


@pytest.fixture
def make_user():
	"""Make a user that may sign in with PASSWORD."""

	return lambda *roles: users.make_user(*(roles or ("Hisabi User",)))


@pytest.fixture
def login(server, site):
	"""Sign a user's device in over HTTP and return its Phone in a wallet (their default one when none is given)."""

	return functools.partial(people.sign_in, server, site)


@pytest.fixture
def phone(make_user, login):
	"""A signed-in phone of a new user in his own wallet."""
	return login(make_user())


@pytest.fixture
def second(phone, login):
	"""Another phone of the same user in the same wallet."""
	return login(frappe.db.get_value("Sync Device", {"device_id": phone.device_id}, "user"), phone.wallet_id)


@pytest.fixture
def little_patience(site):
	"""The server gives up on locks soon, so that the test need not wait."""
	update_site_config("sync_lock_wait", 1)
	yield
	update_site_config("sync_lock_wait", 0)
