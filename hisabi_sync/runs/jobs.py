"""What of runs is put off to workers; the one place that enqueues it. The `long` queue, deduplicated by job id."""

from typing import Any

import frappe
import redis
from frappe.utils.background_jobs import create_job_id, get_queue

from hisabi_sync.runs import locks

QUEUE = "long"
PLAN, WORK = "hisabi_sync.runs.plan.plan", "hisabi_sync.runs.lanes.work"


def plan(run: str) -> None:
	"""After the commit: find out which records the run is about, then work on them."""
	_enqueue(PLAN, f"hisabi_sync_plan_{run}_{_next(run)}", run=run)


def work(run: str, connection: str, parallel: int) -> None:
	"""After the commit: as many jobs as the connection may have at once; one that finds no free lane ends at once."""
	dispatch = _next(run)
	for lane in range(max(1, parallel)):
		_enqueue(WORK, f"hisabi_sync_lane_{run}_{dispatch}_{lane}", connection=connection)


def _next(run: str) -> int:
	"""A number for each time that work is given out: the id of a dead worker's job never stands in the way."""
	frappe.db.sql("UPDATE `tabSync Run` SET dispatches = dispatches + 1 WHERE name = %s", (run,))
	return frappe.db.get_value("Sync Run", run, "dispatches")


def _enqueue(method: str, job_id: str, **arguments: Any) -> None:
	"""Without Redis nothing is enqueued; the reaper does so when it is back."""
	options = {"queue": QUEUE, "job_id": job_id, "deduplicate": True, "enqueue_after_commit": True}
	try:
		frappe.enqueue(method, **options, **arguments)
	except redis.exceptions.ConnectionError:
		frappe.logger("hisabi_sync").warning(f"Redis is away; {job_id} waits for the reaper")


def is_waiting(run: str) -> bool:
	"""Whether a job of the run's last dispatch is in the queue.

	Its status says so as well after a worker was killed that had just taken it out.
	"""
	dispatch = frappe.db.get_value("Sync Run", run, "dispatches")
	names = (f"hisabi_sync_plan_{run}_{dispatch}", f"hisabi_sync_lane_{run}_{dispatch}_0")
	try:
		queue = get_queue(QUEUE)
		return any(queue.get_job_position(create_job_id(name)) is not None for name in names)
	except redis.exceptions.ConnectionError:
		return False


def others_wait() -> bool:
	"""Whether jobs wait in the long queue."""
	try:
		return get_queue(QUEUE).count > 0
	except redis.exceptions.ConnectionError:
		return False


def lane_lock(connection: str, lane: int) -> str:
	return locks.name("lane", connection, lane)


def plan_lock(run: str) -> str:
	return locks.name("plan", run)
