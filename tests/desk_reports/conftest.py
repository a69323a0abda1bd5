"""Fixtures: a household with pushes of every outcome, people of every role, and the browser of the Desk's tests."""

import frappe
import pytest

from tests.conflicts.conftest import auditor, make_person, manager, nobody, pair  # noqa: F401
from tests.conflicts.world import ACCOUNT
from tests.desk.conftest import (  # noqa: F401
	browser,
	desk,
	desk_site,
	pytest_runtest_makereport,
	shots,
	window,
)
from tests.support.engine import change, send
from tests.support.phone import new_id


@pytest.fixture(scope="session")
def administrator(site):
	return make_person("System Manager")


@pytest.fixture
def busy(pair):  # noqa: F811
	"""Three conflicts, five errors, a duplicate, and what it takes to get there."""
	for _ in range(3):
		pair.clash()
	errors = [change(ACCOUNT, new_id("account"), account_type="no such type") for _ in range(5)]
	assert {outcome.status for outcome in send(pair.mine, *errors)} == {"error"}
	own = new_id("account")
	for _ in range(2):  # the second, under another op id, says nothing new
		send(pair.mine, change(ACCOUNT, own, account_name="A", account_type="cash", currency="SAR"))
	frappe.db.commit()
	return pair


@pytest.fixture
def restricted(site):
	"""A Sync Manager who may see one space only; gives a function that names it."""
	person = make_person("Sync Manager")

	def to(space):
		frappe.get_doc(
			{"doctype": "User Permission", "user": person, "allow": "Sync Space", "for_value": space}
		).insert(ignore_permissions=True)
		frappe.db.commit()
		return person

	return to
