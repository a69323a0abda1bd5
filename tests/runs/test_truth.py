"""What runs, watermarks and counts say is true, whatever happens in between; connections stay within their tenant."""

import json
import os

import frappe
import pytest

from hisabi_sync.runs import finish, lanes, plan, reaper, states
from tests.runs import world

pytestmark = pytest.mark.usefixtures("alone")


def refuses(note):
	return lambda handler: note in handler.body and not handler.answer(422, {"message": "no"})


def mark_of(connection):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Watermark", {"connection": connection.name}, "last_id")


def make_due(sync_id):
	frappe.db.sql(
		"UPDATE `tabSync Run Record` SET next_attempt_at = NOW(6) - INTERVAL 1 DAY WHERE run = %s AND next_attempt_at IS NOT NULL",
		(sync_id,),
	)
	frappe.db.sql(
		"UPDATE `tabSync Connection` SET paused_until = NOW(6) - INTERVAL 1 DAY WHERE paused_until IS NOT NULL"
	)
	frappe.db.commit()


def cancelled_in_the_middle(operator, service, connection, monkeypatch):
	"""A run of three orders: the first is refused, and then it is cancelled, so that the others are skipped."""
	orders = [world.make_order(operator.tenant, note=note) for note in ("bad", "b", "c")]
	sync_id = world.begin(operator, "orders")
	plan.plan(sync_id)
	frappe.set_user("Administrator")

	def refuse_and_cancel(handler):
		if b'"bad"' in handler.body:
			assert operator.post(f"cancel/{sync_id}").status_code == 200
			handler.answer(422, {"message": "no"})
			return True
		return False

	service.interfere = refuse_and_cancel
	monkeypatch.setattr(lanes.records, "claim", _one_at_a_time(lanes.records.claim))
	lanes.work(connection.name)
	frappe.set_user("Administrator")
	frappe.db.rollback()
	return orders, sync_id


def test_a_watermark_does_not_pass_what_was_cancelled(operator, service, connection, monkeypatch):
	orders, sync_id = cancelled_in_the_middle(operator, service, connection, monkeypatch)
	assert world.states_of(sync_id) == {"failed": 1, "skipped": 2}
	service.interfere = lambda handler: False
	assert operator.post("retry").json()["records_queued"] == 1
	lanes.work(connection.name)
	frappe.set_user("Administrator")
	assert world.states_of(sync_id) == {"completed": 1, "skipped": 2}
	assert mark_of(connection) in (None, orders[0].name)
	connection.db_set("overlap_seconds", 0)
	frappe.db.commit()
	done = world.work(operator, world.begin(operator, "orders", mode="incremental"), connection)
	assert done["records_created"] == 2, done
	world.assert_equal_sides(operator.tenant, service)


def test_a_cancelled_run_sends_nothing_more(operator, service, connection):
	"""Its record waits for the next attempt when the run is cancelled in the middle of this one."""
	world.make_order(operator.tenant)
	sync_id = world.begin(operator, "orders")

	def fail_and_cancel(handler):
		if handler.command == "POST":
			assert operator.post(f"cancel/{sync_id}").status_code == 200
			handler.answer(500, {"message": "down"})
		return handler.command == "POST"

	service.interfere = fail_and_cancel
	world.work(operator, sync_id, connection)
	sent = world.asked(service, "POST")
	service.interfere = lambda handler: False
	make_due(sync_id)
	lanes.work(connection.name)
	frappe.set_user("Administrator")
	assert world.asked(service, "POST") == sent == 1
	done = operator.detail(sync_id)
	assert (done["status"], done["records_skipped"], done["total_records"]) == ("cancelled", 1, 1)


def test_totals_of_a_cancelled_run_are_those_of_its_records(operator, service, connection):
	world.make_orders(operator.tenant, 3)
	sync_id = world.begin(operator, "orders")

	def cancel(handler):
		if world.asked(service, "POST") == 1:
			assert operator.post(f"cancel/{sync_id}").status_code == 200
		return False

	service.interfere = cancel
	done = world.work(operator, sync_id, connection)
	(day,) = operator.get("history", entity="orders").json()["days"]
	for name in ("records_completed", "records_failed", "records_skipped", "total_records"):
		assert day[name] == done[name], (name, day, done)


