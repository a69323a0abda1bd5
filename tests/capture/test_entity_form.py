"""What a person is told who makes a Sync Entity with a space that no device can reach."""

import frappe
import pytest

from hisabi_sync.engine.entities import contracts
from hisabi_sync.hisabi_sync.doctype.sync_entity.sync_entity import unserved
from tests.capture.conftest import _custom_field

KINDS = ["wallet", "tenant", "family", "farm"]
GIVEN = {"doctype": "Sync Entity", "entity_type": "Note", "document_type": "Note"}


@pytest.fixture
def entity(site):
	"""A function that makes the Sync Entity of Note, whose field `team` holds the key; undone afterwards."""
	frappe.set_user("Administrator")
	_custom_field("Note")
	frappe.db.commit()
	frappe.clear_messages()
	yield lambda **given: frappe.get_doc({**GIVEN, "space_path": "team", **given}).insert()
	frappe.db.rollback()
	frappe.clear_messages()


def told():
	return [row["message"] for row in map(frappe.parse_json, frappe.get_message_log())]


@pytest.mark.parametrize("path", ["", " ", ".", "owner.", ".team", "owner..team"])
def test_an_empty_part_of_a_path_is_named(entity, path):
	with pytest.raises(frappe.ValidationError, match="empty part: give the field"):
		entity(space_type="wallet", space_path=path)


def test_a_kind_of_space_that_no_contract_serves_is_told(entity):
	doc = entity(space_type="walet")
	(said,) = told()
	assert "walet" in said and ", ".join(KINDS) in said
	doc.run_method("onload")
	assert doc.get_onload("unserved") == said


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_kind_that_is_served_nothing_is_told(entity, kind):
	doc = entity(space_type=kind)
	doc.run_method("onload")
	assert not told() and not doc.get_onload("unserved")


def test_the_kinds_of_this_apps_contracts_are_served(site):
	assert set(KINDS) <= set(contracts.space_types())


def test_kinds_of_the_entity_types_of_this_app_are_served(site):
	kinds = frappe.get_all("Sync Entity", {"is_standard": 1}, pluck="space_type")
	assert kinds and not [kind for kind in kinds if unserved(kind)]


def proposed(document_type, space_type="tenant"):
	given = {"doctype": "Sync Entity", "document_type": document_type, "space_type": space_type}
	return frappe.get_doc(given).propose_numbering()


def test_what_jobs_write_is_proposed_to_be_numbered_by_one(site, monkeypatch):
	"""Such as stock levels, which other documents make, and DocTypes that an app names."""
	frappe.set_user("Administrator")
	assert proposed("Note") is None
	monkeypatch.setattr(frappe.get_meta("Note"), "in_create", 1)
	found = proposed("Note")
	assert found["numbering"] == "By a job" and "Note" in found["why"]
	assert proposed("Note", "wallet") is None  # other values follow at once there


def test_an_app_names_what_is_written_in_mass(site, monkeypatch):
	frappe.set_user("Administrator")
	hooks = frappe.get_hooks

	def named(hook=None, *args, **more):
		return ["Note"] if hook == "sync_mass_doctypes" else hooks(hook, *args, **more)

	monkeypatch.setattr(frappe, "get_hooks", named)
	assert proposed("Note")["numbering"] == "By a job"


def test_only_what_values_follow_from_cannot_be_numbered_by_a_job(site):
	"""A tenant holds orders of an ERP beside forms; of a wallet's records all count."""
	found = {kind: contracts.is_followed(kind, "Sales Order") for kind in (*KINDS, "of one's own")}
	assert found == {"wallet": True, "tenant": False, "family": True, "farm": False, "of one's own": False}
	assert contracts.is_followed("tenant", "Field Submission") and contracts.is_followed(
		"farm", "Field Observation"
	)


def test_a_tenants_orders_may_be_numbered_by_a_job(entity):
	doc = entity(space_type="tenant", numbering="By a job")
	assert doc.numbering == "By a job"
	with pytest.raises(frappe.ValidationError, match="number changes in the same transaction"):
		doc.space_type = "wallet"
		doc.save()
