"""Fixtures: a team space around DocTypes that belong to Frappe itself."""

import frappe
import pytest
from frappe.permissions import reset_perms, setup_custom_perms

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from tests.capture import named
from tests.derived.conftest import new_household
from tests.support.engine import change
from tests.support.phone import new_id


def _custom_field(doctype):
	if not frappe.db.exists("Custom Field", f"{doctype}-team"):
		frappe.get_doc(
			{
				"doctype": "Custom Field",
				"dt": doctype,
				"fieldname": "team",
				"fieldtype": "Data",
				"label": "Team",
			}
		).insert()


def _entity(doctype, **values):
	if frappe.db.exists("Sync Entity", doctype):
		frappe.delete_doc("Sync Entity", doctype)
	frappe.get_doc(
		{
			"doctype": "Sync Entity",
			"entity_type": doctype,
			"document_type": doctype,
			"space_type": "team",
			"space_path": "team",
			**values,
		}
	).insert()


def _only_for_system_managers(doctype):
	"""Versions of Frappe differ in who may do what."""
	setup_custom_perms(doctype)
	frappe.db.delete("Custom DocPerm", {"parent": doctype, "role": ["!=", "System Manager"]})
	frappe.clear_cache(doctype=doctype)


@pytest.fixture(scope="session")
def generic_entities(site):
	"""ToDo and Contact made syncable as a person would in the Desk; taken away again afterwards."""
	frappe.set_user("Administrator")
	for doctype in ("ToDo", "Contact"):
		_custom_field(doctype)
		_entity(doctype)
	_only_for_system_managers("Contact")
	frappe.db.commit()
	yield
	frappe.set_user("Administrator")
	reset_perms("Contact")
	for doctype in ("ToDo", "Contact"):
		frappe.delete_doc("Sync Entity", doctype)
	frappe.db.commit()


@pytest.fixture
def team(generic_entities, make_user):
	"""A Caller of a new System Manager who owns a new team space."""
	user = make_user("System Manager")
	return join_team(new_id("team"), user)


def join_team(key, user, role="owner"):
	"""Make the user a member of the team and return his Caller."""
	space = spaces.ensure("team", key)
	spaces.set_member(space, user, role)
	device, _ = device_tokens.register(user, new_id("device"))
	frappe.db.commit()
	entity_types.registry()
	return Caller(user, space, device.name, "team", key)


@pytest.fixture(scope="session")
def named_notes(site):
	"""A synced DocType that is named by a field."""
	frappe.set_user("Administrator")
	named.ensure()
	yield
	frappe.set_user("Administrator")
	frappe.db.rollback()
	named.remove()


@pytest.fixture
def pair_of_devices(site):
	"""(Caller of a device in a new wallet, function that makes creates of accounts by their names)."""
	caller, _ = new_household("Administrator")

	def accounts(*names):
		given = {"account_type": "cash", "currency": "SAR"}
		return [change("Hisabi Account", new_id(), account_name=name, **given) for name in names]

	return caller, accounts
