"""What moves, moves together: documents that find their space through another one go with it, at once, and as themselves."""

import os
import secrets
import threading
from contextlib import contextmanager

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.engine import comparing, following, reconcile, waiting
from hisabi_sync.engine.database import background
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.store import path_queries
from hisabi_sync.media import presign
from hisabi_sync.media import rows as media_rows
from hisabi_sync.media.rows import Media
from tests.capture.conftest import join_team
from tests.documents.test_rights import with_document
from tests.support import doctypes, scripts
from tests.support.doctypes import columns
from tests.support.engine import change, document_of, fetch, send
from tests.support.phone import new_id
from tests.support.waiting import until
from tests.support.worker import work_off

KIND = "team"
SHOP, ORDER, VISIT = (f"Moving {name} {os.getpid()}" for name in ("Shop", "Order", "Visit"))
PATHS = {SHOP: "region", ORDER: "shop.region", VISIT: "sale.shop.region"}


@pytest.fixture(scope="module")
def trade(site):
	"""Shops lie in a region, their orders with them, and visits with their order."""
	frappe.set_user("Administrator")
	doctypes.make(SHOP, columns("region", "title"), allow_rename=1)
	doctypes.make(ORDER, columns(("shop", "Link", SHOP), "note", "state"))
	doctypes.make(VISIT, columns(("sale", "Link", ORDER), "note", ("photo", "Attach Image")))
	for name, path in PATHS.items():
		doctypes.sync(name, KIND, path)
	yield
	doctypes.remove(VISIT, ORDER, SHOP)


@pytest.fixture
def regions(trade, make_user):
	"""Callers of one person's device in two regions."""
	user = make_user("System Manager")
	north, south = (join_team(new_id(name), user, "member") for name in ("north", "south"))
	return north, south


def made(doctype, **values):
	return frappe.get_doc({"doctype": doctype, **values}).insert()


def shop_with(region, orders=1, visits=1):
	"""(name of a shop, its orders, their visits), made in the Desk."""
	shop = made(SHOP, region=region.space_key, title=new_id("shop")).name
	found = [made(ORDER, shop=shop, note=new_id("note")).name for _ in range(orders)]
	seen = [made(VISIT, sale=order, note="seen").name for order in found for _ in range(visits)]
	frappe.db.commit()
	return shop, found, seen


def move(shop, region):
	doc = frappe.get_doc(SHOP, shop)
	doc.region = region.space_key
	doc.save()
	frappe.db.commit()


def told(caller, token=None):
	"""({client id: whether it is a tombstone}, cursor)."""
	items, token = fetch(caller, token)
	return {item.client_id: bool(item.deleted_at) for item in items}, token


def by_save(shop, north, south):
	move(shop, south)


def by_db_set(shop, north, south):
	frappe.get_doc(SHOP, shop).db_set("region", south.space_key)
	frappe.db.commit()


def by_db_set_after_a_save(shop, north, south):
	"""Frappe goes on showing the document as it was before the save."""
	doc = frappe.get_doc(SHOP, shop)
	doc.region = south.space_key
	doc.save()
	doc.db_set("region", north.space_key)
	doc.db_set("region", south.space_key)
	frappe.db.commit()


def by_push(shop, north, south, **settings):
	with writable_region(**settings):
		(outcome,) = send(north, region_of(shop, south))
		assert outcome.status == "accepted", outcome


def by_push_in_bulk(shop, north, south):
	"""Without hooks. The shop itself follows with the daily comparison."""
	by_push(shop, north, south, write_mode="Bulk")
	reconcile.run(SHOP)


def region_of(shop, south):
	version = frappe.db.get_value("Sync Record", {"document_name": shop}, "doc_version")
	return change(SHOP, shop, "update", version, region=south.space_key)


@contextmanager
def writable_region(write_mode="Auto"):
	"""Devices may write the field that holds the key."""
	doc = frappe.get_doc("Sync Entity", SHOP)
	doc.write_mode = write_mode
	for name in ("region", "title"):
		doc.append("fields", {"fieldname": name, "access": "Read and write"})
	doc.save()
	frappe.db.commit()
	try:
		yield
	finally:
		doc.reload()
		doc.update({"fields": [], "write_mode": "Auto"})
		doc.save()
		frappe.db.commit()


