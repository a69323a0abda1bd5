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
