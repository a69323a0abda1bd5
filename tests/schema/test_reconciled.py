"""An edit of a DocType is no change of its documents: reconciliation makes versions of what changed, and of nothing else."""

import json

import frappe
import pytest

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.store import digests
from tests.schema.test_edits import new_request, set_in
from tests.support.phone import create, new_id, update

pytestmark = pytest.mark.thorough  # minutes long

NOTHING = {"entered": 0, "changed": 0, "left": 0}
EXTRA = {"fieldname": "extra", "label": "Extra", "fieldtype": "Data"}


@pytest.fixture
def inspection(inspections, phone):
	"""(entity type, client id) of a record with two values and empty fields."""
	item = create(inspections, note="x", state="Open")
	assert phone.push(item)[0]["status"] == "accepted"
	return inspections, item["entity_id"]


def reconciled(entity_type):
	new_request()
	return reconcile.run(entity_type)


def record(inspection):
	frappe.db.rollback()
	entity_type, client_id = inspection
	return frappe.get_doc("Sync Record", {"entity_type": entity_type, "client_id": client_id})


def versions(inspection):
	"""(version, {field: version}) of the record."""
	held = record(inspection)
	return held.doc_version, json.loads(held.field_versions or "{}")


def add(desk, doctype, *fields):
	desk.call("PUT", f"resource/DocType/{doctype}", fields=[*desk.get("DocType", doctype)["fields"], *fields])


def remove(desk, doctype, name):
	fields = [field for field in desk.get("DocType", doctype)["fields"] if field["fieldname"] != name]
	desk.call("PUT", f"resource/DocType/{doctype}", fields=fields)


