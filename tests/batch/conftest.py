"""Farms and apps that the tests of a module share."""

import pytest

from tests.batch.app import documents_world, join, new_app, new_farm
from tests.mobile.app import new_user


@pytest.fixture(scope="module")
def farm(site):
	return new_farm()


@pytest.fixture(scope="module")
def people(farm):
	"""{role: a user who has it}; users are dear to make, devices are not."""
	found = {role: new_user() for role in ("owner", "member")}
	for role, user in found.items():
		join(farm, user, role)
	return found


@pytest.fixture
def app(server, site, farm, people):
	"""A new device of the farm's owner."""
	return new_app(server, site, farm, None, people["owner"])


@pytest.fixture
def other(server, site, farm, people):
	"""A new device of another person on the same farm."""
	return new_app(server, site, farm, None, people["member"])


@pytest.fixture(scope="module")
def documented(server, site):
	return documents_world(server, site)
