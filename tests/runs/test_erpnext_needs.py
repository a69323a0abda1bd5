"""What the other side lacks for a preset is named exactly, and the field for our key is made by a call."""

import json

import frappe
import pytest

from hisabi_sync.runs import channel, needs
from tests.runs import erpnext, test_erpnext

ENTITIES = ("customers", "products", "orders")
KINDS = {"customers": "Customer", "products": "Item", "orders": "Sales Order"}


@pytest.fixture
def erp(site, alone):
	running = erpnext.Service()
	yield running
	running.stop()


def make_fields(erp, **values):
	for kind in KINDS.values():
		erp.site.make("Custom Field", dt=kind, fieldname="custom_sync_key", unique=1, **values)


def lacking(connection, entity):
	"""What the test of an entity says: [(code, detail)]."""
	with channel.Channels(connection.name) as channels:
		chosen = channels.of(entity)
		return [(error.code, error.detail) for error in chosen.connector.lacks(needs.of(chosen))]


def call(operator, method, **body):
	url = f"{operator.url}/api/method/hisabi_sync.api.runs_desk.{method}"
	answer = operator.session.post(url, json=body, timeout=60)
	assert answer.status_code == 200, answer.text
	return answer.json()["message"]


@pytest.fixture
def manager(operator):
	"""The user is not saved, which would take their API key away."""
	held = {"parent": operator.user, "parenttype": "User", "parentfield": "roles", "role": "Sync Manager"}
	role = frappe.get_doc({"doctype": "Has Role", **held}).insert()
	frappe.db.commit()
	frappe.clear_cache(user=operator.user)
	yield operator
	frappe.db.delete("Has Role", {"name": role.name})
	frappe.db.commit()
	frappe.clear_cache(user=operator.user)


def test_a_site_that_has_everything(operator, erp):
	make_fields(erp)
	connection = test_erpnext.connect(operator, erp, entities=ENTITIES)
	assert [lacking(connection, entity) for entity in ENTITIES] == [[], [], []]


def test_the_field_for_our_key_is_missing_there_or_hidden(operator, erp):
	"""No look remembers the one before."""
	connection = test_erpnext.connect(operator, erp, entities=ENTITIES)
	assert lacking(connection, "customers") == [("key_field_missing", "Customer.custom_sync_key")]
	make_fields(erp)
	erp.site.unreadable.add("custom_sync_key")
	assert lacking(connection, "customers") == [("key_field_unreadable", "Customer.custom_sync_key")]
	erp.site.unreadable.clear()
	assert lacking(connection, "customers") == []


def test_a_field_that_only_the_database_knows_yet_is_not_called_missing(operator, erp):
	"""The other site's form still shows the DocType without it."""
	make_fields(erp)
	erp.site.unreadable.add("custom_sync_key")
	connection = test_erpnext.connect(operator, erp, entities=ENTITIES)
	erp.site.stale = True
	assert lacking(connection, "customers") == [("key_field_unreadable", "Customer.custom_sync_key")]


def test_rights_fields_and_named_documents_are_told_one_by_one(operator, erp):
	make_fields(erp)
	erp.site.denied |= {("Sales Order", "create"), ("Customer", "read")}
	wrong = [{"local": "note", "remote": "remarks_there"}, {"remote": "company", "value": "Nowhere"}]
	rows = [{"local": "items", "remote": "items", "rows": [{"local": "quantity", "remote": "amount_of"}]}]
	change = {"orders": {"mapping": json.dumps(wrong + rows)}, "products": {"remote_type": "No Such Type"}}
	connection = test_erpnext.connect(operator, erp, entities=ENTITIES, change=change)
	assert lacking(connection, "orders") == [
		("remote_right_missing", "create Sales Order"),
		("remote_field_missing", "remarks_there"),
		("remote_field_missing", "items.amount_of"),
		("remote_value_missing", "Company Nowhere"),
	]
	assert lacking(connection, "products") == [("remote_type_missing", "No Such Type")]
	assert lacking(connection, "customers") == [("remote_right_missing", "read Customer")]


def test_a_manager_makes_the_fields_after_a_look(manager, erp):
	connection = test_erpnext.connect(manager, erp, entities=ENTITIES)
	found = call(manager, "prepare", connection=connection.name)["steps"]
	wanted = [(entity, f"{KINDS[entity]}.custom_sync_key", False) for entity in ENTITIES]
	assert [(row["entity"], row["what"], row["made"]) for row in found] == wanted
	assert not erp.site.documents["Custom Field"]
	tested = call(manager, "test", connection=connection.name)["entities"]
	assert {row["lacks"][0]["code"] for row in tested} == {"key_field_missing"}
	done = call(manager, "prepare", connection=connection.name, dry_run=False)["steps"]
	assert [row["made"] for row in done] == [True] * 3
	made = erp.site.documents["Custom Field"].values()
	assert {row["dt"] for row in made} == set(KINDS.values()) and all(row["unique"] == 1 for row in made)
	assert call(manager, "prepare", connection=connection.name, dry_run=False)["steps"] == []
	assert all(row["ok"] for row in call(manager, "test", connection=connection.name)["entities"])


def test_who_may_not_make_fields_there_is_told_so(manager, erp):
	erp.site.denied.add(("Custom Field", "create"))
	connection = test_erpnext.connect(manager, erp, entities=("customers",))
	(row,) = call(manager, "prepare", connection=connection.name, dry_run=False)["steps"]
	assert not row["made"] and "create Custom Field" in row["message"]
