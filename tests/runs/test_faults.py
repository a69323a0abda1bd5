"""The other side stumbles in every way; in the end both sides are equal and nothing is there twice."""

import itertools
import json
import time

import frappe
import pytest

from hisabi_sync.runs import reaper
from hisabi_sync.runs import start as starting
from tests.runs import world


def hurry(sync_id):
	"""What waits for its next attempt is due now, as if the time had passed; the connection is open again."""
	try:
		_make_due(sync_id)
	except frappe.QueryDeadlockError:
		frappe.db.rollback()  # the workers were at the same rows; there is a next time
	reaper.run()


def _make_due(sync_id):
	frappe.db.rollback()
	frappe.db.sql(
		"""UPDATE `tabSync Run Record` SET next_attempt_at = NOW(6) - INTERVAL 1 DAY
		WHERE run = %s AND next_attempt_at IS NOT NULL""",
		(sync_id,),
	)
	frappe.db.sql(
		"UPDATE `tabSync Connection` SET paused_until = NOW(6) - INTERVAL 1 DAY WHERE paused_until IS NOT NULL"
	)
	frappe.db.commit()


def finish(sync_id):
	"""Have the run done, whatever it has to wait for."""
	world.CREW.start()
	for _ in range(400):
		if world.state(sync_id) not in ("queued", "running"):
			return
		hurry(sync_id)
		time.sleep(0.3)
	raise AssertionError(world.states_of(sync_id))


def writes(handler):
	return handler.command in ("POST", "PUT")


class Every:
	"""Spoils every n-th write."""

	def __init__(self, number, spoil):
		self.count, self.number, self.spoil = itertools.count(1), number, spoil

	def __call__(self, handler):
		return writes(handler) and next(self.count) % self.number == 0 and bool(self.spoil(handler) or True)


def fails(handler):
	handler.answer(500, {"message": "oops"})


def applies_and_drops(handler):
	"""The record is written, and the answer is lost."""
	entity, _, identity = handler.path.strip("/").partition("/")
	values, store = json.loads(handler.body), handler.server.store
	store.update(entity, identity, values) if identity else store.create(entity, values)
	handler.close_connection = True
	handler.connection.close()


def speaks_nonsense(handler):
	raw = b'{"data": {"id": '
	handler.send_response(201)
	handler.send_header("Content-Length", str(len(raw)))
	handler.end_headers()
	handler.wfile.write(raw)


def asks_to_wait(handler):
	handler.answer(429, {"message": "slow down"}, Retry_After="1")


@pytest.mark.parametrize("spoil", [fails, applies_and_drops, speaks_nonsense, asks_to_wait])
def test_every_third_write_goes_wrong(operator, service, connection, spoil):
	world.make_orders(operator.tenant, 7)
	service.interfere = Every(3, spoil)
	sync_id = operator.start(mode="full")
	finish(sync_id)
	done = operator.detail(sync_id)
	assert (done["status"], done["records_completed"], done["total_records"]) == ("completed", 7, 7), done
	world.assert_equal_sides(operator.tenant, service)


def test_a_slow_answer_is_not_waited_for(operator, service, connection):
	connection.db_set({"read_timeout": 1, "max_attempts": 2})
	frappe.db.commit()
	slow = world.make_order(operator.tenant, note="slow")
	world.make_order(operator.tenant)

	def dawdle(handler):
		if writes(handler) and b'"slow"' in handler.body:
			time.sleep(3)
		return False

	service.interfere = dawdle
	sync_id = operator.start(mode="full")
	finish(sync_id)
	by_id = {row["entity_id"]: row for row in operator.detail(sync_id)["records"]}
	assert (by_id[slow.name]["status"], by_id[slow.name]["error_code"]) == ("dead", "remote_timeout")
	assert operator.detail(sync_id)["status"] == "completed_with_errors"
	service.interfere = lambda handler: False
	assert operator.post("retry").json()["records_queued"] == 1
	finish(sync_id)
	assert operator.detail(sync_id)["status"] == "completed"
	world.assert_equal_sides(operator.tenant, service)


def test_a_rejected_record_waits_for_a_person_and_holds_back_the_watermark(operator, service, connection):
	first, bad, last = (world.make_order(operator.tenant, note=note) for note in ("a", "bad", "c"))
	service.interfere = lambda handler: (
		writes(handler) and b'"bad"' in handler.body and not handler.answer(422, {"message": "no"})
	)
	done = operator.run(mode="full")
	assert (done["status"], done["records_failed"]) == ("completed_with_errors", 1)
	(failure,) = operator.get("failures", entity="orders").json()["failures"]
	assert (failure["entity_id"], failure["error_code"]) == (bad.name, "remote_rejected")
	assert "422 no" in failure["error_message"]
	mark = frappe.db.get_value("Sync Watermark", {"connection": connection.name}, "last_id")
	assert mark == first.name
	service.interfere = lambda handler: False
	assert operator.post(f"failures/{failure['id']}/retry").status_code == 202
	assert world.until_ended(done["sync_id"]) == "completed"
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Watermark", {"connection": connection.name}, "last_id") == last.name
	world.assert_equal_sides(operator.tenant, service)


