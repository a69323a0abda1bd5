"""Documents whose names are numbers, and names that the database takes for equal: found is found."""

import frappe
import pytest

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.store import load
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.engine import change, document_of, fetch, send
from tests.support.phone import new_id

COUNTER, READING = "Lab Counter", "Lab Reading"


@pytest.fixture(scope="module")
def counters(site):
	"""A DocType with names that the database counts, which another links to; one document is older than its entity type."""
	frappe.set_user("Administrator")
	doctypes.remove(READING, COUNTER)
	parts = ("parts", "Table", "Contact Phone")
	doctypes.make(COUNTER, columns("team", "title", parts), autoname="autoincrement")
	doctypes.make(READING, columns("team", ("counter", "Link", COUNTER)))
	for name in (COUNTER, READING):
		doctypes.sync(name, "team", "team")
	yield COUNTER
	doctypes.remove(READING, COUNTER)


def test_a_live_document_is_pulled_as_live(counters, team):
	doc = frappe.get_doc({"doctype": COUNTER, "team": team.space_key, "title": "a"})
	doc.append("parts", {"phone": "1"})
	doc.insert()
	frappe.db.commit()
	(item,), token = fetch(team)
	assert (item.deleted_at, item.payload["title"], len(item.payload["parts"])) == (None, "a", 1)
	doc.title = "b"
	doc.save()
	frappe.db.commit()
	(item,), token = fetch(team, token)
	assert (item.payload["title"], item.doc_version) == ("b", 2)
	frappe.delete_doc(COUNTER, doc.name)
	frappe.db.commit()
	(item,), _ = fetch(team, token)
	assert item.deleted_at


def test_a_push_is_judged_by_what_the_document_holds(counters, team):
	made, reading = new_id(), new_id()
	outcomes = send(team, change(COUNTER, made, title="a"), change(READING, reading, counter=made))
	assert [(o.status, o.detail) for o in outcomes] == [("accepted", None)] * 2
	items, token = fetch(team)
	assert {item.client_id: item.deleted_at for item in items} == {made: None, reading: None}
	assert next(i for i in items if i.client_id == reading).payload["counter"] == made
	doc = frappe.get_doc(COUNTER, document_of(team, made))
	doc.title = "by the Desk"
	doc.save()
	frappe.db.commit()
	(outcome,) = send(team, change(COUNTER, made, "update", 1, title="stale"))
	assert (outcome.status, outcome.conflict_fields) == ("conflict", ["title"])
	(outcome,) = send(team, change(COUNTER, made, "update", 2, title="b"))
	assert outcome.status == "accepted"
	(outcome,) = send(team, change(READING, reading, "delete", 1))
	(outcome,) = send(team, change(COUNTER, made, "delete", 3))
	assert outcome.status == "accepted"


def test_reconcile_finds_older_documents_and_leaves_the_others_alone(counters, team):
	doc = frappe.get_doc({"doctype": COUNTER, "team": team.space_key, "title": "old"}).insert()
	frappe.db.sql(
		"DELETE FROM `tabSync Record` WHERE document_type = %s AND document_name = %s",
		(COUNTER, str(doc.name)),
	)
	frappe.db.commit()
	assert reconcile.run(COUNTER)["entered"] == 1
	assert reconcile.run(COUNTER) == {"entered": 0, "changed": 0, "left": 0}
	(item,), token = fetch(team)
	assert item.payload["title"] == "old"
	frappe.db.sql("UPDATE `tabLab Counter` SET title = 'new' WHERE name = %s", (doc.name,))
	frappe.db.commit()
	assert reconcile.run(COUNTER)["changed"] == 1
	(item,), _ = fetch(team, token)
	assert item.payload["title"] == "new"


def test_a_name_in_another_case_is_the_same_document(team):
	"""As the database compares names; a row that is found is no tombstone."""
	client_id = new_id("contact")
	send(team, change("Contact", client_id, first_name=new_id("Case"), department="Lab"))
	entity, asked = registry().by_name["Contact"], document_of(team, client_id).upper()
	found = load.documents(entity, [asked])
	assert {name: values["department"] for name, values in found.items()} == {asked: "Lab"}
