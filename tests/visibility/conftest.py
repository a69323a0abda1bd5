"""Fixtures: notes that not everybody may read, and the office that shares them."""

import frappe
import pytest

from tests.conflicts.conftest import web  # noqa: F401
from tests.visibility import world


@pytest.fixture(scope="session")
def notes(site):
	frappe.set_user("Administrator")
	world.ensure()
	yield
	frappe.set_user("Administrator")
	frappe.db.rollback()
	world.remove()


@pytest.fixture(scope="module")
def office(notes):
	frappe.set_user("Administrator")
	frappe.db.rollback()
	return world.Office()