EMPTY = {
	"Data": {},
	"Check": {},
	"Int": {},
	"Currency": {},
	"Date": {},
	"JSON": {},
	"Text Editor": {},
	"Table": {"options": "Has Role"},
}
EDITS = {
	"a mandatory field": set_in("weather", reqd=1),
	"other options": set_in("state", options="Open\nPaused\nClosed"),
	"another label": set_in("note", label="Remark"),
	"read only": set_in("note", read_only=1),
	"a longer text": set_in("note", fieldtype="Small Text"),
	"an empty field renamed": set_in("weather", fieldname="sky"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_fields_is_no_version(desk, inspection, edit):
	desk.edit_fields(inspection[0], EDITS[edit])
	assert reconciled(inspection[0]) == NOTHING
	assert versions(inspection) == (1, {})


def test_new_fields_without_values_are_no_version(desk, inspection):
	fields = [
		{**EXTRA, "fieldname": f"f{n}", "fieldtype": kind, **EMPTY[kind]} for n, kind in enumerate(EMPTY)
	]
	add(desk, inspection[0], *fields)
	assert reconciled(inspection[0]) == NOTHING
	assert versions(inspection) == (1, {})


def test_a_new_column_of_a_table_is_no_version(desk, inspections, phone):
	child = new_id("Line").replace("-", " ")
	about = {"module": "Desk", "custom": 1, "istable": 1}
	desk.insert("DocType", **about, name=child, fields=[{**EXTRA, "fieldname": "text"}])
	add(desk, inspections, {**EXTRA, "fieldname": "lines", "fieldtype": "Table", "options": child})
	item = create(inspections, note="x", lines=[{"text": "a"}, {"text": "b"}])
	assert phone.push(item)[0]["status"] == "accepted"
	add(desk, child, EXTRA, {**EXTRA, "fieldname": "done", "fieldtype": "Check"})
	assert reconciled(inspections) == NOTHING
	frappe.db.sql(f"UPDATE `tab{child}` SET text = 'c' WHERE text = 'b'")  # noqa: S608
	frappe.db.commit()
	assert reconciled(inspections)["changed"] == 1
	assert versions((inspections, item["entity_id"])) == (2, {"lines": 2})


def test_a_field_that_goes_and_comes_back_with_its_value_is_no_version(desk, inspection, phone):
	entity_type, client_id = inspection
	remove(desk, entity_type, "note")
	assert reconciled(entity_type) == NOTHING
	(done,) = phone.push(update(entity_type, client_id, 1, weather="fine"))
	assert (done["status"], done["doc_version"]) == ("accepted", 2)
	assert reconciled(entity_type) == NOTHING
	add(desk, entity_type, {**EXTRA, "fieldname": "note"})
	assert reconciled(entity_type) == NOTHING
	assert versions(inspection) == (2, {"weather": 2})
	assert frappe.db.get_value(entity_type, {}, ["note", "weather"]) == ("x", "fine")


def test_a_value_that_changed_while_its_field_was_away_is_a_version_of_that_field(desk, inspection):
	entity_type = inspection[0]
	remove(desk, entity_type, "note")
	frappe.db.sql(f"UPDATE `tab{entity_type}` SET note = 'y'")  # noqa: S608
	frappe.db.commit()
	assert reconciled(entity_type) == NOTHING
	add(desk, entity_type, {**EXTRA, "fieldname": "note"})
	assert reconciled(entity_type)["changed"] == 1
	assert versions(inspection) == (2, {"note": 2})


def test_a_new_field_that_holds_something_is_a_version_of_that_field(desk, inspection, phone):
	entity_type, client_id = inspection
	add(desk, entity_type, {**EXTRA, "default": "new"}, {**EXTRA, "fieldname": "other"})
	assert reconciled(entity_type)["changed"] == 1
	assert versions(inspection) == (2, {"extra": 2})
	(edit,) = phone.push(update(entity_type, client_id, 1, note="mine"))
	assert edit["status"] == "accepted"
	(late,) = phone.push(update(entity_type, client_id, 1, extra="mine"))
	assert (late["status"], late["conflict_fields"]) == ("conflict", ["extra"])
	assert reconciled(entity_type) == NOTHING


def test_what_raw_sql_changed_is_a_version_of_that_field(inspection, phone):
	entity_type, client_id = inspection
	frappe.db.sql(f"UPDATE `tab{entity_type}` SET state = 'Closed', note = NULL")  # noqa: S608
	frappe.db.commit()
	assert reconciled(entity_type)["changed"] == 1
	assert versions(inspection) == (2, {"note": 2, "state": 2})
	(edit,) = phone.push(update(entity_type, client_id, 1, weather="mine"))
	assert edit["status"] == "accepted"


def test_a_push_that_comes_between_is_not_taken_for_a_change_that_no_hook_saw(inspection, phone):
	"""The database goes on showing the record as it was when the transaction began."""
	entity_type, client_id = inspection
	name = record(inspection).document_name
	new_request()
	entity = entity_types.registry().by_name[entity_type]
	(done,) = phone.push(update(entity_type, client_id, 1, note="y"))
	assert done["status"] == "accepted"
	assert reconcile.compare(entity, [name]) == {"entered": 0, "changed": 0, "left": 0}
	frappe.db.commit()
	assert versions(inspection) == (2, {"note": 2})


def as_before(inspection):
	"""Give the record the digest that an older release wrote."""
	entity_type = inspection[0]
	held = record(inspection)
	entity = entity_types.registry().by_name[entity_type]
	values = entity.canonical(frappe.get_doc(entity_type, held.document_name))
	frappe.db.set_value(
		"Sync Record", held.name, "digest", digests._in_one(values, entity), update_modified=False
	)
	frappe.db.commit()
	return held


def test_a_digest_of_before_is_renewed_without_a_version(desk, inspection):
	before = as_before(inspection)
	assert reconciled(inspection[0]) == NOTHING
	after = record(inspection)
	assert (after.digest, after.modified, after.sequence) == (before.digest, before.modified, before.sequence)
	desk.edit_fields(inspection[0], set_in("weather", fieldname="sky"))
	assert reconciled(inspection[0]) == NOTHING


def test_with_a_digest_of_before_every_field_may_have_changed(inspection):
	as_before(inspection)
	frappe.db.sql(f"UPDATE `tab{inspection[0]}` SET note = 'y'")  # noqa: S608
	frappe.db.commit()
	assert reconciled(inspection[0])["changed"] == 1
	assert versions(inspection) == (2, dict.fromkeys(("note", "state", "weather"), 2))
