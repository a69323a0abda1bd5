"""Documents that one transaction saves are numbered together: few statements, one version each, and nothing that was taken back."""

import os

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.engine import comparing, gathering, waiting
from hisabi_sync.engine.store import announcing
from tests.capture.conftest import join_team
from tests.cost.test_events import events  # noqa: F401
from tests.support import doctypes
from tests.support.doctypes import column, columns
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id

STOCK = f"Gathered Stock {os.getpid()}"
ROW = f"{STOCK} Row"


@pytest.fixture(scope="module")
def stock(site):
	frappe.set_user("Administrator")
	doctypes.make(ROW, columns("label"), istable=1)
	fields = [*columns("team", "item", "level"), column("lines", "Table", ROW)]
	doctypes.make(STOCK, fields, allow_rename=1)
	doctypes.sync(STOCK, "team", "team")
	yield
	doctypes.remove(STOCK, ROW)


@pytest.fixture
def store(stock, make_user):
	return join_team(new_id("store"), make_user("System Manager"))


def made(store, count=1, **values):
	given = {"doctype": STOCK, "team": store.space_key, "level": "0", **values}
	return [frappe.get_doc(given).insert() for _ in range(count)]


def told(store, token=None):
	items, token = fetch(store, token)
	return {item.client_id: (item.payload.get("level"), item.doc_version) for item in items}, token


def saved(docs, level):
	for doc in docs:
		doc.level = level
		doc.save()


def ours(docs, level):
	"""The statements about records that saving documents in one transaction needs."""
	with Counted() as seen:
		saved(docs, level)
		frappe.db.commit()
	return [statement for statement in seen if "`tabSync" in statement]


def test_more_documents_need_no_more_statements(store):
	docs = made(store, 40)
	frappe.db.commit()
	saved(docs, "first")  # warms what processes remember
	frappe.db.commit()
	few, many = ours(docs[:5], "1"), ours(docs, "2")
	assert len(few) == len(many) <= 16, many
	assert sum("UPDATE `tabSync Space` SET sequence" in statement for statement in many) == 1
	assert set(told(store)[0].values()) == {("2", 4), ("2", 3)}


def test_what_is_saved_again_in_a_transaction_is_one_version_from_what_it_was(store):
	first, doc = made(store, 2, item="a")
	frappe.db.commit()
	_, token = told(store)
	first.save()
	saved([doc], "1")
	doc.append("lines", {"label": "x"})
	saved([doc], "2")
	doc.db_set("item", "b")
	frappe.db.commit()
	assert told(store, token)[0] == {doc.name: ("2", 2)}
	doc.db_set("item", "c")  # Frappe still has the document of before the save
	first.db_set("item", "c")
	doc.db_set("level", "2")
	frappe.db.commit()
	(outcome,) = send(store, change(STOCK, doc.name, "update", 1, level="9", item="z"))
	held = frappe.get_doc("Sync Conflict", outcome.conflict)
	assert (held.base_values, held.server_values) == (
		'{"level":"0","item":"a"}',
		'{"level":"2","item":"c"}',
	)


def test_what_a_savepoint_took_back_was_never_saved(store):
	first, kept, undone = made(store, 3)
	frappe.db.commit()
	_, token = told(store)
	saved([first, kept], "1")
	frappe.db.savepoint("row")
	saved([kept, undone], "2")
	(lost,) = made(store)
	frappe.db.rollback(save_point="row")
	frappe.db.commit()
	assert told(store, token)[0] == {first.name: ("1", 2), kept.name: ("1", 2)}
	assert not frappe.db.exists("Sync Record", {"document_name": lost.name})


def test_a_rollback_numbers_nothing(store):
	docs = made(store, 3)
	frappe.db.commit()
	_, token = told(store)
	saved(docs, "1")
	frappe.db.rollback()
	frappe.db.commit()
	assert told(store, token)[0] == {}


def test_deletes_renames_and_more_than_a_chunk(store, monkeypatch):
	monkeypatch.setattr(gathering, "CHUNK", 3)
	docs = made(store, 8)
	gone, named = docs[5], docs[6]
	frappe.delete_doc(STOCK, gone.name)
	new = new_id("Renamed")
	frappe.rename_doc(STOCK, named.name, new, force=True)
	frappe.db.commit()
	found, token = told(store)
	live = {doc.name for doc in docs} - {gone.name}
	assert set(found) == live
	assert frappe.db.get_value("Sync Record", {"document_name": new}, "client_id") == named.name
	for doc in docs[:5]:
		doc.reload()
	saved(docs[:5], "1")
	frappe.db.commit()
	assert told(store, token)[0] == {doc.name: ("1", 2) for doc in docs[:5]}


def test_one_that_cannot_be_numbered_does_not_spoil_the_commit(store, monkeypatch):
	docs = made(store, 4)
	frappe.db.commit()
	_, token = told(store)
	saved(docs, "1")
	plain = comparing.compare_seen

	def breaks(*_args):
		raise ValueError("one of them")

	monkeypatch.setattr(comparing, "compare_seen", breaks)
	frappe.db.commit()
	monkeypatch.setattr(comparing, "compare_seen", plain)
	assert told(store, token)[0] == {docs[0].name: ("1", 2)}
	waiting.work(STOCK)
	assert told(store, token)[0] == {doc.name: ("1", 2) for doc in docs}


def test_a_job_that_commits_often_announces_once_a_second_and_at_its_end(store, events):  # noqa: F811
	docs = made(store, 6)
	frappe.db.commit()
	events(store.space)
	announcing.begin_job()
	try:
		for doc in docs:
			saved([doc], "1")
			frappe.db.commit()
		saved(docs, "2")
		frappe.db.rollback()
	finally:
		announcing.end_job()
	found = [event["position"] for event in events(store.space)]
	last = frappe.db.get_value("Sync Space", store.space, "sequence")
	assert 2 <= len(found) <= 4 and found[-1] == last, found
	docs[0].reload()
	saved(docs[:1], "3")
	frappe.db.commit()
	assert len(events(store.space)) == 1
