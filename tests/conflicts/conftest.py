"""Fixtures of the conflict centre: people with its roles, and records that two devices disagree about."""

import frappe
import pytest
import requests

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from tests.conflicts import doctypes
from tests.conflicts.world import Pair
from tests.derived.conftest import new_household
from tests.support.phone import new_id
from tests.support.users import PASSWORD, make_user


def make_person(*roles):
	"""A user of the Desk with these roles and no others."""
	return make_user(*roles, prefix="person", first_name="Muna", last_name="Saleh")


@pytest.fixture(scope="session")
def manager(site):
	return make_person("Sync Manager")


@pytest.fixture(scope="session")
def auditor(site):
	return make_person("Sync Auditor")


@pytest.fixture(scope="session")
def nobody(site):
	return make_person("Hisabi User")


@pytest.fixture
def pair(site):
	"""Two devices in a new wallet."""
	return Pair(*new_household("Administrator"))


@pytest.fixture(scope="session")
def meters(site):
	frappe.set_user("Administrator")
	doctypes.ensure()
	yield
	frappe.set_user("Administrator")
	frappe.db.rollback()
	doctypes.remove()


@pytest.fixture
def team(meters):
	"""Two devices in a new team that shares meters."""
	key = new_id("team")
	space = spaces.ensure(doctypes.SPACE_TYPE, key)
	spaces.set_member(space, "Administrator", "owner")
	found = [device_tokens.register("Administrator", new_id("device"))[0] for _ in range(2)]
	frappe.db.commit()
	entity_types.registry()
	callers = (Caller("Administrator", space, d.name, doctypes.SPACE_TYPE, key) for d in found)
	return Pair(*callers)


@pytest.fixture
def web(server, site):
	"""Sign a person in as the Desk does; returns a function that calls an endpoint and gives the response."""

	def sign_in(user):
		session = requests.Session()
		session.headers["X-Frappe-Site-Name"] = site
		answer = session.post(
			f"{server.url}/api/method/login", data={"usr": user, "pwd": PASSWORD}, timeout=30
		)
		assert answer.status_code == 200, answer.text
		return lambda method, **given: _call(session, server.url, method, given)

	return sign_in


def _call(session, url, method, given):
	token = session.cookies.get("csrf_token") or ""
	return session.post(
		f"{url}/api/method/hisabi_sync.api.{method}",
		json=given,
		headers={"X-Frappe-CSRF-Token": token},
		timeout=60,
	)
