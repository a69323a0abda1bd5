"""Fixtures of the engine's tests. Users are few and shared, since Frappe lets only so many be made in an hour."""

import pytest

from tests.engine.inside import Device, make_user, make_wallet


@pytest.fixture(scope="session")
def users(site):
	"""Three people."""
	return [make_user(number) for number in range(3)]


@pytest.fixture
def user(users):
	return users[0]


@pytest.fixture
def wallet(user):
	return make_wallet(user)


@pytest.fixture
def device(user, wallet):
	return Device(user, wallet)


@pytest.fixture
def other(user, wallet):
	"""Another device of the same user in the same wallet."""
	return Device(user, wallet)
