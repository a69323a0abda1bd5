"""Who edits an item of somebody else's device needs the rights of both: the device's user and his own."""

import json

import frappe
import pytest

from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine.model.errors import RequestError
from tests.support.engine import change, send
from tests.support.phone import new_id
from tests.visibility.world import COUNTRY, ELSEWHERE, NOTE, as_user, shown


@pytest.fixture(autouse=True)
def reader(monkeypatch):
	"""Items of the tests' own contract are read again as their changes were made."""

	def read(raw, caller):
		found = []
		for held in raw:
			values = held["values"]
			found.append(change(NOTE, held["id"], held["operation"], held["base"], held["op"], **values))
			found[-1].raw = held
		return found

	def raw_of(item):
		return read

	monkeypatch.setattr(failed, "_reader", raw_of)


def fail(office, operation="create", client_id=None, base=None, **values):
	"""A change of the chief's device that fails for its country; (name of the item, what it says)."""
	client_id, values = client_id or new_id("note"), {"country": "Nowhere", **values}
	op_id = new_id("op")
	given = change(NOTE, client_id, operation, base, op_id, **values)
	given.raw = {"id": client_id, "operation": operation, "base": base, "op": op_id, "values": values}
	(outcome,) = send(office.chief, given)
	assert outcome.status == "error", outcome
	return frappe.db.get_value("Sync Item", {"op_id": op_id}), given.raw


def edit(user, name, raw, **values):
	with as_user(user):
		return failed.edit(name, {**raw, "values": {"title": "edited", **values}})


def process(user, name):
	with as_user(user):
		return failed.process([name])[0]


def untouched(name):
	frappe.db.rollback()
	row = frappe.db.get_value("Sync Item", name, ["original_payload", "edited_by", "status"])
	return row == (None, None, "error")


def test_who_may_only_read_makes_no_document_by_an_edit(office):
	name, raw = fail(office)
	answer = edit(office.reader.user, name, raw, country=COUNTRY)
	assert (answer["done"], answer["error_code"]) == (False, "permission_denied")
	assert shown(office.chief, raw["id"]) is None and untouched(name)


def test_who_may_only_read_changes_and_deletes_no_document_by_an_edit(office):
	client_id = office.note()
	name, raw = fail(office, "update", client_id, 2)
	assert edit(office.reader.user, name, raw, country=COUNTRY)["error_code"] == "permission_denied"
	assert shown(office.chief, client_id)["title"] != "edited" and untouched(name)


def test_who_may_write_it_himself_may_edit(office):
	name, raw = fail(office)
	assert edit(office.clerk.user, name, raw, country=COUNTRY)["status"] == "accepted"
	assert shown(office.chief, raw["id"])["title"] == "edited"


def test_a_document_out_of_the_editors_reach_is_not_made(office):
	name, raw = fail(office)
	answer = edit(office.kept.user, name, raw, country=COUNTRY)
	assert (answer["done"], answer["error_code"]) == (False, "invalid_link")
	assert shown(office.chief, raw["id"]) is None
	assert frappe.db.get_value("Sync Item", name, "status") == "error"


def test_a_document_in_the_editors_reach_is_made(office):
	name, raw = fail(office)
	frappe.db.set_value("Sync Item", name, "record", None)
	frappe.db.commit()
	assert edit(office.kept.user, name, raw, country=ELSEWHERE)["status"] == "accepted"


def test_a_field_above_the_editors_level_is_refused_now_and_when_others_press_the_button(office):
	name, raw = fail(office)
	answer = edit(office.clerk.user, name, raw, country=COUNTRY, salary=5)
	assert (answer["done"], answer["error_code"]) == (False, "permission_denied")
	for user in ("Administrator", office.chief.user):
		assert process(user, name)["error_code"] == "permission_denied"
	assert shown(office.chief, raw["id"]) is None
	again = edit(office.chief.user, name, raw, country=COUNTRY, salary=5)
	assert again["status"] == "accepted" and shown(office.chief, raw["id"])["salary"] == 5


def test_the_devices_user_needs_the_right_too(office):
	"""Administrator edits what a guest's device sent: the guest's rights still count."""
	client_id = office.note()
	op_id = new_id("op")
	given = change(NOTE, client_id, "update", 2, op_id, title="mine")
	given.raw = {"id": client_id, "operation": "update", "base": 2, "op": op_id, "values": {"title": "mine"}}
	send(office.guest, given)
	name = frappe.db.get_value("Sync Item", {"op_id": op_id})
	answer = edit("Administrator", name, given.raw)
	assert (answer["done"], answer["error_code"]) == (False, "not_found")


def test_a_plain_retry_needs_the_devices_rights_only(office):
	name, raw = fail(office)
	raw["values"]["country"] = COUNTRY
	frappe.db.set_value("Sync Item", name, "payload", json.dumps(raw))
	frappe.db.commit()
	assert process("Administrator", name)["status"] == "accepted"


def test_an_edit_of_nothing_is_refused(office):
	with as_user("Administrator"), pytest.raises(RequestError):
		failed.edit("none", {})
