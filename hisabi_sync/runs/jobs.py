"""Jobs of runs, and the locks that show whether a worker still has one.

Only this module enqueues them: on the `long` queue, deduplicated by job id. MariaDB gives a lock back when its connection
ends, so a lock ends with its worker, however that happens.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
import redis
from frappe.utils.background_jobs import create_job_id, get_queue

from hisabi_sync.engine.model import ids

QUEUE = "long"
PLAN, WORK = "hisabi_sync.runs.plan.plan", "hisabi_sync.runs.lanes.work"
PREFIX = "hisabi_sync_"


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

	A job's status would not do: it still says "queued" after a worker was killed that had just taken the job.
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
	"""Name of the lock of one worker's share of a connection."""
	return lock_name("lane", connection, lane)


def plan_lock(run: str) -> str:
	"""Name of the lock that is held while a run is planned."""
	return lock_name("plan", run)


def lock_name(*parts: str | int) -> str:
	"""Name of a lock, at most 64 characters; locks are the server's, so the site's database is part of it."""
	return PREFIX + ids.digest(frappe.conf.db_name, *parts, size=16)


def new_lock() -> str:
	"""A name that no other lock has."""
	return PREFIX + secrets.token_hex(16)


def take_lock(lock: str, patience: float = 0) -> bool:
	"""Whether the lock is ours now; `patience` is in seconds."""
	return frappe.db.sql("SELECT GET_LOCK(%s, %s)", (lock, patience))[0][0] == 1


def give_back_lock(lock: str) -> None:
	"""Release a lock that this connection to the database holds."""
	frappe.db.sql("SELECT RELEASE_LOCK(%s)", (lock,))


def is_lock_free(lock: str) -> bool:
	"""Whether no connection to the database holds the lock."""
	return frappe.db.sql("SELECT IS_FREE_LOCK(%s)", (lock,))[0][0] == 1


@contextmanager
def held_lock(lock: str, patience: float = 0) -> Iterator[bool]:
	"""Gives whether the lock could be taken, and gives it back in the end."""
	taken = take_lock(lock, patience)
	try:
		yield taken
	finally:
		if taken:
			give_back_lock(lock)
