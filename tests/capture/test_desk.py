"""Whatever changes a document outside of a push is numbered and reaches devices by the next pull."""

from dataclasses import replace

import frappe
import pytest

from hisabi_sync.engine.sharing import spaces
from tests.support.engine import change, document_of, fetch, send
from tests.support.phone import new_id


@pytest.fixture
def todo(team):
	"""A ToDo made in the Desk, and the cursor behind it."""
	doc = frappe.get_doc({"doctype": "ToDo", "description": "From the Desk", "team": team.space_key}).insert()
	frappe.db.commit()
	items, token = fetch(team)
	assert [(i.client_id, i.doc_version) for i in items] == [(doc.name, 1)]
	return doc, token


def _set_value(doc):
	doc.db_set("priority", "High")


def _save(doc):
	doc.priority = "High"
	doc.save()


def _save_and_set(doc):
	doc.status = "Closed"
	doc.save()
	doc.db_set("priority", "High")


@pytest.mark.parametrize(("edit", "versions"), [(_save, 1), (_set_value, 1), (_save_and_set, 2)])
def test_an_edit_in_the_desk_is_one_version_each_and_is_pulled(team, todo, edit, versions):
	doc, token = todo
	edit(doc)
	frappe.db.commit()
	(item,), _ = fetch(team, token)
	assert (item.doc_version, item.payload["priority"]) == (1 + versions, "High")


def test_a_save_that_changes_nothing_synced_is_no_version(team, todo):
	doc, token = todo
	doc.save()
	frappe.db.commit()
	assert fetch(team, token)[0] == []


def test_a_save_that_is_rolled_back_takes_no_number(team, todo):
	doc, token = todo
	frappe.db.savepoint("here")
	_save(doc)
	frappe.db.rollback(save_point="here")
	frappe.db.commit()
	assert fetch(team, token)[0] == []
	_save(frappe.get_doc("ToDo", doc.name))
	frappe.db.rollback()
	assert fetch(team, token)[0] == []


def test_deleting_in_the_desk_leaves_a_tombstone(team, todo):
	doc, token = todo
	frappe.delete_doc("ToDo", doc.name)
	frappe.db.commit()
	(item,), _ = fetch(team, token)
	assert (item.client_id, item.payload, item.deleted_at is not None) == (doc.name, {}, True)


def test_renaming_keeps_the_client_id(team):
	client_id = new_id("contact")
	send(team, change("Contact", client_id, first_name="Before"))
	_, token = fetch(team)
	name = frappe.db.get_value("Contact", {"team": team.space_key})
	frappe.rename_doc("Contact", name, new_id("Renamed"))
	frappe.db.commit()
	(item,), _ = fetch(team, token)
	assert (item.client_id, item.doc_version) == (client_id, 2)
	(outcome,) = send(team, change("Contact", client_id, "update", 2, first_name="After"))
	assert outcome.status == "accepted"


def test_of_two_merged_documents_one_goes_and_the_other_stays(team):
	ids = [new_id("contact") for _ in range(2)]
	send(team, *(change("Contact", client_id, first_name="Same") for client_id in ids))
	_, token = fetch(team)
	gone, kept = (document_of(team, client_id) for client_id in ids)
	frappe.rename_doc("Contact", gone, kept, merge=True)
	frappe.db.commit()
	items, _ = fetch(team, token)
	assert [(item.client_id, item.deleted_at is not None) for item in items] == [(ids[0], True)]
	(outcome,) = send(team, change("Contact", ids[1], "update", 1, first_name="After"))
	assert outcome.status == "accepted"


def test_moving_to_another_space_leaves_a_tombstone_and_coming_back_revives(team, todo):
	doc, token = todo
	home = doc.team
	doc.team = new_id("team")
	doc.save()
	frappe.db.commit()
	(gone,), token = fetch(team, token)
	assert gone.deleted_at
	doc.team = home
	doc.save()
	frappe.db.commit()
	(back,), _ = fetch(team, token)
	assert (back.client_id, back.deleted_at, back.doc_version) == (doc.name, None, 3)


def test_a_desk_edit_and_a_stale_push_of_the_same_field_conflict(team, todo):
	doc, _ = todo
	_save(doc)
	frappe.db.commit()
	(outcome,) = send(team, change("ToDo", doc.name, "update", 1, priority="Low"))
	assert (outcome.status, outcome.conflict_fields) == ("conflict", ["priority"])
	(outcome,) = send(team, change("ToDo", doc.name, "update", 1, status="Closed"))
	assert (outcome.status, outcome.merged) == ("accepted", True)


def test_a_name_that_is_used_again_is_another_record(team):
	first, second = new_id("contact"), new_id("contact")
	for client_id in (first, second):
		send(team, change("Contact", client_id, first_name="Same"), change("Contact", client_id, "delete", 1))
	third = new_id("contact")
	(outcome,) = send(team, change("Contact", third, first_name="Same"))
	live = [item.client_id for item in fetch(team)[0] if not item.deleted_at]
	assert (outcome.status, outcome.doc_version, live) == ("accepted", 1, [third])


def test_a_renamed_user_keeps_his_memberships_and_signs_in_again(team):
	name = f"{new_id('renamed')}@example.com"
	frappe.rename_doc("User", team.user, name)
	frappe.db.commit()
	device = frappe.db.get_value("Sync Device", team.device, ["status", "revoked_reason"])
	assert device == ("Revoked", "user_renamed")
	renamed = replace(team, user=name)
	assert fetch(renamed)[0] == [] and spaces.authorise(renamed).role == "owner"
