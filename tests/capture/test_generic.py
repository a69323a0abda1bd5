"""DocTypes of other apps: made syncable in the Desk, saved through their own controllers, seen by Frappe's rules."""

import frappe
import pytest

from tests.capture.conftest import join_team
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id


def test_a_todo_pushed_by_a_device_is_a_document_with_its_controllers_defaults(team):
	client_id = new_id("todo")
	(outcome,) = send(team, change("ToDo", client_id, description="Call the bank"))
	assert (outcome.status, outcome.doc_version) == ("accepted", 1)
	doc = frappe.get_doc("ToDo", {"team": team.space_key})
	assert doc.status == "Open" and doc.owner == team.user
	items, _ = fetch(team)
	assert [(i.client_id, i.payload["description"]) for i in items] == [(client_id, doc.description)]


def test_a_controllers_refusal_is_an_item_error_and_the_rest_goes_on(team):
	good, bad = (
		change("ToDo", new_id(), description="ok"),
		change("ToDo", new_id(), description="x", status="Nope"),
	)
	outcomes = send(team, bad, good)
	assert [o.status for o in outcomes] == ["error", "accepted"]
	assert outcomes[0].code == "invalid_choice"
	assert frappe.db.count("ToDo", {"team": team.space_key}) == 1


def test_child_rows_of_two_devices_merge_row_by_row(team):
	other = join_team(team.space_key, team.user)
	client_id = new_id("contact")
	send(team, change("Contact", client_id, first_name="Sara", phone_nos=[{"phone": "1"}, {"phone": "2"}]))
	(item,), _ = fetch(other)
	rows = item.payload["phone_nos"]
	mine = [{**rows[0], "phone": "11"}, rows[1]]
	theirs = [rows[0], {**rows[1], "phone": "22"}]
	first, second = (
		send(who, change("Contact", client_id, "update", item.doc_version, phone_nos=phones))[0]
		for who, phones in ((team, mine), (other, theirs))
	)
	assert (first.status, second.status, second.merged) == ("accepted", "accepted", True)
	doc = frappe.get_doc("Contact", {"team": team.space_key})
	assert [row.phone for row in doc.phone_nos] == ["11", "22"]


def test_the_same_row_changed_twice_is_a_conflict_and_nothing_is_written(team):
	client_id = new_id("contact")
	send(team, change("Contact", client_id, first_name="Sara", phone_nos=[{"phone": "1"}]))
	(item,), _ = fetch(team)
	row = item.payload["phone_nos"][0]
	send(team, change("Contact", client_id, "update", 1, phone_nos=[{**row, "phone": "2"}]))
	other = join_team(team.space_key, team.user)
	(outcome,) = send(other, change("Contact", client_id, "update", 1, phone_nos=[{**row, "phone": "3"}]))
	assert (outcome.status, outcome.conflict_fields) == ("conflict", ["phone_nos"])
	assert frappe.get_doc("Contact", {"team": team.space_key}).phone_nos[0].phone == "2"


def test_a_child_row_name_of_another_document_cannot_be_taken_over(team, make_user):
	stranger = join_team(new_id("team"), make_user("System Manager"))
	send(stranger, change("Contact", new_id(), first_name="Other", phone_nos=[{"phone": "5550199"}]))
	(theirs,), _ = fetch(stranger)
	row = theirs.payload["phone_nos"][0]["name"]
	(outcome,) = send(
		team, change("Contact", new_id(), first_name="Me", phone_nos=[{"name": row, "phone": "6660000"}])
	)
	assert outcome.status == "accepted"
	assert frappe.db.get_value("Contact Phone", row, "phone") == "5550199"


def test_a_delete_removes_the_document_and_leaves_a_tombstone(team):
	client_id = new_id("contact")
	send(team, change("Contact", client_id, first_name="x"))
	_, token = fetch(team)
	(outcome,) = send(team, change("Contact", client_id, "delete", 1))
	assert (outcome.status, outcome.doc_version) == ("accepted", 2)
	assert not frappe.db.exists("Contact", {"team": team.space_key})
	(item,), _ = fetch(team, token)
	assert item.deleted_at and item.payload == {}


def test_frappes_permissions_hide_documents_and_refuse_writes(team, make_user):
	reader = join_team(team.space_key, make_user("Hisabi User"), "member")
	send(team, change("Contact", new_id(), first_name="Hidden"))
	items, _ = fetch(reader)
	assert items == []  # what a device never had is not sent as gone
	(outcome,) = send(reader, change("Contact", new_id(), first_name="Mine"))
	assert (outcome.status, outcome.code) == ("error", "permission_denied")
	assert {**outcome.detail, "reason": ""} == {"reason": "", "doctype": "Contact", "right": "create"}
	assert "no role of yours" in outcome.detail["reason"] and not frappe.get_message_log()


def test_a_refusal_of_one_document_tells_of_no_right_on_the_doctype(team):
	"""The user may create contacts; a controller refuses this one without a word."""
	Contact = type(frappe.new_doc("Contact"))

	def refuse(self):
		raise frappe.PermissionError

	with pytest.MonkeyPatch.context() as patched:
		patched.setattr(Contact, "validate", refuse)
		(outcome,) = send(team, change("Contact", new_id(), first_name="Mine"))
	assert (outcome.code, outcome.detail) == ("permission_denied", {"reason": "PermissionError"})


def test_a_permission_that_is_given_later_brings_the_records(team, make_user):
	user = make_user("Hisabi User")
	reader = join_team(team.space_key, user, "member")
	send(team, change("Contact", new_id(), first_name="Later"))
	_, token = fetch(reader)
	frappe.get_doc("User", user).add_roles("System Manager")
	frappe.db.commit()
	items, _ = fetch(reader, token)
	assert [i.payload["first_name"] for i in items] == ["Later"]
