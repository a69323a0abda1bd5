"""Apps that were built before the DocType changed. Source: docs/old-apps.md."""

import frappe
import pytest

from hisabi_sync.api.site import old_apps
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.sharing import spaces
from tests.site.app import create, update
from tests.support.orders import kinds, names, pair

__all__ = ["kinds", "names", "pair"]


@pytest.fixture
def one(pair):
	return pair[0]


def version(device):
	return device.get("schema").json()["version"]


def pulled(device, **more):
	response = device.call("pull", more)
	assert response.status_code == 200, response.text
	return response.json()


def entity(kind, work):
	frappe.set_user("Administrator")
	doc = frappe.get_doc("Sync Entity", kind)
	work(doc)
	doc.save()
	frappe.db.commit()


def listed(doctype, aliases):
	"""Rows for all fields of a DocType; where there are rows, devices have no other fields."""
	names = [
		field.fieldname for field in frappe.get_doc("DocType", doctype).fields if field.fieldname != "tenant"
	]
	return [{"fieldname": name, "access": "Read and write", "aliases": aliases.get(name)} for name in names]


@pytest.fixture
def renames(kinds):
	"""A function that renames a field of the DocType, and gives the old name as an alias if it is to."""
	done = []

	def rename(old, new, alias):
		frappe.set_user("Administrator")
		done.append((new, old))
		retry.run(lambda: _rename(kinds[0], old, new))
		if alias:
			entity(kinds[0], lambda doc: doc.set("fields", listed(kinds[0], {new: old})))

	yield rename
	entity(kinds[0], lambda doc: doc.set("fields", []))
	for new, old in done:
		retry.run(lambda new=new, old=old: _rename(kinds[0], new, old))


def _rename(doctype, old, new):
	doc = frappe.get_doc("DocType", doctype)
	next(field for field in doc.fields if field.fieldname == old).fieldname = new
	doc.save()
	frappe.db.sql_ddl(f"UPDATE `tab{doctype}` SET `{new}` = `{old}`")  # noqa: S608
	frappe.db.commit()


def test_nothing_is_said_to_an_app_that_is_up_to_date(one, kinds):
	now = version(one)
	assert "schema_changed" not in pulled(one, schema_version=now)
	assert "schema_changed" not in pulled(one)
	assert "schema_changed" not in one.send(create(kinds[0], title="A"), schema_version=now).json()


@pytest.mark.parametrize("wrong", ["x", "eJw", "0" * 300])
def test_a_version_that_nobody_can_read_is_no_error(one, wrong):
	assert "schema_changed" not in pulled(one, schema_version=wrong)


def test_a_field_that_was_renamed_goes_on_under_the_name_that_the_app_has(one, kinds, renames):
	old = version(one)
	(made,) = one.push(create(kinds[0], title="A", note="x"))
	renames("note", "remark", alias=True)
	answer = pulled(one, schema_version=old)
	(record,) = [one for one in answer["changes"] if one["id"] == made["id"]]
	assert record["values"]["note"] == "x" and "remark" not in record["values"]
	assert answer["schema_changed"]["breaking"] == []
	change = update(kinds[0], made["id"], record["version"], note="y")
	answer = one.send(change, schema_version=old).json()
	assert answer["results"][0]["status"] == "accepted" and answer["schema_changed"]["breaking"] == []
	(record,) = [one for one in pulled(one)["changes"] if one["id"] == made["id"]]
	assert record["values"]["remark"] == "y"
	narrow = pulled(one, schema_version=old, fields={kinds[0]: ["note"]})["changes"]
	assert next(one for one in narrow if one["id"] == made["id"])["values"] == {"note": "y"}


def test_a_field_that_is_gone_is_named(one, kinds, renames):
	old = version(one)
	renames("note", "remark", alias=False)
	breaking = pulled(one, schema_version=old)["schema_changed"]["breaking"]
	assert breaking == [{"type": kinds[0], "field": "note", "change": "removed"}]
	assert pulled(one, schema_version=version(one)).get("schema_changed") is None


def test_an_app_asks_for_the_new_schema_when_the_site_wants_newer_ones(one, kinds):
	old = version(one)
	entity(kinds[0], lambda doc: doc.update({"client_minimum": (doc.client_minimum or 0) + 1}))
	try:
		for response in (
			one.call("pull", {"schema_version": old}),
			one.send(create(kinds[0]), schema_version=old),
		):
			assert (response.status_code, response.json().get("error_code")) == (426, "client_outdated"), (
				response.text
			)
			assert response.json()["entity_type"] == kinds[0]
		assert pulled(one, schema_version=version(one))["changes"] is not None
		assert pulled(one)["changes"] is not None
	finally:
		entity(kinds[0], lambda doc: doc.update({"client_minimum": 0}))


def test_what_nobody_remembers_is_said(one, kinds, renames):
	old = version(one)
	renames("note", "remark", alias=False)
	frappe.db.delete("Sync Schema", {"entity_type": kinds[0]})
	frappe.db.commit()
	breaking = pulled(one, schema_version=old)["schema_changed"]["breaking"]
	assert breaking == [{"type": kinds[0], "field": None, "change": "unknown"}]


def test_a_version_costs_a_pull_no_statement_once_it_is_known(one, monkeypatch):
	now = version(one)
	frappe.set_user(one.user)
	held = spaces.held_by(one.user)
	old_apps.find(now, one.user, held)
	asked, sql = [], frappe.db.sql
	monkeypatch.setattr(
		frappe.db, "sql", lambda query, *values, **more: asked.append(query) or sql(query, *values, **more)
	)
	old_apps.find(now, one.user, held)
	assert asked == []
