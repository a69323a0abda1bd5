"""Working on records: a lane of a connection takes what is due, chunk by chunk, whichever runs it belongs to.

A connection has as many lanes as it allows jobs at once. A lane, and what its worker has claimed, ends with the worker.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.database import retry
from hisabi_sync.runs import breaker, channel, finish, jobs, outcome, plan, pull, push, reaper, records
from hisabi_sync.runs.errors import RemoteError

# Seconds; far below the time-out of a job on the long queue.
LONGEST_JOB = 600
LONGEST_NAP = 20
# A worker sleeps this long at a time, and then lets another job go first.
NAP = 1
# Long enough for a lane that found nothing a moment ago to end.
PATIENCE = 3
WORKS = {channel.PUSH: push.process, channel.PULL: pull.process}
RUN, EVENT = "Sync Run", "sync_run_progress"
TELLING_PAUSE = 1.0  # seconds between two messages of a worker about the same run
_last_told: dict[str, float] = {}


def work(connection: str) -> None:
	"""Job: work on a connection's records until none is due."""
	reaper.reclaim()
	state = breaker.of(connection)
	if state is None:
		return outcome.orphaned(connection)
	with _lane(connection, state.parallel) as token:
		if token:
			Lane(connection, token).run()


@contextmanager
def _lane(connection: str, parallel: int | None) -> Iterator[str | None]:
	"""The name under which this worker claims records, or None when all lanes are taken."""
	places = [jobs.lane_lock(connection, number) for number in range(max(1, parallel or 1))]
	taken = next((lock for lock in places if jobs.take_lock(lock)), None)
	taken = taken or (places[-1] if jobs.take_lock(places[-1], PATIENCE) else None)
	if not taken:
		yield None
		return
	with _own_token() as token:
		try:
			yield token
		finally:
			jobs.give_back_lock(taken)


@contextmanager
def _own_token() -> Iterator[str]:
	token = jobs.new_lock()
	with jobs.held_lock(token):
		yield token


class Lane:
	"""One worker's share of a connection, for at most LONGEST_JOB seconds."""

	def __init__(self, connection: str, token: str) -> None:
		self.connection, self.token = connection, token
		self.runs: dict[str, Document] = {}
		self.seen: set[str] = set()
		self.deadline = time.monotonic() + LONGEST_JOB
		self.yields = False

	def run(self) -> None:
		"""Work on records until the time is over or none is left, then count and hand on."""
		with channel.Channels(self.connection) as channels:
			while time.monotonic() < self.deadline:
				if not (self._chunk(channels) or self._rest()):
					break
		finish.check_all(self.connection)
		finish.count_again(self.seen)
		self._hand_on()

	def _chunk(self, channels: channel.Channels) -> bool:
		"""Work on some records; whether there were any."""
		state = breaker.of(self.connection)
		if state is None or breaker.seconds_paused(state):
			return False
		if state.status == breaker.PAUSED:
			breaker.reopen(self.connection)
		channels.renew(state.modified)
		limit = 1 if breaker.is_trying(state) else records.CHUNK
		claimed = retry.committed(lambda: records.claim(self.connection, self.token, limit))
		groups: dict[tuple[str, str], list[frappe._dict]] = {}
		for record in claimed:
			groups.setdefault((record.run, record.entity), []).append(record)
		for (run, entity), members in groups.items():
			self._group(channels, run, entity, members)
		return bool(claimed)

	def _group(self, channels: channel.Channels, name: str, entity: str, members: list[frappe._dict]) -> None:
		self.seen.add(name)
		if finish.drop_cancelled(name, members, self.token):
			return
		run = self.runs.get(name) or self.runs.setdefault(name, plan.load(name))
		frappe.set_user(run.user)
		try:
			chosen = channels.for_run(run, entity)
			WORKS[chosen.direction](outcome.Work(run, chosen, self.token), members)
		except RemoteError as error:
			outcome.all_failed(self.connection, members, error)
		except Exception as error:
			frappe.db.rollback()
			if plan.is_passing(error):
				raise  # the reaper gives the records to another worker
			frappe.log_error("Hisabi Sync: records failed", frappe.get_traceback())
			outcome.all_failed(self.connection, members, RemoteError("internal_error"))
		tell_progress(name)

	def _rest(self) -> bool:
		"""Wait for what is due soon; whether it is worth staying."""
		finish.check_all(self.connection)
		frappe.db.rollback()
		state = breaker.of(self.connection)
		due = records.seconds_until_due(self.connection)
		if state is None or due is None:
			return False
		nap = max(due, breaker.seconds_paused(state))
		frappe.db.rollback()
		if nap > LONGEST_NAP:
			return False
		time.sleep(min(max(nap, 0.05), NAP))
		self.yields = nap > NAP and jobs.others_wait()
		return not self.yields

	def _hand_on(self) -> None:
		"""A job that has become old, or lets others go first, leaves the rest to a fresh one."""
		if not self.runs or not (self.yields or time.monotonic() >= self.deadline):
			return
		if records.seconds_until_due(self.connection) is not None:
			state = breaker.of(self.connection)
			jobs.work(next(reversed(self.runs)), self.connection, (state and state.parallel) or 1)
			frappe.db.commit()


def tell_progress(run: str) -> None:
	"""Publish `{run, counts}` to people who have the run open, at most once a second."""
	now = time.monotonic()
	if now - _last_told.get(run, 0) < TELLING_PAUSE:
		return
	_last_told.clear()
	_last_told[run] = now
	counts = records.by_status(records.counts([run])[run])
	frappe.publish_realtime(EVENT, {"run": run, "counts": counts}, doctype=RUN, docname=run)
