"""Pushes: exactly once, temporary ids, merges, conflicts, values that are taken."""

import frappe
import pytest

from hisabi_sync.api.mobile import items as mobile_items
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from tests.mobile.app import create, delete, form, meter, question, update
from tests.support.phone import new_id


@pytest.fixture(scope="module")
def survey(tenant):
	return form(tenant, question("note"), question("count", "Whole Number", maximum="9"))


def made(app, item):
	(result,) = app.push(item)
	assert result["status"] == "ok", result
	return result["server_id"]


def test_a_create_is_made_once_however_often_it_is_sent(app):
	item = meter(reading=3)
	results = [app.push(item)[0] for _ in range(3)] + app.push(item, item)
	assert all(result == results[0] for result in results)
	assert results[0]["status"] == "ok"
	assert frappe.db.count("Field Meter", {"tenant": app.tenant, "code": item["payload"]["code"]}) == 1


def test_an_update_is_applied_once(app):
	identity = made(app, meter(reading=1))
	item = update("meter", identity, 1, reading=2)
	assert app.push(item) == app.push(item)
	assert app.held("meter", identity)["server_version"] == 2


def test_a_version_that_was_used_for_another_change_is_an_error(app):
	identity = made(app, meter(reading=1))
	app.push(update("meter", identity, 1, reading=2))
	(result,) = app.push(update("meter", identity, 1, reading=3))
	assert (result["status"], result["error_code"]) == ("error", "client_version_reused")
	assert app.held("meter", identity)["payload"]["reading"] == 2


def test_an_edit_after_one_that_changed_nothing_is_another_change(app):
	identity = made(app, meter(reading=1))
	same, edit = update("meter", identity, 1, reading=1), update("meter", identity, 1, reading=9)
	for item, version in ((same, 1), (edit, 2), (edit, 2), (same, 1)):
		(result,) = app.push(item)
		assert (result["status"], result["server_version"]) == ("ok", version), result
	held = app.held("meter", identity)
	assert (held["payload"]["reading"], held["server_version"]) == (9, 2)


def test_two_devices_may_use_the_same_temporary_id(app, other):
	temp_id = new_id("tmp")
	first, second = made(app, meter(temp_id)), made(other, meter(temp_id))
	assert first != second


def test_a_create_sent_again_with_a_newer_version_is_an_edit_of_the_same_record(app):
	temp_id, code = new_id("tmp"), new_id("code")
	first = made(app, meter(temp_id, code, reading=1))
	second = made(app, {**meter(temp_id, code, reading=2), "client_version": 2})
	assert first == second
	held = app.held("meter", first)
	assert held["payload"]["reading"] == 2 and held["server_version"] == 2


def test_both_versions_of_a_create_in_one_batch(app):
	temp_id, code = new_id("tmp"), new_id("code")
	first, second = app.push(meter(temp_id, code), {**meter(temp_id, code, reading=7), "client_version": 2})
	assert first["status"] == second["status"] == "ok"
	assert app.held("meter", first["server_id"])["payload"]["reading"] == 7


def test_a_temporary_id_in_a_link_becomes_the_servers_id(app, survey):
	temp_id = new_id("tmp")
	submission = create("submission", form_id=survey, meter_id=temp_id, data={"note": "a"})
	second, first = app.push(submission, meter(temp_id))
	assert first["status"] == second["status"] == "ok"
	assert app.held("submission", second["server_id"])["payload"]["meter_id"] == first["server_id"]


def test_a_later_batch_may_name_the_temporary_id(app, survey):
	temp_id = new_id("tmp")
	identity = made(app, meter(temp_id))
	submission = create("submission", form_id=survey, meter_id=temp_id, data={})
	linked, edited = app.push(submission, update("meter", temp_id, 2, reading=5))
	assert linked["status"] == edited["status"] == "ok"
	assert edited["server_id"] == identity
	assert app.held("submission", linked["server_id"])["payload"]["meter_id"] == identity


def test_different_fields_are_merged(app, other):
	identity = made(app, meter(reading=1, note="old"))
	app.push(update("meter", identity, 1, reading=2))
	(result,) = other.push(update("meter", identity, 1, note="new"))
	assert result["status"] == "ok" and result["merged"] is True
	assert (result["server_payload"]["reading"], result["server_payload"]["note"]) == (2, "new")


def test_the_same_field_is_a_conflict_and_an_equal_value_is_not(app, other):
	identity = made(app, meter(reading=1))
	app.push(update("meter", identity, 1, reading=2))
	same, different = (
		other.push(update("meter", identity, version, reading=value))[0]
		for version, value in ((1, 2), (0, 3))
	)
	assert same["status"] == "ok"
	assert different["status"] == "conflict"
	assert different["error"] == "Version mismatch: server_version=2, client_version=0"
	assert different["server_payload"]["reading"] == 2 and different["conflict_fields"] == ["reading"]


