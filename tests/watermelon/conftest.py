"""Two apps with WatermelonDB, and DocTypes that were just made."""

import pytest

from tests.clients.app import skip_without_libraries
from tests.support.orders import kinds, names, pair
from tests.watermelon.app import WmApp

__all__ = ["kinds", "names", "pair"]


def pytest_collection_modifyitems(items):
	skip_without_libraries(items, "tests/watermelon/test_synchronize")


@pytest.fixture
def apps(pair, site, names):
	"""Opens apps of the two, and closes them."""
	opened = []

	def open_app(number, **more):
		opened.append(WmApp(pair[number], site, more.pop("tables", names), **more))
		return opened[-1]

	yield open_app
	for app in opened:
		app.close()


@pytest.fixture
def two(apps):
	"""Both apps, open."""
	return apps(0), apps(1)
