"""Fixtures of the runs' tests: an operator in a new tenant, and the other side as a real service."""

import frappe
import pytest

from tests.runs import world


@pytest.fixture(scope="session", autouse=True)
def empty_queue(site):
	"""Jobs of other tests are not ours to do."""
	from frappe.utils.background_jobs import get_queue

	frappe.local.conf["hisabi_sync_allowed_networks"] = ["127.0.0.0/8"]
	get_queue("long").empty()


@pytest.fixture
def service():
	running = world.Faults()
	yield running.service
	running.stop()


@pytest.fixture
def operator(server, site):
	return world.new_operator(server, site)


@pytest.fixture
def connection(operator, service):
	return world.connect_service(operator.tenant, service)
