"""What no hook saw is found; what is well is left alone."""

import frappe

from hisabi_sync.engine import reconcile
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id


def test_what_is_well_gets_no_new_version(team):
	send(
		team,
		change("Contact", new_id(), first_name="A", phone_nos=[{"phone": "1"}]),
		change("ToDo", new_id(), description="b"),
	)
	frappe.get_doc(
		{"doctype": "ToDo", "description": "c", "team": team.space_key, "date": "2026-01-02"}
	).insert()
	frappe.db.commit()
	reconcile.run()
	before, token = fetch(team)
	assert reconcile.run("ToDo") == reconcile.run("Contact") == {"entered": 0, "changed": 0, "left": 0}
	assert fetch(team, token)[0] == [] and {i.doc_version for i in before} == {1}


def test_raw_sql_is_found_and_makes_stale_edits_conflicts(team):
	client_id = new_id("todo")
	send(team, change("ToDo", client_id, description="a"))
	_, token = fetch(team)
	frappe.db.sql("UPDATE `tabToDo` SET priority = 'High' WHERE team = %s", (team.space_key,))
	frappe.db.commit()
	assert fetch(team, token)[0] == []
	assert reconcile.run("ToDo")["changed"] == 1
	(item,), _ = fetch(team, token)
	assert (item.payload["priority"], item.doc_version) == ("High", 2)
	(outcome,) = send(team, change("ToDo", client_id, "update", 1, priority="Low"))
	assert outcome.status == "conflict"


def test_documents_older_than_their_entity_enter_and_vanished_ones_leave(team):
	doc = frappe.get_doc({"doctype": "ToDo", "description": "old", "team": team.space_key}).insert()
	frappe.db.sql("DELETE FROM `tabSync Record` WHERE document_name = %s", (doc.name,))
	frappe.db.commit()
	assert reconcile.run("ToDo")["entered"] == 1
	(item,), token = fetch(team)
	assert (item.client_id, item.doc_version) == (doc.name, 1)
	frappe.db.sql("DELETE FROM `tabToDo` WHERE name = %s", (doc.name,))
	frappe.db.commit()
	assert reconcile.run("ToDo")["left"] == 1
	(gone,), _ = fetch(team, token)
	assert gone.deleted_at


def test_a_tombstone_whose_document_came_back_is_taken_up_again(team):
	doc = frappe.get_doc({"doctype": "ToDo", "description": "back", "team": team.space_key}).insert()
	row = frappe.db.get_value("ToDo", doc.name, "*", as_dict=True)
	frappe.delete_doc("ToDo", doc.name)
	columns = [name for name in row if row[name] is not None]
	frappe.db.sql(
		f"INSERT INTO `tabToDo` ({', '.join(f'`{c}`' for c in columns)}) VALUES %s",  # noqa: S608
		(tuple(row[c] for c in columns),),
	)
	frappe.db.commit()
	assert reconcile.run("ToDo")["entered"] == 1
	(item,), _ = fetch(team)
	assert (item.client_id, item.deleted_at, item.doc_version) == (doc.name, None, 3)
