"""What a new entity type has in a small table is numbered in the request that makes it; a large one tells how far it is."""

import frappe
import pytest

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.database import background
from tests.capture import named
from tests.support.phone import new_id


@pytest.fixture
def queued(monkeypatch):
	"""What was left to a worker."""
	found = []
	monkeypatch.setattr(background, "enqueue_reconcile", found.append)
	return found


@pytest.fixture
def notes(named_notes):
	"""A team with three notes that no record stands for, as before the entity type was made."""
	frappe.delete_doc("Sync Entity", named.NOTE)
	frappe.db.delete(named.NOTE)
	frappe.db.delete("Sync Record", {"document_type": named.NOTE})
	frappe.db.commit()
	team = frappe.generate_hash(length=8)
	for number in range(3):
		frappe.get_doc({"doctype": named.NOTE, "title": f"{team} {number}", "team": team}).insert()
	frappe.db.commit()
	yield team
	frappe.db.rollback()
	if not frappe.db.exists("Sync Entity", named.NOTE):
		make_and_commit()


def make(name=named.NOTE):
	values = {
		"entity_type": name,
		"document_type": name,
		"space_type": "team",
		"space_path": "team",
	}
	frappe.get_doc({"doctype": "Sync Entity", **values}).insert()


def make_and_commit():
	make()
	frappe.db.commit()


def numbered(team):
	frappe.db.rollback()
	names = frappe.get_all(named.NOTE, filters={"team": team}, pluck="name")
	rows = frappe.get_all("Sync Record", filters={"document_name": ["in", names]}, pluck="sequence")
	assert all(sequence > 0 for sequence in rows)
	return len(rows)


def test_a_small_table_is_numbered_at_once(notes, queued):
	make_and_commit()
	assert (numbered(notes), queued) == (3, [])


def test_a_large_table_is_left_to_a_worker_and_tells_how_far_it_is(notes, queued, monkeypatch):
	monkeypatch.setattr(reconcile, "AT_ONCE", 2)
	make_and_commit()
	assert (numbered(notes), queued) == (0, [named.NOTE])
	shown = frappe.get_doc("Sync Entity", named.NOTE)
	shown.run_method("onload")
	assert shown.get_onload("numbered") == {"documents": 3, "records": 0}
	reconcile.run(named.NOTE)
	shown.run_method("onload")
	assert shown.get_onload("numbered")["records"] == 3


def test_an_entity_type_that_is_saved_again_finds_what_changed_meanwhile(notes, queued):
	make_and_commit()
	frappe.db.sql(f"UPDATE `tab{named.NOTE}` SET title = CONCAT(title, ' raw') WHERE team = %s", (notes,))  # noqa: S608
	frappe.db.commit()
	frappe.get_doc("Sync Entity", named.NOTE).save()
	frappe.db.commit()
	versions = frappe.get_all("Sync Record", filters={"document_type": named.NOTE}, pluck="doc_version")
	assert versions.count(2) == 3 and queued == []


@pytest.fixture
def other(notes):
	"""Another DocType like it, with one document."""
	name = f"Other {named.NOTE}"
	doctype = frappe.copy_doc(frappe.get_doc("DocType", named.NOTE))
	doctype.update({"name": name, "autoname": "hash"}).insert()
	frappe.get_doc({"doctype": name, "title": new_id(), "team": notes}).insert()
	frappe.db.commit()
	yield name
	frappe.db.rollback()
	for kind in ("Sync Entity", "DocType"):
		frappe.delete_doc(kind, name, force=True, ignore_missing=True)
	frappe.db.commit()


def test_all_entity_types_that_one_transaction_made_are_numbered(notes, other, queued):
	make()
	make(other)
	frappe.db.commit()
	assert numbered(notes) == 3
	assert frappe.db.count("Sync Record", {"document_type": other, "sequence": [">", 0]}) == 1
