"""One wallet with a member of each role, and people who are outside of it, for each module."""

import copy
from types import SimpleNamespace

import pytest

from tests.support.users import PASSWORD
from tests.wallet_api.people import ROLES, new_phone, new_user, new_wallet


@pytest.fixture(scope="module")
def ann(site):
	"""A user with a password."""
	return new_user(PASSWORD)


@pytest.fixture(scope="session")
def crowd(site):
	"""Users by the role that they have in wallets of the tests; `outsider` has none."""
	return {name: new_user() for name in (*ROLES, "outsider", "other")}


@pytest.fixture(scope="session")
def tokens(server, site, crowd):
	"""A phone of each of the crowd, in no wallet yet."""
	return {name: new_phone(server, site, user) for name, user in crowd.items()}


def _house(crowd, tokens):
	wallet_id = new_wallet(crowd["owner"], **{role: crowd[role] for role in ROLES[1:]})
	phones = {name: copy.copy(phone) for name, phone in tokens.items()}
	for phone in phones.values():
		phone.wallet_id, phone.replica = wallet_id, {}
	return SimpleNamespace(id=wallet_id, users=dict(crowd), phones=phones)


@pytest.fixture
def house(crowd, tokens):
	"""A fresh wallet with one member of each role: `.id`, `.users`, `.phones`."""
	return _house(crowd, tokens)


@pytest.fixture(scope="module")
def calm_house(crowd, tokens):
	"""The same for tests that change nothing, or put it back."""
	return _house(crowd, tokens)
