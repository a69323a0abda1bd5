import pytest

from hisabi_sync.engine.database import retry
from tests.media.s3 import bucket, s3_server  # noqa: F401
from tests.wallet_api.people import new_phone, new_user, new_wallet


@pytest.fixture(scope="session")
def make_family(server, site):
	"""Phones of an owner, a member and a viewer of one wallet, and of a stranger with a wallet of his own."""

	def make():
		users = {role: retry.run(new_user) for role in ("owner", "member", "viewer", "stranger")}
		wallet = new_wallet(users["owner"], member=users["member"], viewer=users["viewer"])
		wallets = dict.fromkeys(users, wallet) | {"stranger": new_wallet(users["stranger"])}
		return {role: new_phone(server, site, user, wallets[role]) for role, user in users.items()}

	return make


@pytest.fixture(scope="session")
def family(make_family):
	"""The same people for all tests, which leave their memberships and devices alone."""
	return make_family()


@pytest.fixture
def owner(family):
	return family["owner"]
