"""Run records, identities and stored answers of calls show nothing of documents that a person may not read."""

import json

import frappe
import pytest

from hisabi_sync import document_clauses
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.store import calls
from hisabi_sync.engine.store.write import STANDARD
from tests.support.phone import new_id
from tests.visibility.world import NOTE, SECRETS, as_user

RECORD, IDENTITY = "Sync Run Record", "Sync Identity"


@pytest.fixture
def mapped(monkeypatch):
	"""The notes are exchanged with another system, where a salary is called a wage."""
	given = [{"local": "title", "remote": "name"}, {"local": "salary", "remote": "pay.wage"}]
	monkeypatch.setattr(document_clauses, "_mappings", lambda: {NOTE: dict(document_clauses._pairs(given))})


def insert(doctype, document, **values):
	name, now = ids.new(), clock.now()
	columns = [*STANDARD, "document_type", "document_name", *values]
	sql.insert(doctype, columns, [(name, now, now, "x", "x", NOTE, document, *values.values())])
	frappe.db.commit()
	return name


def seen(user, doctype, names):
	with as_user(user):
		found = frappe.get_list(doctype, {"name": ["in", names]}, pluck="name", limit_page_length=0)
		single = [name for name in names if frappe.has_permission(doctype, "read", doc=name)]
	assert sorted(found) == sorted(single)
	return set(found)


def test_run_records_are_for_who_may_read_their_documents(office, mapped):
	document = office.document(office.note())
	plain = insert(RECORD, document, payload=json.dumps({"name": "Board"}))
	hashed = insert(IDENTITY, document, remote_id=new_id("remote"), connection=new_id("c"), entity="orders")
	wage = insert(RECORD, document, payload=json.dumps({"pay": {"wage": SECRETS[0]}}))
	pulled = insert(RECORD, None, payload=json.dumps({"name": "Board"}))
	found = {
		name: (seen(c.user, RECORD, [plain, wage, pulled]), seen(c.user, IDENTITY, [hashed]))
		for name, c in office.callers.items()
	}
	assert found == {
		"chief": ({plain, wage, pulled}, {hashed}),
		"clerk": ({plain, pulled}, set()),
		"kept": (set(), set()),
		"guest": (set(), set()),
		"reader": ({plain, wage, pulled}, {hashed}),
	}


def test_what_a_connection_calls_a_field_is_known(site):
	rows = [
		{"local": "a", "remote": "b.c"},
		{"local": "d", "remote": "e", "rows": [{"local": "f", "remote": "g"}]},
	]
	assert dict(document_clauses._pairs(rows)) == {"c": "a", "e": "d", "g": "f"}
	assert "Hisabi Order" in document_clauses._mappings()


def test_stored_answers_of_calls_are_for_who_may_read_everything_of_their_spaces(office):
	caller = Caller("Administrator", office.space, new_id("device"))
	call = calls.Call(caller.device, new_id("sync"), None, "f", "batch")
	calls.save(call, caller, None, (0, 0, 0), json.dumps({"pin": SECRETS[1]}))
	frappe.db.commit()
	(name,) = frappe.get_all("Sync Call", {"sync_id": call.sync_id}, pluck="name")
	found = {person for person, c in office.callers.items() if seen(c.user, "Sync Call", [name])}
	assert found == {"chief", "reader"}
