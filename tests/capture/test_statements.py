"""What a saved document of another app costs beside Frappe's own statements, when it is the only one of its transaction."""

import os

import frappe
import pytest

from benchmarks.count_statements import Counted
from tests.capture.conftest import join_team
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.engine import fetch
from tests.support.phone import new_id

NOTE = f"Counted Note {os.getpid()}"


@pytest.fixture(scope="module")
def notes(site):
	frappe.set_user("Administrator")
	doctypes.make(NOTE, columns("team", "title"))
	doctypes.sync(NOTE, "team", "team")
	yield
	doctypes.remove(NOTE)


@pytest.fixture
def team(notes, make_user):
	caller = join_team(new_id("team"), make_user("System Manager"))
	note(caller)  # warms what processes remember
	return caller


def note(caller, name=None):
	doc = frappe.get_doc({"doctype": NOTE, "team": caller.space_key, "title": "One"}).insert(set_name=name)
	frappe.db.commit()
	return doc


def ours(work):
	with Counted() as seen:
		work()
	return [
		statement for statement in seen if "`tabSync" in statement or statement.startswith("SELECT r.`name`")
	]


def titles(caller):
	return {item.client_id: item.payload.get("title") for item in fetch(caller)[0]}


def test_a_new_document_costs_five_statements(team):
	"""A look for records and for the space, the record, a number of the space, and the number in the record."""
	assert len(ours(lambda: note(team))) == 5


def test_a_changed_document_costs_five_statements(team):
	"""Its record, the record's next version, what it replaced, a number of the space, and the number in the record."""
	doc = note(team)
	doc.title = "Two"

	def save():
		doc.save()
		frappe.db.commit()

	save()  # warms what processes remember
	doc.title = "Three"
	assert len(ours(save)) == 5
	assert titles(team)[doc.name] == "Three"


def test_a_document_whose_name_was_that_of_a_deleted_one_begins_again(team):
	doc = note(team)
	frappe.delete_doc(NOTE, doc.name)
	frappe.db.commit()
	again = note(team, doc.name)
	assert titles(team)[again.name] == "One"
	held = frappe.db.get_all(
		"Sync Record", {"client_id": doc.name, "space": team.space}, ["doc_version", "sequence"]
	)
	assert [one.doc_version for one in held] == [3] and held[0].sequence > 0


def test_a_document_whose_id_is_that_of_another_record_gets_another_one(team):
	"""The record under its name is that of a document which was renamed since and kept its id."""
	doc = note(team)
	taken = doc.name
	frappe.rename_doc(NOTE, taken, new_id("renamed"), force=True)
	frappe.db.commit()
	again = note(team, taken)
	found = frappe.db.get_value(
		"Sync Record", {"document_name": again.name, "document_type": NOTE}, "client_id"
	)
	assert found != taken and titles(team)[found] == titles(team)[taken] == "One"
