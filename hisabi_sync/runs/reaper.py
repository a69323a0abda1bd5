"""Takes up what dead workers, lost jobs and pauses left behind. Runs every minute; safe to run at any time."""

from collections.abc import Sequence

import frappe

from hisabi_sync.engine.database import background
from hisabi_sync.runs import breaker, finish, jobs, outcome, records, states

RUN = "Sync Run"


def run() -> dict[str, int]:
	"""Job of the scheduler. Returns what was done, as numbers."""
	done = {"reclaimed": reclaim(), "planned": _plan_again(), "dispatched": _dispatch()}
	_finish()
	return done


def reclaim() -> int:
	"""Records of workers that died wait again; how many. A worker's locks end with it."""
	rows = frappe.db.sql(
		f"SELECT DISTINCT claim FROM `tab{records.DOCTYPE}` WHERE claim IS NOT NULL AND IS_FREE_LOCK(claim)"  # noqa: S608
	)
	return sum(background.each("reclaim", "claim", [row[0] for row in rows], outcome.worker_died).values())


def _plan_again() -> int:
	return len(background.each("plan", "run", _unplanned(), _plan))


def _unplanned() -> list[str]:
	"""Runs that are not planned, and that no worker is planning or has in its queue."""
	open_runs = frappe.get_all(
		RUN, filters={"status": ["in", [states.QUEUED, states.RUNNING]], "planned": 0}, pluck="name"
	)
	return [
		name for name in open_runs if jobs.is_lock_free(jobs.plan_lock(name)) and not jobs.is_waiting(name)
	]


def _plan(name: str) -> None:
	jobs.plan(name)
	frappe.db.commit()


def _dispatch() -> int:
	"""Connections with records that are due while no lane is at work."""
	runs = dict(_due())
	handed_out = background.each(
		"dispatch", "connection", runs, lambda connection: _give(connection, runs[connection])
	)
	return sum(handed_out.values())


def _give(connection: str, run: str) -> bool:
	"""Whether a worker was asked to go on with a connection."""
	state = breaker.of(connection)
	if state is None:
		outcome.orphaned(connection)
		return False
	if breaker.seconds_paused(state):
		return False
	lanes = range(max(1, state.parallel or 1))
	if any(not jobs.is_lock_free(jobs.lane_lock(connection, lane)) for lane in lanes) or jobs.is_waiting(run):
		return False
	jobs.work(run, connection, state.parallel or 1)
	frappe.db.commit()
	return True


def _due() -> Sequence[tuple[str, str]]:
	"""(connection, run) of one due record for each connection."""
	return frappe.db.sql(
		f"SELECT connection, MAX(run) FROM `tab{records.DOCTYPE}` WHERE next_attempt_at <= %s GROUP BY connection",  # noqa: S608
		(frappe.utils.now_datetime(),),
	)


def _finish() -> None:
	connections = frappe.get_all(
		RUN, filters={"status": states.RUNNING, "planned": 1}, pluck="connection", distinct=True
	)
	background.each("finish", "connection", connections, finish.check_all)
