"""What of runs is put off to workers; the one place that enqueues it. The `long` queue, deduplicated by job id."""

import frappe
import redis
from frappe.utils.background_jobs import get_job_status, get_queue

from hisabi_sync.runs import locks

QUEUE = "long"
PLAN, WORK = "hisabi_sync.runs.plan.plan", "hisabi_sync.runs.lanes.work"


def plan(run):
	"""After the commit: find out which records the run is about, then work on them."""
	_enqueue(PLAN, f"hisabi_sync_plan_{run}_{_next(run)}", run=run)


def work(run, connection, parallel):
	"""After the commit: as many jobs as the connection may have at once; one that finds no free lane ends at once."""
	dispatch = _next(run)
	for lane in range(max(1, parallel)):
		_enqueue(WORK, f"hisabi_sync_lane_{run}_{dispatch}_{lane}", connection=connection)


def _next(run):
	"""A number for each time that work is given out: the id of a dead worker's job never stands in the way."""
	frappe.db.sql("UPDATE `tabSync Run` SET dispatches = dispatches + 1 WHERE name = %s", (run,))
	return frappe.db.get_value("Sync Run", run, "dispatches")


def _enqueue(method, job_id, **arguments):
	"""Without Redis nothing is enqueued; the reaper does so when it is back."""
	options = {"queue": QUEUE, "job_id": job_id, "deduplicate": True, "enqueue_after_commit": True}
	try:
		frappe.enqueue(method, **options, **arguments)
	except redis.exceptions.ConnectionError:
		frappe.logger("hisabi_sync").warning(f"Redis is away; {job_id} waits for the reaper")


def is_waiting(run):
	"""Whether a job of the run's last dispatch is in the queue and was not begun."""
	dispatch = frappe.db.get_value("Sync Run", run, "dispatches")
	names = (f"hisabi_sync_plan_{run}_{dispatch}", f"hisabi_sync_lane_{run}_{dispatch}_0")
	try:
		return any(get_job_status(name) == "queued" for name in names)
	except redis.exceptions.ConnectionError:
		return False


def others_wait():
	"""Whether jobs wait in the long queue."""
	try:
		return get_queue(QUEUE).count > 0
	except redis.exceptions.ConnectionError:
		return False


def lane_lock(connection, lane):
	return locks.name("lane", connection, lane)


def plan_lock(run):
	return locks.name("plan", run)
