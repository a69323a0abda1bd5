"""An entity type whose changes a job numbers: the writer leaves a trace, and nothing is lost or judged wrongly meanwhile."""

import os

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.engine import waiting
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.store import write
from tests.capture.conftest import join_team
from tests.support import doctypes
from tests.support.doctypes import column, columns
from tests.support.engine import change, document_of, fetch, send
from tests.support.phone import new_id
from tests.support.worker import work_off

PRICE = f"Waiting Price {os.getpid()}"
ROW = f"{PRICE} Row"


@pytest.fixture(scope="module")
def prices(site):
	frappe.set_user("Administrator")
	doctypes.make(ROW, columns("label"), istable=1)
	doctypes.make(PRICE, [*columns("team", "item", "rate"), column("lines", "Table", ROW)], allow_rename=1)
	doctypes.sync(PRICE, "team", "team", numbering="By a job")
	yield
	doctypes.remove(PRICE, ROW)


@pytest.fixture
def shop(prices, make_user):
	work_off(0)
	return join_team(new_id("shop"), make_user("System Manager"))


def made(shop, **values):
	return frappe.get_doc({"doctype": PRICE, "team": shop.space_key, "rate": "1", **values}).insert()


def waits():
	frappe.db.rollback()
	return frappe.db.count("Sync Waiting", {"entity_type": PRICE})


def told(shop, token=None):
	items, token = fetch(shop, token)
	return {item.client_id: item.payload.get("rate") for item in items}, token


def numbered(shop, **values):
	"""A price that devices know."""
	doc = made(shop, **values)
	frappe.db.commit()
	waiting.work(PRICE)
	return doc


def test_the_writer_leaves_a_trace_and_the_job_numbers(shop):
	first, second = made(shop), made(shop)
	frappe.db.commit()
	assert told(shop)[0] == {} and waits() == 2
	work_off(0)
	found, token = told(shop)
	assert found == {first.name: "1", second.name: "1"} and waits() == 0
	first.rate = "2"
	first.save()
	second.db_set("rate", "3")
	frappe.db.commit()
	assert told(shop, token)[0] == {}
	waiting.work(PRICE)
	assert told(shop, token)[0] == {first.name: "2", second.name: "3"}


def test_what_is_rolled_back_leaves_no_trace(shop):
	made(shop)
	frappe.db.rollback()
	assert waits() == 0
	frappe.db.savepoint("one")
	made(shop)
	frappe.db.rollback(save_point="one")
	frappe.db.commit()
	waiting.work(PRICE)
	assert told(shop)[0] == {}


def test_many_saves_of_a_transaction_leave_one_statement(shop):
	docs = [made(shop) for _ in range(5)]
	frappe.db.commit()
	waiting.work(PRICE)
	for doc in docs:
		doc.rate = "9"
	with Counted() as seen:
		for doc in docs:
			doc.save()
		frappe.db.commit()
	ours = [statement for statement in seen if "`tabSync" in statement]
	assert len(ours) == 1 and "Sync Waiting" in ours[0], ours


def test_a_push_is_judged_by_the_values_as_they_are_now(shop):
	doc = numbered(shop, item="a")
	_, token = told(shop)
	doc.rate = "2"
	doc.save()
	frappe.db.commit()
	clash, merged = send(
		shop,
		change(PRICE, doc.name, "update", 1, rate="3"),
		change(PRICE, doc.name, "update", 1, item="b"),
	)
	assert (clash.status, merged.status, merged.merged) == ("conflict", "accepted", True)
	assert (merged.record["rate"], merged.doc_version) == ("2", 3)
	held = frappe.get_doc("Sync Conflict", clash.conflict)
	assert (held.server_values, held.server_version) == ('{"rate":"2"}', 2)
	assert told(shop, token)[0] == {doc.name: "2"}
	waiting.work(PRICE)
	assert frappe.db.get_value("Sync Record", {"document_name": doc.name}, "doc_version") == 3
	assert waits() == 0


def test_an_atomic_push_that_fails_takes_nothing_back_of_it(shop):
	doc = numbered(shop)
	doc.rate = "2"
	doc.save()
	frappe.db.commit()
	outcomes = send(
		shop,
		change(PRICE, doc.name, "update", 1, item="x"),
		change(PRICE, new_id("price"), "update", 1, item="y"),
		atomic=True,
	)
	assert {o.status for o in outcomes} == {"error"}
	waiting.work(PRICE)
	(item,) = (one for one in fetch(shop)[0] if one.client_id == doc.name)
	assert (item.doc_version, item.payload["rate"], item.payload["item"]) == (2, "2", None)


def test_what_a_device_writes_is_numbered_at_once(shop):
	_, token = told(shop)
	given = change(PRICE, new_id("price"), item="a", rate="5")
	assert send(shop, given)[0].doc_version == 1
	assert told(shop, token)[0] == {given.client_id: "5"}
	assert waits() == 0


def test_deletes_and_renames_of_what_waits(shop):
	gone, named, unseen = numbered(shop), numbered(shop), made(shop)
	frappe.db.commit()
	_, token = told(shop)
	for doc in (gone, named):
		doc.reload()
		doc.rate = "7"
		doc.save()
	frappe.db.commit()
	frappe.delete_doc(PRICE, gone.name)
	frappe.delete_doc(PRICE, unseen.name)
	new = new_id("Renamed")
	frappe.rename_doc(PRICE, named.name, new, force=True)
	frappe.db.commit()
	waiting.work(PRICE)
	items = {item.client_id: item for item in fetch(shop, token)[0]}
	assert items[gone.name].deleted_at and items[named.name].payload["rate"] == "7"
	(stale,) = send(shop, change(PRICE, named.name, "update", 1, rate="8"))
	assert stale.status == "conflict"
	assert unseen.name not in items and document_of(shop, named.name) == new


def test_a_worker_that_dies_loses_nothing(shop, monkeypatch):
	docs = [made(shop) for _ in range(4)]
	frappe.db.commit()
	monkeypatch.setattr(waiting, "CHUNK", 3)
	plain, calls = write.write_records, []

	def dies(*args, **more):
		plain(*args, **more)
		calls.append(args)
		if len(calls) == 2:
			raise KeyboardInterrupt

	monkeypatch.setattr(write, "write_records", dies)
	with pytest.raises(KeyboardInterrupt):
		waiting.work(PRICE)
	assert waits() == 1
	monkeypatch.setattr(write, "write_records", plain)
	waiting.resume()
	work_off(0)
	assert set(told(shop)[0]) == {doc.name for doc in docs} and waits() == 0


def test_rows_of_an_entity_type_that_is_gone_are_removed(shop):
	waiting.add([("Nothing of that name", "", "x")])
	frappe.db.commit()
	waiting.resume()
	frappe.db.commit()
	assert not frappe.db.exists("Sync Waiting", {"entity_type": "Nothing of that name"})


def test_values_that_follow_at_once_are_never_left_to_a_job(site):
	doc = frappe.get_doc("Sync Entity", "Hisabi Account")
	doc.numbering = "By a job"
	with pytest.raises(frappe.ValidationError, match="other values follow at once"):
		doc.save()
	frappe.db.rollback()


def test_the_form_says_how_many_wait(shop):
	made(shop)
	frappe.db.commit()
	form = frappe.get_doc("Sync Entity", PRICE)
	form.run_method("onload")
	assert form.get_onload("waiting")["waiting"] == 1
	waiting.work(PRICE)
	form.run_method("onload")
	assert form.get_onload("waiting") is None
	assert entity_types.registry().by_name[PRICE].by_job
