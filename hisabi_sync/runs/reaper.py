"""What dead workers, lost jobs and pauses left behind is taken up again. Runs every minute; safe at any time."""

import frappe

from hisabi_sync.runs import breaker, finish, jobs, locks, outcome, records, states

RUN = "Sync Run"


def run():
	"""Job of the scheduler. Returns what was done, as numbers."""
	done = {"reclaimed": reclaim(), "planned": _plan_again(), "dispatched": _dispatch()}
	_finish()
	return done


def reclaim():
	"""Records of workers that died wait again; how many. A worker's locks end with it."""
	rows = frappe.db.sql(
		f"SELECT DISTINCT claim FROM `tab{records.DOCTYPE}` WHERE claim IS NOT NULL AND IS_FREE_LOCK(claim)"  # noqa: S608
	)
	return sum(outcome.worker_died(row[0]) for row in rows)


def _plan_again():
	"""Runs whose planning nobody does and nobody is about to do."""
	open_runs = frappe.get_all(
		RUN, filters={"status": ["in", [states.QUEUED, states.RUNNING]], "planned": 0}, pluck="name"
	)
	left = [name for name in open_runs if locks.is_free(jobs.plan_lock(name)) and not jobs.is_waiting(name)]
	for name in left:
		jobs.plan(name)
		frappe.db.commit()
	return len(left)


def _dispatch():
	"""Connections with records that are due while no lane is at work."""
	given = 0
	for connection, run in _due():
		state = breaker.of(connection)
		if state is None:
			outcome.orphaned(connection)
			continue
		if breaker.seconds_paused(state):
			continue
		lanes = range(max(1, state.parallel or 1))
		if any(not locks.is_free(jobs.lane_lock(connection, lane)) for lane in lanes) or jobs.is_waiting(run):
			continue
		jobs.work(run, connection, state.parallel or 1)
		frappe.db.commit()
		given += 1
	return given


def _due():
	"""(connection, run) of one due record for each connection."""
	return frappe.db.sql(
		f"SELECT connection, MAX(run) FROM `tab{records.DOCTYPE}` WHERE next_attempt_at <= %s GROUP BY connection",  # noqa: S608
		(frappe.utils.now_datetime(),),
	)


def _finish():
	for connection in frappe.get_all(
		RUN, filters={"status": states.RUNNING, "planned": 1}, pluck="connection", distinct=True
	):
		finish.check_all(connection)
