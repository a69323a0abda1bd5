"""DocTypes that were just made, and two devices."""

from tests.clients.app import skip_without_libraries
from tests.support.orders import kinds, names, pair

__all__ = ["kinds", "names", "pair"]


def pytest_collection_modifyitems(items):
	skip_without_libraries(items, "tests/tanstack")
