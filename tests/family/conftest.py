"""Families and apps that the tests of a module share."""

import pytest

from hisabi_sync.demo import family as demo
from tests.family.app import App, new_app, new_family, new_user


@pytest.fixture(scope="module")
def parent(site):
	return new_user()


@pytest.fixture(scope="module")
def child(site):
	return new_user()


@pytest.fixture
def family(parent, child):
	"""A new family of a parent and a child."""
	return new_family(parent, child)


@pytest.fixture
def app(server, site, family, parent):
	return new_app(server, site, family, parent)


@pytest.fixture
def other(server, site, family, child):
	"""The child's app in the same family."""
	return new_app(server, site, family, child)


@pytest.fixture
def documented(server, site, parent, child):
	"""An app with the device of the document, in a family that holds what it names."""
	from tests.support.phone import new_id

	family = new_id("family")
	token = demo.prepare(parent, child, family)["token"]
	return App(server.url, site, token, parent, family, "phone-123")
