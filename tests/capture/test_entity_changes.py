"""What becomes of records when their entity type changes, or the document moves through which they have their space."""

import frappe
import pytest

from hisabi_sync.engine import reconcile
from tests.capture.conftest import _custom_field, _entity, join_team
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.engine import change, document_of, fetch, send
from tests.support.phone import new_id
from tests.support.worker import work_off


@pytest.fixture(scope="module")
def addresses(site):
	"""Addresses belong to the team of their country."""
	frappe.set_user("Administrator")
	_custom_field("Country")
	_entity("Address", space_path="country.team")
	frappe.db.commit()
	yield
	frappe.delete_doc("Sync Entity", "Address")
	frappe.db.commit()


def country(team):
	name = new_id("Country")
	frappe.get_doc({"doctype": "Country", "country_name": name, "team": team.space_key}).insert()
	frappe.db.commit()
	return name


def street(land, **values):
	given = {
		"address_title": new_id("home"),
		"address_type": "Other",
		"address_line1": "1 Road",
		"city": "Town",
		"country": land,
	}
	return change("Address", new_id("address"), **{**given, **values})


def test_records_move_along_with_the_document_that_gives_them_their_space(addresses, team, make_user):
	there, here = join_team(new_id("team"), make_user("System Manager")), team
	land, staying = country(here), country(here)
	moves, stays = street(land), street(staying)
	assert [(o.status, o.detail) for o in send(here, moves, stays)] == [("accepted", None)] * 2
	work_off(0)
	_, token = fetch(here)
	doc = frappe.get_doc("Country", land)
	doc.team = there.space_key
	doc.save()
	frappe.db.commit()
	work_off(0)
	(gone,), _ = fetch(here, token)
	assert gone.client_id == moves.client_id and gone.deleted_at
	(come,), _ = fetch(there)
	assert come.payload["city"] == "Town" and not come.deleted_at


def test_what_linked_to_a_merged_document_links_to_the_one_that_stays(addresses, team):
	land = country(team)
	merged, stays = street(land), street(land)
	person = change("Contact", new_id("contact"), first_name="A", address=merged.client_id)
	assert [o.status for o in send(team, merged, stays, person)] == ["accepted"] * 3
	work_off(0)
	_, token = fetch(team)
	old, new = (document_of(team, given.client_id) for given in (merged, stays))
	frappe.rename_doc("Address", old, new, merge=True)
	frappe.db.commit()
	work_off(0)
	items, _ = fetch(team, token)
	gone, moved = sorted(items, key=lambda item: item.entity_type)
	assert (gone.client_id, gone.deleted_at is not None) == (merged.client_id, True)
	assert (moved.client_id, moved.payload["address"]) == (person.client_id, stays.client_id)


def test_a_field_that_is_hidden_later_leaves_the_devices_and_comes_back_with_its_permission(team):
	given = change("ToDo", new_id("todo"), description="open", priority="High")
	send(team, given)
	_, token = fetch(team)
	entity = frappe.get_doc("Sync Entity", "ToDo")
	entity.append("fields", {"fieldname": "description", "access": "Read and write"})
	entity.append("fields", {"fieldname": "priority", "access": "Hidden"})
	entity.save()
	frappe.db.commit()
	try:
		(item,), token = fetch(team, token)
		assert item.payload["description"] == "open" and "priority" not in item.payload
		(outcome,) = send(team, change("ToDo", given.client_id, "update", 1, priority="Low"))
		assert outcome.status == "error"
	finally:
		entity.set("fields", [])
		entity.save()
		frappe.db.commit()
	(item,), _ = fetch(team, token)
	assert item.payload["priority"] == "High"


def test_a_doctype_that_is_synced_again_under_another_name_brings_its_documents(team):
	"""People remove the entity type and make another one; the documents are the same."""
	kind = new_id("Plan").replace("-", " ")
	frappe.set_user("Administrator")
	doctypes.make(kind, columns("team", "title"))
	doctypes.sync(kind, "team", "team")
	made = frappe.get_doc({"doctype": kind, "team": team.space_key, "title": "one"}).insert()
	frappe.db.commit()
	assert [item.entity_type for item in fetch(team)[0]] == [kind]
	frappe.delete_doc("Sync Entity", kind)
	frappe.db.commit()
	again = f"{kind} again"
	_entity(kind, entity_type=again)
	frappe.db.commit()
	counts = reconcile.run(again)
	(item,), token = fetch(team)
	assert (item.entity_type, item.document_name, item.payload["title"]) == (again, made.name, "one"), counts
	made.reload()
	made.update({"title": "two"}).save()
	frappe.db.commit()
	(item,), token = fetch(team, token)
	assert item.payload["title"] == "two"
	made.delete()
	frappe.db.commit()
	(item,), _ = fetch(team, token)
	assert item.deleted_at
	doctypes.remove(kind)
