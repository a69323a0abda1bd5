"""Fixtures of the runs' tests: an operator in a new tenant, and the other side as a real service."""

import frappe
import pytest

from hisabi_sync.runs import finish
from tests.runs import world


@pytest.fixture(scope="package", autouse=True)
def empty_queue(site):
	"""Jobs of other tests are not ours to do, nor ours theirs."""
	from frappe.utils.background_jobs import get_queue

	frappe.local.conf["hisabi_sync_allowed_networks"] = ["127.0.0.0/8"]
	get_queue("long").empty()
	yield
	world.CREW.stop()


@pytest.fixture(autouse=True)
def no_leftovers(site):
	"""What a test left undone does not keep the workers of the next one busy."""
	yield
	frappe.db.rollback()
	for name in frappe.get_all("Sync Run", filters={"status": ["in", ["queued", "running"]]}, pluck="name"):
		finish.cancel(name, "")
	frappe.db.commit()


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


@pytest.fixture
def source(operator, service):
	return world.connect_service(operator.tenant, service, ("products",), "pull")


@pytest.fixture
def alone(site):
	"""Jobs run in the test's own process."""
	world.CREW.stop()
	yield
	frappe.set_user("Administrator")
