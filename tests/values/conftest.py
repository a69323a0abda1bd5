"""A line of each contract, shared by the tests of a module."""

import pytest

from tests.batch import app as farms
from tests.family import app as families
from tests.mobile import app as tenants
from tests.values import lines
from tests.wallet_api import people


@pytest.fixture(scope="module")
def user(site):
	return families.new_user()


@pytest.fixture(scope="module")
def wallet(server, site, user):
	return lines.Wallet(people.new_phone(server, site, user, people.new_wallet(user)))


@pytest.fixture(scope="module")
def mobile(server, site, user):
	return lines.Mobile(tenants.new_app(server, site, tenants.new_tenant(), user=user))


@pytest.fixture(scope="module")
def batch(server, site, user):
	return lines.Batch(farms.new_app(server, site, farms.new_farm(), user=user))


@pytest.fixture(scope="module")
def family(server, site, user):
	return lines.Family(families.new_app(server, site, families.new_family(user), user))


@pytest.fixture(params=["wallet", "mobile", "batch", "family"])
def line(request):
	"""Each contract in turn."""
	return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def generic(site):
	"""(Caller, DocType with rows, change, send, fetch): a DocType made syncable in the Desk."""
	from tests.support.engine import change, fetch, send
	from tests.values import doctypes

	doctypes.ensure()
	yield doctypes.team(), doctypes.WITH_ROWS, change, send, fetch
	doctypes.remove()