def test_the_days_before_a_retry_are_not_time_that_a_run_took(operator, service, connection):
	world.make_order(operator.tenant)
	service.interfere = lambda handler: writes(handler) and not handler.answer(422, {"message": "no"})
	sync_id = operator.run(mode="full")["sync_id"]
	long_ago = frappe.utils.add_days(frappe.utils.now_datetime(), -3)
	held = {"started_at": long_ago, "completed_at": long_ago, "seconds": 7}
	frappe.db.set_value("Sync Run", sync_id, held)
	frappe.db.commit()
	service.interfere = lambda handler: False
	operator.post("retry")
	assert world.until_ended(sync_id) == "completed"
	assert 7 < frappe.db.get_value("Sync Run", sync_id, "seconds") < 7 + 3600


def test_what_was_dismissed_holds_nothing_back(operator, service, connection):
	world.make_order(operator.tenant, note="bad")
	last = world.make_order(operator.tenant, note="b")
	service.interfere = lambda handler: (
		writes(handler) and b'"bad"' in handler.body and not handler.answer(422, {"message": "no"})
	)
	done = operator.run(mode="full")
	(failure,) = operator.get("failures").json()["failures"]
	assert starting.dismiss(operator.space, [failure["id"]]) == 1
	assert operator.get("failures").json()["total"] == 0
	shown = operator.detail(done["sync_id"])
	assert (shown["status"], shown["records_failed"], shown["records_skipped"]) == ("completed", 0, 1)
	held = frappe.db.get_value("Sync Run", done["sync_id"], ["status", "records_failed", "records_skipped"])
	assert held == ("completed", 0, 1)
	assert frappe.db.get_value("Sync Watermark", {"connection": connection.name}, "last_id") == last.name


def test_a_connection_that_keeps_failing_is_paused_and_comes_back(operator, service, connection):
	connection.db_set("breaker_failures", 3)
	frappe.db.commit()
	world.make_orders(operator.tenant, 8)
	service.interfere = lambda handler: not handler.answer(500, {"message": "down"})
	sync_id = operator.start(mode="full")
	world.CREW.start()
	world.wait_for(lambda: frappe.db.get_value("Sync Connection", connection.name, "status") == "Paused")
	row = frappe.db.get_value(
		"Sync Connection", connection.name, ["paused_reason", "paused_until"], as_dict=True
	)
	assert "500" in row.paused_reason and row.paused_until
	tried = [call for call in service.seen if call[0] == "POST"]
	assert len(tried) == 3, tried
	health = operator.get("health").json()["checks"]["connections"]
	assert health["paused"] == 1
	service.interfere = lambda handler: False
	finish(sync_id)
	assert operator.detail(sync_id)["status"] == "completed"
	assert frappe.db.get_value("Sync Connection", connection.name, "status") == "Ready"
	world.assert_equal_sides(operator.tenant, service)


def test_a_person_ends_a_pause(operator, service, connection):
	"""One record goes first; when that is refused as well, the pause begins again."""
	connection.db_set({"breaker_failures": 2, "max_attempts": 100})
	frappe.db.commit()
	world.make_orders(operator.tenant, 4)
	service.interfere = lambda handler: not handler.answer(500, {"message": "down"})
	sync_id = operator.start(mode="full")
	world.CREW.start()
	paused = lambda: frappe.db.get_value("Sync Connection", connection.name, "status") == "Paused"  # noqa: E731
	world.wait_for(paused)
	frappe.db.set_value("Sync Connection", connection.name, "paused_until", "2999-01-01")
	frappe.db.sql("UPDATE `tabSync Run Record` SET next_attempt_at = NOW(6) WHERE run = %s", (sync_id,))
	frappe.db.commit()
	service.interfere = lambda handler: False
	frappe.call("hisabi_sync.runs.start.resume", connection=connection.name)
	assert world.until_ended(sync_id) == "completed"
	assert not paused()
	world.assert_equal_sides(operator.tenant, service)


def test_secrets_are_in_no_message(operator, service, connection):
	world.make_order(operator.tenant)
	service.interfere = lambda handler: (
		not handler.answer(400, {"message": f"bad credentials {handler.headers['Authorization']}"})
	)
	done = operator.run(mode="full")
	assert done["records"][0]["status"] == "failed"
	tables = ("Sync Run", "Sync Run Record", "Sync Connection", "Sync Identity", "Error Log", "Version")
	for table in tables:
		rows = frappe.db.sql(f"SELECT * FROM `tab{table}`", as_list=True)  # noqa: S608
		assert world.SECRET not in str(rows), table