@pytest.mark.parametrize("way", [by_save, by_db_set, by_db_set_after_a_save, by_push, by_push_in_bulk])
def test_everything_goes_in_the_same_transaction(regions, way):
	north, south = regions
	shop, orders, visits = shop_with(north, orders=2)
	_, token = told(north)
	way(shop, north, south)
	every = {shop, *orders, *visits}
	assert told(north, token)[0] == dict.fromkeys(every, True)
	assert told(south)[0] == dict.fromkeys(every, False)


def test_one_document_that_changes_its_link_goes_with_what_hangs_on_it(regions):
	north, south = regions
	_, (order,), (visit,) = shop_with(north)
	other, *_ = shop_with(south, orders=0)
	doc = frappe.get_doc(ORDER, order)
	doc.shop = other
	doc.save()
	frappe.db.commit()
	assert {other: False, order: False, visit: False} == told(south)[0]


def order_of(caller, shop):
	"""Client id of an order that a device made, at version 2."""
	given = change(ORDER, new_id("order"), shop=shop, note="one", state="new")
	assert send(caller, given)[0].status == "accepted"
	(outcome,) = send(caller, change(ORDER, given.client_id, "update", 1, note="two"))
	assert outcome.doc_version == 2
	return given.client_id


def test_a_pending_edit_is_judged_in_the_new_space_as_it_would_have_been_in_the_old_one(regions):
	north, south = regions
	shop, *_ = shop_with(north, orders=0)
	client_id = order_of(north, shop)
	doc = frappe.get_doc(ORDER, document_of(north, client_id))
	doc.state = "paid"
	doc.save()
	frappe.db.commit()
	move(shop, south)
	(old,) = send(north, change(ORDER, client_id, "update", 2, note="three"))
	assert (old.status, old.code) == ("error", "deleted")
	(mine, clash) = send(
		south,
		change(ORDER, client_id, "update", 2, note="three"),
		change(ORDER, client_id, "update", 2, state="open"),
	)
	assert (mine.status, mine.merged, mine.doc_version) == ("accepted", True, 5)
	assert clash.status == "conflict"
	row = frappe.get_doc("Sync Conflict", clash.conflict)
	assert (row.base_values, row.server_values) == ('{"state":"new"}', '{"state":"paid"}')


def test_open_conflicts_go_along(regions):
	north, south = regions
	shop, *_ = shop_with(north, orders=0)
	client_id = order_of(north, shop)
	other = join_team(north.space_key, north.user, "member")
	(outcome,) = send(other, change(ORDER, client_id, "update", 1, note="mine"))
	assert outcome.status == "conflict"
	move(shop, south)
	row = frappe.db.get_value("Sync Conflict", outcome.conflict, ["space", "record"], as_dict=True)
	assert row == {"space": south.space, "record": ids.record(south.space, ORDER, client_id)}


def uploaded(caller):
	"""The key of a finished upload in the space."""
	key = secrets.token_hex(16)
	media = Media(
		key, caller.space, caller.user, caller.device, "p.png", "image/png", "Local", state="Uploaded"
	)
	media_rows.insert(media)
	frappe.db.commit()
	return key


def test_uploads_go_along_and_their_readers_there_get_them(regions, make_user):
	north, south = regions
	reader = join_team(south.space_key, make_user("System Manager"), "viewer")
	shop, (order,), _ = shop_with(north)
	key, waiting_key = uploaded(north), uploaded(north)
	visit = change(VISIT, new_id("visit"), sale=order, photo=key)
	(outcome,) = send(north, visit)
	assert (outcome.status, outcome.code, outcome.detail) == ("accepted", None, None)
	with pytest.raises(RequestError):
		presign.download_url(reader, key)
	move(shop, south)
	record = ids.record(south.space, VISIT, visit.client_id)
	where = frappe.db.get_value("Sync Media", key, ["space", "record"])
	assert where == (south.space, record)
	assert frappe.db.get_value("Sync Media", waiting_key, "space") == north.space
	assert presign.download_url(reader, key)["key"] == key


