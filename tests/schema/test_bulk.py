"""What Frappe's users expect of a saved document, of those too that a push writes in bulk."""

import json

import frappe
import pytest

from hisabi_sync.engine.entities import compiled_before, entity_types, write_mode
from tests.derived.conftest import new_household
from tests.support.engine import change, send
from tests.support.phone import new_id

ACCOUNT = "Hisabi Account"
CASH = {"account_name": "Old", "account_type": "cash", "currency": "SAR"}


@pytest.fixture
def household():
	return new_household("Administrator")[0]


@pytest.fixture
def account(household):
	client_id = new_id()
	send(household, change(ACCOUNT, client_id, **CASH))
	return client_id


def new_request():
	frappe.db.rollback()
	entity_types._clean()
	frappe.local.cache.clear()


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_cached_document_is_that_of_the_push(household, account, operation):
	new_request()
	assert frappe.get_cached_doc(ACCOUNT, account).account_name == "Old"
	payload = {"account_name": "New"} if operation == "update" else {}
	send(household, change(ACCOUNT, account, operation, 1, **payload))
	new_request()
	doc = frappe.get_cached_doc(ACCOUNT, account)
	assert (doc.account_name, doc.is_deleted) == (("New", 0) if operation == "update" else ("Old", 1))


def test_a_cached_document_has_what_the_server_computed(household, account):
	new_request()
	assert frappe.get_cached_value(ACCOUNT, account, "current_balance") == 0
	values = {
		"transaction_type": "expense",
		"date_time": "2026-03-01T10:00:00Z",
		"amount": 5,
		"currency": "SAR",
	}
	send(household, change("Hisabi Transaction", new_id(), account=account, **values))
	new_request()
	assert frappe.get_cached_value(ACCOUNT, account, "current_balance") == -5


def versions(name):
	rows = frappe.get_all("Version", {"ref_doctype": ACCOUNT, "docname": name}, ["data", "owner"])
	return [(json.loads(row.data)["changed"], row.owner) for row in rows]


def test_a_push_leaves_the_versions_that_a_save_leaves(household, account):
	assert frappe.get_meta(ACCOUNT).track_changes
	first = change(ACCOUNT, account, "update", 1, account_name="New", color="red")
	send(household, first, change(ACCOUNT, account, "update", 2, account_name="Newer"))
	((changed, owner),) = versions(account)
	assert sorted(changed) == [["account_name", "Old", "Newer"], ["color", None, "red"]]
	assert owner == household.user


def test_a_balance_alone_is_no_version(household, account):
	values = {
		"transaction_type": "expense",
		"date_time": "2026-03-01T10:00:00Z",
		"amount": 5,
		"currency": "SAR",
	}
	send(household, change("Hisabi Transaction", new_id(), account=account, **values))
	assert versions(account) == []


@pytest.fixture
def branch(site):
	"""A mandatory Custom Field of accounts."""
	frappe.set_user("Administrator")
	assert entity_types.registry().by_name[ACCOUNT].bulk
	values = {"dt": ACCOUNT, "fieldname": "cf_branch", "label": "Branch", "fieldtype": "Data", "reqd": 1}
	field = frappe.get_doc({"doctype": "Custom Field", **values}).insert()
	frappe.db.commit()
	yield field
	frappe.delete_doc("Custom Field", field.name)
	frappe.db.commit()


def test_a_mandatory_custom_field_is_asked_for(household, branch):
	(outcome,) = send(household, change(ACCOUNT, new_id(), **CASH))
	assert (outcome.status, outcome.code) == ("error", "missing_required_fields")
	assert "cf_branch" in json.dumps(outcome.detail)


def test_who_has_a_value_for_it_is_saved_as_the_desk_would(household, branch, site):
	branch.default = "Main"
	branch.save()
	frappe.db.commit()
	client_id = new_id()
	(outcome,) = send(household, change(ACCOUNT, client_id, **CASH))
	assert (outcome.status, outcome.detail) == ("accepted", None)
	doc = frappe.get_doc(
		ACCOUNT, frappe.db.get_value("Sync Record", {"client_id": client_id}, "document_name")
	)
	assert doc.cf_branch == "Main"
	doc.color = "red"
	doc.save()


def test_no_declared_type_is_slower_for_it(site, monkeypatch):
	now = {entity.name for entity in entity_types.registry().by_name.values() if entity.bulk}
	monkeypatch.setattr(write_mode, "_added", lambda *_: [])
	monkeypatch.setattr(compiled_before, "_latest", {})  # nothing is kept of before
	anyhow = entity_types._compile(entity_types._rows(), "")
	assert now == {entity.name for entity in anyhow.by_name.values() if entity.bulk}
