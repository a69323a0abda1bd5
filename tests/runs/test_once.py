"""One record stays one: keys, retries, renamed documents, workers that die, ids that come twice."""

import threading

import frappe
import pytest

from hisabi_sync.runs import channel, identity, lanes, plan, reaper
from tests.runs import world
from tests.runs.test_truth import refuses

pytestmark = pytest.mark.usefixtures("alone")


def at_once(number, function):
	"""What several threads get that begin at the same time."""
	found, gate = [], threading.Barrier(number)

	def one():
		gate.wait()
		found.append(function())

	threads = [threading.Thread(target=one) for _ in range(number)]
	[thread.start() for thread in threads]
	[thread.join() for thread in threads]
	return found


def test_one_key_makes_one_run_and_one_token_too(operator, connection):
	world.make_orders(operator.tenant, 2)
	body = {"mode": "full", "idempotency_key": "once"}
	answers = at_once(6, lambda: operator.post("orders", body))
	assert sorted(a.status_code for a in answers) == [202, *[409] * 5]
	assert len({a.json()["sync_id"] for a in answers}) == 1
	token = operator.post("orders/preview", {"mode": "full"}).json()["confirm"]
	answers = at_once(6, lambda: operator.post("orders", {"mode": "full", "confirm": token}))
	assert sorted(a.status_code for a in answers).count(202) == 1, [a.text for a in answers]


def test_one_retry_of_several_counts(operator, service, connection):
	world.make_order(operator.tenant, note="bad")
	service.interfere = refuses(b'"bad"')
	done = world.work(operator, world.begin(operator, "orders"), connection)
	record = done["records"][0]["id"]
	answers = at_once(6, lambda: operator.post(f"failures/{record}/retry"))
	assert sorted(a.status_code for a in answers) == [202, *[400] * 5], [a.text for a in answers]
	assert operator.detail(done["sync_id"])["records"][0]["retry_count"] == 1


def test_a_renamed_document_stays_one_record(operator, service, connection):
	"""And one that takes the old name is another."""
	order = world.make_order(operator.tenant, note="first")
	old = order.name
	world.work(operator, world.begin(operator, "orders"), connection)
	frappe.rename_doc("Hisabi Order", old, f"{old}-renamed", force=True)
	frappe.db.commit()
	done = world.work(operator, world.begin(operator, "orders"), connection)
	assert (done["records_created"], done["records_updated"]) == (0, 1)
	other = world.make_order(operator.tenant, note="second")
	frappe.rename_doc("Hisabi Order", other.name, old, force=True)
	frappe.db.commit()
	for created, updated in ((1, 1), (0, 2)):
		done = world.work(operator, world.begin(operator, "orders"), connection)
		assert (done["records_created"], done["records_updated"]) == (created, updated), done
	assert sorted(row["note"] for row in service.store.list("orders")) == ["first", "second"]


def test_what_another_worker_began_meanwhile_is_looked_for(operator, connection, monkeypatch):
	"""It made the row after our look, sent the record, and died before it could say so."""
	order = world.make_order(operator.tenant)
	record = frappe._dict(name="r", entity_id=order.name, document_name=order.name, remote_id=None)
	with channel.Channels(connection.name) as channels:
		chosen = channels.of("orders")
		plain, looks = identity._rows, []

		def rows(*arguments):
			looks.append(arguments)
			if len(looks) == 1:
				identity._insert(chosen, "a dead worker", [(record, arguments[0][0])])
				return []
			return plain(*arguments)

		monkeypatch.setattr(identity, "_names", lambda channel, records: {"r": "some-identity"})
		monkeypatch.setattr(identity, "_rows", rows)
		row = identity.claim(chosen, "our worker", [record])["r"]
	assert row.began and row.state == identity.CREATING
	frappe.db.rollback()


def test_what_a_dead_worker_held_of_a_removed_connection_comes_to_an_end(operator, connection):
	world.make_order(operator.tenant)
	sync_id = world.begin(operator, "orders")
	plan.plan(sync_id)
	frappe.set_user("Administrator")
	lanes.records.claim(connection.name, "a claim of nobody")
	frappe.db.commit()
	frappe.delete_doc("Sync Connection", connection.name)
	frappe.db.commit()
	reaper.run()
	assert (world.states_of(sync_id), world.state(sync_id)) == ({"dead": 1}, "cancelled")
	assert operator.get("history").json()["days"][0]["records_failed"] == 1
	assert operator.post("retry").json()["records_queued"] == 1
	frappe.db.rollback()
	reaper.run()
	assert (world.states_of(sync_id), world.state(sync_id)) == ({"skipped": 1}, "completed")


def test_an_operator_asks_for_one_id_twice(operator, service, source):
	row = world.product()
	service.interfere = lambda handler: (
		handler.command == "GET" and (handler.answer(200, {"data": row}) or True)
	)
	done = world.work(operator, world.begin(operator, "products", ids=[row["id"]] * 3), source)
	assert (done["status"], done["total_records"], done["records_created"]) == ("completed", 1, 1)


def test_a_year_of_waiting_is_an_hour(operator, service, connection):
	world.make_order(operator.tenant)
	service.interfere = lambda handler: (
		handler.answer(429, {"message": "wait"}, Retry_After=str(365 * 86400)) or True
	)
	sync_id = world.begin(operator, "orders")
	world.work(operator, sync_id, connection)
	until = frappe.db.get_value("Sync Connection", connection.name, "paused_until")
	assert 3500 < (until - frappe.utils.now_datetime()).total_seconds() < 4000
	(record,) = operator.detail(sync_id)["records"]
	assert (record["status"], record["attempts"]) == ("pending", 0)


def test_a_full_run_sends_every_order_once(operator, service, connection):
	world.make_orders(operator.tenant, 3)
	done = operator.run(mode="full")
	assert done["status"] == "completed", done
	assert (done["total_records"], done["records_created"], done["records_failed"]) == (3, 3, 0)
	world.assert_equal_sides(operator.tenant, service)