def test_an_id_that_another_record_has_there_is_not_taken_from_it(regions):
	north, south = regions
	(shop, *_), (there, *_) = shop_with(north, orders=0), shop_with(south, orders=0)
	client_id = new_id("order")
	for caller, link in ((north, shop), (south, there)):
		assert send(caller, change(ORDER, client_id, shop=link, note="x"))[0].status == "accepted"
	moved, stays = document_of(north, client_id), document_of(south, client_id)
	move(shop, south)
	assert document_of(south, client_id) == stays
	assert (
		frappe.db.get_value("Sync Record", {"space": south.space, "document_name": moved}, "client_id")
		== moved
	)


def test_there_and_back_again_is_the_same_record(regions):
	north, south = regions
	shop, *_ = shop_with(north, orders=0)
	client_id = order_of(north, shop)
	move(shop, south)
	send(south, change(ORDER, client_id, "update", 3, state="seen"))
	move(shop, north)
	(outcome,) = send(north, change(ORDER, client_id, "update", 2, note="three"))
	assert (outcome.status, outcome.merged, outcome.doc_version) == ("accepted", True, 6)
	record = ids.record(north.space, ORDER, client_id)
	versions = frappe.get_all("Sync Version", {"record": record}, order_by="doc_version", pluck="doc_version")
	assert versions == [2, 4, 6]


@pytest.mark.parametrize("merge", [False, True])
def test_a_rename_or_merge_moves_nothing_twice(regions, merge):
	north, south = regions
	shop, (order,), (visit,) = shop_with(north)
	there, *_ = shop_with(south, orders=0)
	_, token = told(south)
	_, other = told(north)
	new = there if merge else new_id("Renamed")
	frappe.rename_doc(SHOP, shop, new, merge=merge, force=True)
	frappe.db.commit()
	came = fetch(south, token)[0]
	if merge:
		assert {(i.client_id, i.doc_version) for i in came if i.client_id != there} == {
			(order, 2),
			(visit, 2),
		}
		assert told(north, other)[0] == {shop: True, order: True, visit: True}
	else:
		assert came == []
		assert told(north, other)[0] == {shop: False}


def test_who_may_not_read_what_came_hears_nothing_of_it(regions, make_user):
	north, south = regions
	outsider = join_team(south.space_key, make_user("Hisabi User"), "member")
	shop, *_ = shop_with(north, orders=0)
	client_id = order_of(north, shop)
	_, token = told(outsider)
	move(shop, south)
	assert told(outsider, token)[0] == {}
	assert client_id in told(south)[0]


def test_a_push_that_moves_a_shop_and_edits_its_order_leaves_one_record(regions):
	north, south = regions
	shop, (order,), _ = shop_with(north)
	with writable_region():
		outcomes = send(
			north,
			region_of(shop, south),
			change(ORDER, order, "update", 1, note="mine"),
		)
		assert [o.status for o in outcomes] == ["accepted"] * 2
	where = {"document_name": order, "deleted_at": ["is", "not set"]}
	assert frappe.get_all("Sync Record", where, pluck="space") == [south.space]
	(held,) = (item.payload for item in fetch(south)[0] if item.client_id == order)
	assert held["note"] == "mine"


def test_a_record_that_a_device_makes_must_lie_in_the_space_that_it_pushes_to(regions):
	north, south = regions
	there, *_ = shop_with(south, orders=0)
	fine, *_ = shop_with(north, orders=0)
	wrong = change(ORDER, new_id("order"), shop=there, note="x")
	right = change(ORDER, new_id("order"), shop=fine, note="y")
	bad, good = send(north, wrong, right)
	assert (bad.status, bad.code, bad.detail) == ("error", "invalid_link", ["shop"])
	assert good.status == "accepted"
	assert not frappe.db.exists(ORDER, {"shop": there})
	assert told(south)[0] == {there: False}


