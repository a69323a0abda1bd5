"""A process reads from Redis how DocTypes are, where another process has read the same definitions."""

import pickle

import frappe
import pytest
import redis

from benchmarks.count_statements import Counted
from hisabi_sync.engine.entities import compiled_before, entity_types, shared_metas
from tests.schema.test_edits import new_request
from tests.support import doctypes
from tests.support.doctypes import column, columns
from tests.support.phone import new_id


@pytest.fixture
def order(site):
	"""A synced DocType."""
	name = new_id("Shared Order").replace("-", " ")
	frappe.set_user("Administrator")
	doctypes.make(name, columns("wallet", "note"))
	doctypes.sync(name, "wallet", "wallet")
	yield name
	doctypes.remove(name)


@pytest.fixture
def fresh(monkeypatch):
	"""Compile as a process does that has just begun; gives the Registry and the statements that it took."""

	def compiled():
		monkeypatch.setattr(compiled_before, "_latest", {})
		entity_types._compiled.pop(frappe.local.site, None)
		new_request()
		with Counted() as seen:
			found = entity_types.registry()
		return found, seen

	return compiled


def held(doctype):
	return redis.Redis.hget(frappe.cache, frappe.cache.make_key(shared_metas.KEY), doctype)


def test_the_second_process_asks_the_database_for_no_doctype(order, fresh):
	first, _ = fresh()
	second, statements = fresh()
	assert second is not first and second.by_name.keys() == first.by_name.keys()
	assert not [one for one in statements if "`tabDocField`" in one and "CRC32" not in one], statements
	assert second.by_name[order].fields == first.by_name[order].fields


def test_after_an_edit_nothing_of_before_is_taken(order, fresh):
	fresh()
	old = held(order)
	doc = frappe.get_doc("DocType", order)
	doc.append("fields", column("amount", "Currency"))
	doc.save()
	frappe.db.commit()
	redis.Redis.hset(frappe.cache, frappe.cache.make_key(shared_metas.KEY), order, old)
	found, _ = fresh()
	assert "amount" in found.by_name[order].fields and held(order) != old


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", pickle.dumps("x"), pickle.dumps(None)])
def test_what_cannot_be_read_is_read_from_the_database(order, fresh, rubbish):
	redis.Redis.hset(frappe.cache, frappe.cache.make_key(shared_metas.KEY), order, rubbish)
	found, _ = fresh()
	assert "note" in found.by_name[order].fields


def test_without_redis_it_is_asked_once_and_no_more(order, fresh, monkeypatch):
	asked = []

	def connected(_cache):
		asked.append(1)
		return False

	monkeypatch.setattr(type(frappe.cache), "connected", connected)
	found, statements = fresh()
	assert "note" in found.by_name[order].fields and len(asked) == 1
	assert [one for one in statements if "`tabDocField`" in one and "CRC32" not in one]
