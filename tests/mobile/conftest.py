"""Tenants and apps that the tests of a module share."""

import pytest

from tests.mobile.app import documents_world, new_app, new_tenant


@pytest.fixture(scope="module")
def tenant(site):
	return new_tenant()


@pytest.fixture(scope="module")
def app(server, site, tenant):
	return new_app(server, site, tenant)


@pytest.fixture(scope="module")
def other(server, site, tenant):
	"""Another person's app in the same tenant."""
	return new_app(server, site, tenant)


@pytest.fixture(scope="module")
def stranger(server, site):
	"""An app in a tenant of its own."""
	return new_app(server, site, new_tenant())


@pytest.fixture(scope="module")
def documented(server, site):
	"""The device of the document, with the records that it names."""
	return documents_world(server, site)