def test_a_record_that_changes_while_it_is_listed_comes_in_its_last_version(operator, service, source):
	"""It is on the first page and, changed meanwhile, on a later one; the watermark goes past that change."""
	frappe.db.set_value("Sync Connection", source.name, "overlap_seconds", 0)
	row = source.entities[0]
	options = {**json.loads(row.options), "paging": "cursor"}
	frappe.db.set_value("Sync Connection Entity", row.name, "options", json.dumps(options))
	frappe.db.commit()
	first, last = (
		world.product(updated_at="2026-01-01T00:00:00Z"),
		world.product(updated_at="2026-01-03T00:00:00Z"),
	)
	changed = {**first, "product_name": "Coffee", "updated_at": "2026-01-02T00:00:00Z"}
	world.lists(service, lambda handler: [first])
	sync_id = world.begin(operator, "products")
	world.lists(
		service,
		lambda handler: (
			{"data": [changed, last]} if "page=2" in handler.path else {"data": [first], "next": "2"}
		),
	)
	done = world.work(operator, sync_id, source)
	assert done["records_completed"] == 2
	held = {"tenant": operator.tenant, "product_code": first["product_code"]}
	assert frappe.db.get_value("Hisabi Product", held, "product_name") == "Coffee"


def test_a_connection_that_is_changed_is_changed_for_those_at_work(
	operator, service, connection, monkeypatch
):
	"""It is made a sandbox, or disabled, while its records are sent."""
	monkeypatch.setattr(lanes.records, "claim", _one_at_a_time(lanes.records.claim))
	world.make_orders(operator.tenant, 4)
	sandbox = world.Faults()
	done = []

	def change(handler):
		if world.asked(service, "POST") == 1 and not done:
			done.append(1)
			_elsewhere(connection.name, {"sandbox": 1, "sandbox_url": sandbox.service.url})
		return False

	service.interfere = change
	world.work(operator, world.begin(operator, "orders"), connection)
	sandbox.stop()
	assert (world.asked(service, "POST"), world.asked(sandbox.service, "POST")) == (1, 3)


def _one_at_a_time(claim):
	return lambda connection, token, limit=1: claim(connection, token, 1)


def _elsewhere(name, values):
	"""Change a connection as somebody else would; the service's threads have no site of their own."""
	frappe.init(site=os.environ["HISABI_SITE"], sites_path=os.environ["SITES_PATH"])
	frappe.connect()
	frappe.db.set_value("Sync Connection", name, values)
	frappe.db.commit()
	frappe.destroy()


def test_a_cancelled_run_is_not_begun(operator, service, connection, monkeypatch):
	"""It is cancelled between the planner's look at it and its first word."""
	world.make_order(operator.tenant)
	sync_id = world.begin(operator, "orders")
	load = plan.load

	def late(name):
		held = load(name)
		frappe.db.rollback()
		assert operator.post(f"cancel/{name}").status_code == 200
		return held

	monkeypatch.setattr(plan, "load", late)
	done = world.work(operator, sync_id, connection)
	assert (done["status"], world.asked(service, "POST")) == ("cancelled", 0)


def test_what_is_retried_of_a_removed_connection_comes_to_an_end(operator, service, connection):
	world.make_order(operator.tenant, note="bad")
	service.interfere = refuses(b'"bad"')
	sync_id = world.begin(operator, "orders")
	world.work(operator, sync_id, connection)
	frappe.delete_doc("Sync Connection", connection.name)
	frappe.db.commit()
	operator.post("retry")
	lanes.work(connection.name)
	reaper.run()
	assert world.state(sync_id) != "running"
	assert not {"pending", "processing"} & set(world.states_of(sync_id))


def test_records_of_a_run_that_is_gone_do_not_stop_the_others(operator, service, connection):
	world.make_order(operator.tenant, note="bad")
	service.interfere = refuses(b'"bad"')
	old = world.begin(operator, "orders")
	world.work(operator, old, connection)
	frappe.db.delete("Sync Run", {"name": old})
	frappe.db.commit()
	assert operator.post("retry").json()["records_queued"] == 1
	service.interfere = lambda handler: False
	world.make_order(operator.tenant)
	done = world.work(operator, world.begin(operator, "orders"), connection)
	assert (done["status"], done["records_completed"]) == ("completed", 2)
	assert not {"pending", "processing"} & set(world.states_of(old))


def test_a_run_does_not_end_while_a_record_of_it_is_retried(operator, service, connection, monkeypatch):
	"""The retry comes between the look for runs that may have ended and the look at their records."""
	world.make_order(operator.tenant, note="bad")
	world.make_order(operator.tenant)
	service.interfere = refuses(b'"bad"')
	sync_id = world.begin(operator, "orders")
	world.work(operator, sync_id, connection)
	finish.move(sync_id, states.RUNNING)
	frappe.db.commit()
	check = finish.check

	def late(name):
		assert operator.post("retry").json()["records_queued"] == 1
		return check(name)

	monkeypatch.setattr(finish, "check", late)
	finish.check_all(connection.name)
	assert world.state(sync_id) == "running"
