"""Workers killed by signal in the middle of runs: nothing is lost, nothing is done twice, every record has a state."""

import random
import threading
import time

import frappe

from hisabi_sync.runs import candidates, lanes, plan, reaper, records
from tests.runs import world
from tests.support.options import scale

EVERY = 8  # of so many writes one is answered by a kill


def test_workers_killed_in_the_middle(operator, service, connection):
	connection.db_set({"parallel": 2, "max_attempts": 100, "breaker_failures": 0})
	frappe.db.commit()
	# Without memory for idempotency keys, only our own look-up stands between a lost answer and a second record.
	service.store.keys = Forgetful()
	number = 40 * scale()
	world.make_orders(operator.tenant, number)
	service.interfere = deadly = Deadly()
	sync_id = operator.start(mode="full")
	while world.state(sync_id) in ("queued", "running"):
		with deadly.lock:
			world.CREW.start(2)
		frappe.db.rollback()
		reaper.run()
		time.sleep(0.2)
	assert deadly.kills >= number // EVERY
	done = operator.detail(sync_id)
	assert done["status"] == "completed", done
	assert (done["total_records"], done["records_completed"], done["records_pending"]) == (number, number, 0)
	assert world.states_of(sync_id) == {"completed": number}
	world.assert_equal_sides(operator.tenant, service)


class Deadly:
	"""The other side that has both workers killed while it takes in every eighth record; `kills` are those that met a job."""

	def __init__(self):
		self.lock, self.writes, self.kills = threading.Lock(), 0, 0

	def __call__(self, handler):
		time.sleep(random.random() / 20)
		if handler.command == "POST":
			with self.lock:
				self.writes += 1
				if self.writes % EVERY == 0:
					self.kills += world.CREW.kill() > 0
		return False


def written(service):
	return sum(call[0] == "POST" for call in service.seen)


class Forgetful(dict):
	def __setitem__(self, key, value):
		pass


def test_a_planner_killed_in_the_middle_goes_on(operator, service, connection, monkeypatch):
	"""The job that was to plan is gone without a trace; the reaper has it planned once more."""
	world.make_orders(operator.tenant, 3)
	world.CREW.stop()
	sync_id = operator.start(mode="full")
	from frappe.utils.background_jobs import get_queue

	get_queue("long").empty()
	frappe.db.rollback()
	assert reaper.run()["planned"] >= 1
	assert world.until_ended(sync_id) == "completed"
	world.assert_equal_sides(operator.tenant, service)


def test_a_worker_killed_as_it_takes_a_job_leaves_it_to_another(operator, service, connection):
	"""The job is in no queue any more and still says that it is queued; so it does for as long as Redis keeps it."""
	world.make_orders(operator.tenant, 3)
	world.CREW.stop()
	sync_id = operator.start(mode="full")
	from frappe.utils.background_jobs import get_queue

	queue = get_queue("long")
	while queue.lmove(queue.connection, queue.key, None):
		pass
	frappe.db.rollback()
	assert reaper.run()["planned"] >= 1
	assert reaper.run()["planned"] == 0, "what waits is not given out once more"
	assert world.until_ended(sync_id) == "completed"
	world.assert_equal_sides(operator.tenant, service)


def test_two_runs_of_the_same_records_at_once(operator, service, connection):
	connection.db_set("parallel", 2)
	frappe.db.commit()
	world.make_orders(operator.tenant, 12)
	service.interfere = lambda handler: time.sleep(0.05)
	runs = [operator.start(mode="full") for _ in range(3)]
	for sync_id in runs:
		assert world.until_ended(sync_id, workers=2) == "completed"
	world.assert_equal_sides(operator.tenant, service)


def test_cancel_in_the_middle(operator, service, connection):
	world.make_orders(operator.tenant, 40)
	service.interfere = lambda handler: time.sleep(0.1)
	sync_id = operator.start(mode="full")
	world.CREW.start()
	world.wait_for(lambda: written(service) > 3)
	answer = operator.post(f"cancel/{sync_id}")
	assert answer.status_code == 200 and answer.json()["status"] == "cancelled", answer.text
	assert operator.post(f"cancel/{sync_id}").status_code == 409
	world.wait_for(lambda: not {"pending", "processing"} & set(world.states_of(sync_id)))
	done = operator.detail(sync_id)
	assert done["status"] == "cancelled" and done["records_skipped"] > 0
	assert done["records_completed"] + done["records_skipped"] == 40
	service.interfere = lambda handler: False
	assert operator.run(mode="incremental")["status"] == "completed"
	world.assert_equal_sides(operator.tenant, service)


def test_cancel_while_it_is_planned(operator, service, connection, monkeypatch):
	"""Nothing of a run that was cancelled between two pages is worked on."""
	world.make_orders(operator.tenant, 4)
	world.CREW.stop()
	sync_id = operator.start(mode="full")
	monkeypatch.setattr(candidates, "PAGE", 2)
	plain, pages = candidates.page, []

	def page(*arguments, **options):
		if pages:
			assert operator.post(f"cancel/{sync_id}").status_code == 200
		pages.append(1)
		return plain(*arguments, limit=2)

	monkeypatch.setattr(candidates, "page", page)
	work_off(sync_id, connection)
	assert world.state(sync_id) == "cancelled"
	assert set(world.states_of(sync_id)) == {"skipped"}
	assert written(service) == 0


def test_what_a_cancelled_run_left_out_comes_with_the_next_one(operator, service, connection, monkeypatch):
	"""A retry of the one that failed ends the run; nobody has sent the ones that the cancellation skipped."""
	connection.db_set("overlap_seconds", 0)
	frappe.db.commit()
	world.make_orders(operator.tenant, 3)
	world.CREW.stop()
	sync_id = operator.start(mode="full")
	monkeypatch.setattr(records, "CHUNK", 1)
	service.interfere = lambda handler: (
		handler.command == "POST"
		and operator.post(f"cancel/{sync_id}").status_code == 200
		and not handler.answer(422, {"message": "no"})
	)
	work_off(sync_id, connection)
	assert world.states_of(sync_id) == {"failed": 1, "skipped": 2}
	service.interfere = lambda handler: False
	assert operator.post("retry").json()["records_queued"] == 1
	work_off(sync_id, connection)
	assert world.state(sync_id) == "completed"
	assert operator.run(mode="incremental")["status"] == "completed"
	world.assert_equal_sides(operator.tenant, service)


def work_off(sync_id, connection):
	"""What workers would do, here."""
	plan.plan(sync_id)
	lanes.work(connection.name)
	frappe.set_user("Administrator")
