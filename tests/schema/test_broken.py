"""An entity type that cannot be compiled, met by web workers: each logs it once, and goes on with everything else."""

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types
from tests.schema.conftest import Desk
from tests.support.phone import Phone, account, create


@pytest.fixture
def broken(inspections):
	"""Name of an entity type whose definition is no JSON."""
	frappe.db.rollback()
	frappe.db.set_value("Sync Entity", inspections, "policy_parameters", "{no JSON")
	entity_types.forget()
	frappe.db.commit()
	yield inspections
	frappe.db.rollback()
	frappe.db.set_value("Sync Entity", inspections, "policy_parameters", None)
	entity_types.forget()
	frappe.db.commit()


def logged(entity_type):
	"""How many lines the Error Log has about it; they are documents, whose hooks ask for the entity types too."""
	frappe.db.rollback()
	return frappe.db.count("Error Log", {"method": f"Sync Entity {entity_type} cannot be used"})


def test_every_worker_logs_it_once_and_applies_the_rest(broken, servers, site, phone):
	edited = logged(broken)  # by who made the edit, and compiled it at the commit
	assert edited <= 1
	for _ in range(3):
		for one in servers:
			there = Phone(one.url, site, phone.token, phone.device_id, phone.wallet_id)
			results = there.push(create(broken, note="x"), account(account_name="Cash"))
			assert [result.get("error_code") or result["status"] for result in results] == [
				"entity_disabled",
				"accepted",
			]
	assert 1 <= logged(broken) - edited <= len(servers)
	assert frappe.db.count(broken) == 0


def test_the_desk_saves_documents_meanwhile(broken, desk: Desk):
	edited = logged(broken)
	assert desk.insert("ToDo", description="x")
	assert desk.get("DocType", broken)["name"] == broken
	assert logged(broken) - edited <= 1