def test_what_a_controller_saves_in_another_space_gets_its_record_there(regions, monkeypatch):
	"""A push of an order writes a shop of another region."""
	scripts.allow(monkeypatch)
	north, south = regions
	there, *_ = shop_with(south, orders=0)
	shop, (order,), _ = shop_with(north)
	_, token = told(south)
	given = {
		"name": new_id("touch"),
		"script_type": "DocType Event",
		"reference_doctype": ORDER,
		"doctype_event": "Before Save",
		"script": f"d = frappe.get_doc('{SHOP}', '{there}')\nd.title = 'touched'\nd.save()",
	}
	with with_document("Server Script", **given):
		(outcome,) = send(north, change(ORDER, order, "update", 1, note="mine"))
		assert outcome.status == "accepted", outcome
	(item,), _ = fetch(south, token)
	assert (item.client_id, item.payload["title"]) == (there, "touched")
	assert frappe.db.get_value("Sync Record", {"document_name": there}, "space") == south.space


# --- at the same moment

WAITS = """SELECT 1 FROM information_schema.processlist WHERE id != CONNECTION_ID() AND command = 'Query'
	AND time_ms > 200 AND info REGEXP 'FOR UPDATE|SHARE MODE|INSERT'"""


@contextmanager
def beside(work):
	"""Do some work in another transaction, which waits for a lock of this one; it is done after the block."""
	site, failed = frappe.local.site, []

	def run():
		frappe.init(site=site, sites_path=os.environ["SITES_PATH"])
		frappe.connect()
		try:
			work()
			frappe.db.commit()
		except Exception as error:
			failed.append(error)
		finally:
			frappe.destroy()

	thread = threading.Thread(target=run)
	thread.start()
	until(lambda: frappe.db.sql(WAITS) or not thread.is_alive())
	assert thread.is_alive(), failed
	yield
	thread.join()
	assert not failed, failed
	frappe.db.rollback()


def live_space(doctype, name):
	where = {"document_type": doctype, "document_name": name, "deleted_at": ["is", "not set"]}
	return frappe.get_all("Sync Record", where, pluck="space")


def test_an_order_that_is_made_while_its_shop_moves_lies_where_the_shop_went(regions):
	north, south = regions
	shop, *_ = shop_with(north, orders=0)
	doc, note = frappe.get_doc(SHOP, shop), new_id("note")
	doc.region = south.space_key
	doc.save()
	with beside(lambda: made(ORDER, shop=shop, note=note)):
		frappe.db.commit()
	assert live_space(ORDER, frappe.db.get_value(ORDER, {"note": note})) == [south.space]


def test_a_shop_that_moves_while_an_order_is_made_takes_it_along(regions):
	north, south = regions
	shop, *_ = shop_with(north, orders=0)
	order = made(ORDER, shop=shop, note="x").name
	with beside(lambda: move(shop, south)):
		frappe.db.commit()
	assert live_space(ORDER, order) == live_space(SHOP, shop) == [south.space]


# --- what it costs


def reads():
	rows = frappe.db.sql("SHOW SESSION STATUS LIKE 'Handler_read%'")
	return sum(int(count) for _, count in rows)


def cost_of_moving(shop, region):
	"""(statements, rows that the database looked at)."""
	doc = frappe.get_doc(SHOP, shop)
	doc.region = region.space_key
	before = reads()
	with Counted() as seen:
		doc.save()
		frappe.db.commit()
	return len(seen), reads() - before


def test_the_cost_follows_what_moves_and_not_the_table(regions):
	north, south = regions
	few, *_ = shop_with(north, orders=2)
	cost_of_moving(few, south)
	alone = cost_of_moving(few, north)
	crowd, *_ = shop_with(north, orders=0)
	rows = [(new_id("order"), crowd, "x") for _ in range(2000)]
	frappe.db.bulk_insert(ORDER, ["name", "shop", "note"], rows)
	frappe.db.commit()
	frappe.db.sql(f"ANALYZE TABLE `tab{ORDER}`, `tab{VISIT}`")
	assert cost_of_moving(few, south)[0] <= alone[0]
	beside = cost_of_moving(few, north)
	assert beside[0] <= alone[0] and beside[1] <= alone[1] * 1.2 + 50, (alone, beside)
	many, *_ = shop_with(north, orders=40)
	assert cost_of_moving(many, south)[0] <= alone[0]


def test_the_form_makes_the_indexes_that_finding_needs(regions):
	for doctype, link in ((ORDER, "shop"), (VISIT, "sale")):
		rows = frappe.db.sql(
			f"SHOW INDEX FROM `tab{doctype}` WHERE Column_name = %s AND Seq_in_index = 1", (link,)
		)
		assert rows, (doctype, link)


