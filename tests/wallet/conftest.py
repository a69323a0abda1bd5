"""Phones that the tests of a module share where it does not matter what else their wallet holds."""

import pytest

from tests.wallet.people import enlist, sign_in, sign_up


@pytest.fixture(scope="module")
def shared(server, site):
	"""A signed-in phone of a new user."""
	return sign_in(server, site, sign_up())


@pytest.fixture(scope="module")
def sibling(shared, server, site):
	"""Another phone of the same user in the same wallet."""
	return sign_in(server, site, shared.user, shared.wallet_id)


@pytest.fixture(scope="module")
def stranger(server, site):
	"""A phone of somebody who has nothing to do with the others."""
	return sign_in(server, site, sign_up())


@pytest.fixture(scope="module")
def enlisted(shared, server, site):
	"""Phones of other people in the wallet of `shared`, by role."""
	return {role: enlist(server, site, shared.wallet_id, role) for role in ("admin", "member", "viewer")}


@pytest.fixture(scope="module")
def wallet(server, site):
	"""(reader, writer): two phones of one user in a wallet of their own."""
	reader = sign_in(server, site, sign_up())
	return reader, sign_in(server, site, reader.user, reader.wallet_id)
