"""A master that is not synced gets another name: devices hear of the links to it at once."""

import json

import frappe
import pytest

from hisabi_sync.engine import reconcile, renames
from hisabi_sync.engine.database import background
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id
from tests.support.worker import work_off

MASTER = "Salutation"


def master():
	name = new_id("Title")
	frappe.get_doc({"doctype": MASTER, "salutation": name}).insert()
	frappe.db.commit()
	return name


def linked(team, old):
	"""Contacts that link to the master: by a field, by a row that names any DocType; and one that does not."""
	by_field, other = new_id(), new_id()
	doc = frappe.get_doc({"doctype": "Contact", "first_name": new_id(), "team": team.space_key})
	doc.append("links", {"link_doctype": MASTER, "link_name": old})
	by_row = doc.insert().name
	frappe.db.commit()
	send(
		team,
		change("Contact", by_field, first_name=new_id(), salutation=old),
		change("Contact", other, first_name=new_id()),
	)
	return by_field, by_row, other


def shown():
	"""What the form of the Sync Entity says."""
	form = frappe.get_doc("Sync Entity", "Contact")
	form.run_method("onload")
	return form.get_onload("headway")


def test_a_comparison_tells_after_each_step_how_far_it_is(team, monkeypatch):
	monkeypatch.setattr(reconcile, "CHUNK", 2)
	linked(team, master())
	told, published = [], frappe.publish_realtime
	monkeypatch.setattr(
		frappe,
		"publish_realtime",
		lambda event, message=None, **more: (
			told.append((message["headway"], shown()))
			if event == background.PROGRESS_EVENT
			else published(event, message, **more)
		),
	)
	reconcile.run("Contact")
	*steps, (last, none_more) = told
	assert last is None and none_more is None
	assert all(said == held for said, held in steps)
	count = frappe.db.count("Contact")
	compared = [said["compared"] for said, _ in steps]
	assert compared == [*range(0, count, 2), count]
	assert {(said["documents"], said["waiting"]) for said, _ in steps} == {(count, False)}


@pytest.mark.parametrize("merge", [False, True])
def test_links_to_a_renamed_master_are_told_in_the_same_transaction(team, merge):
	old, new = master(), master() if merge else new_id("Title")
	by_field, by_row, _ = linked(team, old)
	items, token = fetch(team)
	assert len(items) == 3
	frappe.rename_doc(MASTER, old, new, merge=merge, force=True)
	frappe.db.commit()
	found = {item.client_id: item.payload for item in fetch(team, token)[0]}
	assert set(found) == {by_field, by_row}
	assert found[by_field]["salutation"] == new
	assert found[by_row]["links"][0]["link_name"] == new


def test_an_edit_of_another_field_from_before_is_merged(team):
	old, new = master(), new_id("Title")
	by_field, *_ = linked(team, old)
	frappe.rename_doc(MASTER, old, new, force=True)
	frappe.db.commit()
	(outcome,) = send(team, change("Contact", by_field, "update", 1, department="Lab"))
	assert (outcome.status, outcome.merged) == ("accepted", True)
	assert outcome.record["salutation"] == new


def test_many_links_are_told_by_a_job_at_once(team, monkeypatch):
	monkeypatch.setattr(renames, "AT_ONCE", 0)
	old, new = master(), new_id("Title")
	by_field, by_row, _ = linked(team, old)
	_, token = fetch(team)
	work_off(0)
	frappe.clear_messages()
	frappe.rename_doc(MASTER, old, new, force=True)
	assert "Sync Entity Contact" in json.dumps(frappe.get_message_log())
	assert background.progress_of("Contact") is None
	frappe.db.commit()
	assert fetch(team, token)[0] == []
	assert shown()["waiting"]
	work_off(0)
	assert shown() is None
	assert {item.client_id for item in fetch(team, token)[0]} == {by_field, by_row}