def test_forms_that_are_saved_together_may_need_the_same_index(regions):
	"""Each makes it after the commit, and one of them is the first."""
	links, made = [(VISIT, "sale"), (ORDER, "shop")], []
	for doctype, link in links:
		frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP INDEX {link}_name_index")
	for _ in range(2):
		frappe.db.after_commit.add(lambda: made.append(path_queries.make_indexes(links)))
	frappe.db.commit()
	assert len(made) == 2 and not path_queries.missing_indexes(links)


# --- many


@pytest.fixture
def few_at_once(monkeypatch):
	monkeypatch.setattr(following, "AT_ONCE", 3)
	monkeypatch.setattr(waiting, "CHUNK", 2)


def waits():
	frappe.db.rollback()
	return frappe.db.count("Sync Waiting", {"entity_type": ["in", list(PATHS)]})


def test_many_are_moved_by_a_job_that_takes_exactly_these(regions, few_at_once, monkeypatch):
	north, south = regions
	shop, orders, visits = shop_with(north, orders=3)
	stays, *_ = shop_with(north, orders=1)
	_, token = told(north)
	move(shop, south)
	assert told(south)[0] == {shop: False}
	assert waits() == 2
	compared, plain = [], comparing.compare
	monkeypatch.setattr(
		comparing, "compare", lambda entity, names: compared.extend(names) or plain(entity, names)
	)
	for name in (ORDER, VISIT):
		waiting.work(name)
	assert sorted(compared) == sorted([*orders, *visits])
	every = {shop, *orders, *visits}
	assert told(north, token)[0] == dict.fromkeys(every, True)
	assert told(south)[0] == dict.fromkeys(every, False)
	assert waits() == 0


def test_a_worker_that_dies_in_between_loses_nothing(regions, few_at_once, monkeypatch):
	north, south = regions
	shop, orders, _ = shop_with(north, orders=5, visits=0)
	move(shop, south)
	calls, plain = [], comparing.compare

	def dies(entity, names):
		calls.append(names)
		if len(calls) == 2:
			raise KeyboardInterrupt
		return plain(entity, names)

	monkeypatch.setattr(comparing, "compare", dies)
	with pytest.raises(KeyboardInterrupt):
		waiting.work(ORDER)
	frappe.db.rollback()
	assert waits() == 3 + 1  # orders, and what hangs on them
	monkeypatch.setattr(comparing, "compare", plain)
	waiting.resume()
	work_off(0)
	assert waits() == 0
	assert {order: False for order in orders}.items() <= told(south)[0].items()


def test_one_that_cannot_be_moved_does_not_stop_the_change_nor_the_others(regions, monkeypatch):
	north, south = regions
	shop, orders, _ = shop_with(north, orders=3, visits=0)
	plain, bad = comparing.compare, orders[1]

	def breaks(entity, names):
		if bad in names:
			raise ValueError("it cannot be compared")
		return plain(entity, names)

	monkeypatch.setattr(comparing, "compare", breaks)
	move(shop, south)
	waiting.work(ORDER)
	assert {orders[0]: False, orders[2]: False}.items() <= told(south)[0].items()
	assert f"waiting {ORDER}" in background.failures()
	monkeypatch.setattr(comparing, "compare", plain)
	reconcile.run(ORDER)
	assert told(south)[0][bad] is False
	waiting.add([(ORDER, "", bad)])
	frappe.db.commit()
	waiting.work(ORDER)
	assert f"waiting {ORDER}" not in background.failures()


def test_what_waits_is_shown(regions, few_at_once):
	north, south = regions
	shop, *_ = shop_with(north, orders=4, visits=0)
	move(shop, south)
	held = waiting.state()[ORDER]
	assert held["waiting"] == 1 and held["since"]
	from hisabi_sync.hisabi_sync.report.sync_health import sync_health
	from hisabi_sync.runs import health

	assert ORDER in health.check()["checks"]["waiting"]["entity_types"]
	assert ORDER in sync_health.execute()[2]
	waiting.work(ORDER)
	entity_types.registry()