def test_a_client_may_count_ahead_of_the_server(app):
	identity = made(app, meter(reading=1))
	results = app.push(update("meter", identity, 2, reading=2), update("meter", identity, 3, reading=3))
	assert [result["status"] for result in results] == ["ok", "ok"]
	assert app.held("meter", identity)["payload"]["reading"] == 3


def test_a_taken_code_is_a_conflict_with_its_holder_until_it_is_free(app, other):
	code = new_id("code")
	holder = made(app, meter(code=code, reading=4))
	item = meter(code=code)
	(taken,) = other.push(item)
	assert taken["status"] == "conflict" and taken["field"] == "code" and taken["held_by"] == holder
	assert taken["server_payload"]["reading"] == 4 and taken["server_version"] == 1
	assert other.push(item)[0]["conflict_id"] == taken["conflict_id"]
	assert frappe.db.get_value("Sync Conflict", taken["conflict_id"], "status") == "Open"
	app.push(update("meter", holder, 1, code=new_id("code")))
	(done,) = other.push(item)
	assert done["status"] == "ok" and done["server_id"] != holder


def test_a_code_that_is_taken_by_an_update(app):
	code = new_id("code")
	holder, second = made(app, meter(code=code)), made(app, meter())
	(result,) = app.push(update("meter", second, 1, code=code))
	assert result["status"] == "conflict"
	assert (result["server_id"], result["held_by"]) == (second, holder)


def test_a_code_is_free_again_after_a_delete(app):
	code = new_id("code")
	holder = made(app, meter(code=code))
	assert app.push(delete("meter", holder, 1))[0]["status"] == "ok"
	assert made(app, meter(code=code)) != holder


def test_another_tenant_may_have_the_same_code(app, stranger):
	code = new_id("code")
	assert made(app, meter(code=code)) and made(stranger, meter(code=code))


def test_an_update_of_a_deleted_record_says_so(app):
	gone, kept = made(app, meter()), made(app, meter())
	app.push(delete("meter", gone, 1))
	late, fine = app.push(update("meter", gone, 2, reading=1), update("meter", kept, 1, reading=1))
	assert (late["status"], late["error_code"], late["is_deleted"]) == ("error", "deleted", True)
	assert fine["status"] == "ok"


def test_a_dry_run_changes_nothing(app):
	item = meter()
	assert app.push(item, dry_run=True)[0]["status"] == "ok"
	assert not frappe.db.exists("Field Meter", {"code": item["payload"]["code"]})


def test_items_and_batch_are_stored_as_they_came(app):
	item = {**meter(), "app_build": 17}
	batch = app.send(item).json()["batch_id"]
	assert frappe.db.get_value("Sync Batch", batch, ["contract", "items"]) == ("mobile", 1)
	assert frappe.parse_json(frappe.db.get_value("Sync Item", {"batch": batch}, "payload")) == item


def test_what_the_server_knows_better_is_ignored_and_named(app):
	(result,) = app.push(meter(last_updated_by="nobody@example.com"))
	assert result["status"] == "ok" and result["ignored"] == ["last_updated_by"]
	held = app.held("meter", result["server_id"])
	assert held["payload"]["last_updated_by"] == app.user


def test_the_devices_time_is_kept_with_a_conflict(app, other):
	identity = made(app, meter(reading=1))
	app.push(update("meter", identity, 1, reading=2))
	(result,) = other.push(update("meter", identity, 1, reading=3, device_ts="2025-12-22T11:00:00Z"))
	assert frappe.db.get_value("Sync Conflict", result["conflict_id"], "client_time")


def test_base_values_count_before_the_clients_own_count(app, other):
	(made,) = app.push(meter(reading=1))
	app.push(update("meter", made["server_id"], 2, reading=2))
	stale = {**update("meter", made["server_id"], 9, reading=3), "base_values": {"reading": 1}}
	(result,) = other.push(stale)
	assert (result["status"], result["conflict_fields"]) == ("conflict", ["reading"])
	fresh = {**update("meter", made["server_id"], 1, reading=3), "base_values": {"reading": 2}}
	(result,) = other.push(fresh)
	assert result["status"] == "ok" and other.held("meter", made["server_id"])["payload"]["reading"] == 3


@pytest.mark.parametrize("entity_type", ["Field Note", "ملاحظة حقل", "A/B note", "é ü", "a" * 140])
def test_what_is_made_of_a_type_of_any_name_has_an_id_that_fits_a_document(entity_type):
	caller = Caller("amal@hisabi.example", "space", "device")
	made = {mobile_items.made_id(caller, entity_type, temp_id) for temp_id in ("tmp-1", "tmp-2")}
	assert len(made) == 2
	assert all(ids.is_name(one) for one in made)
