"""The people, the world that they are in or not, and another one."""

import pytest
import requests

from hisabi_sync.demo import family as demo
from hisabi_sync.engine.identity import device_tokens
from tests.family.app import new_family, signed
from tests.mobile.app import new_person, new_user
from tests.support.users import PASSWORD
from tests.walls import world as worlds


@pytest.fixture(scope="session")
def people(server, site):
	return worlds.cast(server, site)


@pytest.fixture(scope="session")
def world(people):
	"""The world that the calls are about."""
	return _with_device(worlds.build(people), people["owner"])


@pytest.fixture(scope="session")
def elsewhere(people):
	"""The stranger's own world, which is all that the limited manager may see."""
	made = _with_device(worlds.build(people, "stranger", ()), people["stranger"])
	worlds.keep_to(made, people["limited"].user)
	return made


@pytest.fixture(scope="session")
def spare(people):
	"""A world for calls that go through and change it."""
	return _with_device(worlds.build(people), people["owner"])


def _with_device(made, owner):
	"""One more device of the owner, which a call may stop."""
	made.ids["owners_device"] = worlds.new_id("device")
	made.ids["device_name"] = device_tokens.register(owner.user, made.ids["owners_device"])[0].name
	worlds.frappe.db.commit()
	return made


@pytest.fixture(scope="session")
def ruin(people):
	"""A world for what is hostile; its `user` is nobody, whose logins may be locked."""
	made = _with_device(worlds.build(people), people["owner"])
	made.ids["user"] = f"{worlds.new_id('nobody')}@example.com"
	return made


@pytest.fixture(scope="session")
def person(site):
	"""A System Manager who is the parent of a family."""
	return new_person("System Manager", "Sync Manager", "Hisabi User")


@pytest.fixture(scope="session")
def family_jwt(person):
	"""The JWT of that parent's phone."""
	family = new_family(person, new_user())
	return demo.token(person, family, signed())


@pytest.fixture
def untouched(world):
	"""Fails when the test has changed anything in the world."""
	before = worlds.state(world)
	yield
	assert worlds.state(world) == before


@pytest.fixture(scope="session")
def ask(server, site, people):
	"""Call a method as one of the people in a browser."""
	sessions = {}

	def signed_in(who):
		session = requests.Session()
		session.headers["X-Frappe-Site-Name"] = site
		login = {"usr": people[who].user, "pwd": PASSWORD}
		assert session.post(f"{server.url}/api/method/login", data=login, timeout=60).ok
		return session

	def call(who, method, verb="POST", path="/api/method/", **given):
		session = sessions.get(who) or sessions.setdefault(who, signed_in(who))
		return session.request(verb, f"{server.url}{path}{method}", json=given, timeout=60)

	return call
