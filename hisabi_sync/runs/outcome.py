"""What becomes of a record after an attempt, written in the same transaction as its identity on both sides."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import add_to_date

from hisabi_sync.engine.database import retry, sql
from hisabi_sync.engine.model import clock, strict_json
from hisabi_sync.runs import breaker, finish, identity, mapping, records, states
from hisabi_sync.runs.channel import PULL, PUSH, Channel
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.links import Links

CREATE, UPDATE, NONE, CANCEL, DELETE = "create", "update", "skip", "cancel", "delete"


@dataclass(slots=True)
class Work:
	"""Records of one run and channel, on behalf of the worker that claimed them under `token`.

	`went_well`: something did since the last failure; the connection is written once, not with each record. `links` are those
	of the records; `linked` (direction, ID) has become known, and `waiting` {what for: value} are records that wait.
	"""

	run: Document | frappe._dict
	channel: Channel
	token: str
	went_well: bool = False
	links: Links = field(init=False)
	linked: list[tuple[str, str]] = field(default_factory=list)
	waiting: dict[str, mapping.LinkKey] = field(default_factory=dict)

	def __post_init__(self) -> None:
		self.links = Links(self.channel)

	@property
	def connection(self) -> str:
		"""Name of the connection."""
		return self.channel.connection.name


@dataclass(slots=True)
class Done:
	"""An attempt that ended. `known` is what the identity keeps, `changes` what a rehearsal shows, `note` a sentence for people."""

	operation: str
	status: str = states.COMPLETED
	known: dict | None = None
	changes: list | None = None
	code: str | None = None
	note: str | None = None


class Lost(Exception):
	"""The record is another worker's by now."""


def save(
	work: Work,
	record: frappe._dict,
	row: frappe._dict | None,
	done: Done,
	extra: Callable[[], dict[str, Any] | None] | None = None,
) -> None:
	"""Write an outcome, with `extra()` before it in the same transaction; the identity is let go."""

	def transaction() -> None:
		known = {**(done.known or {}), **((extra() or {}) if extra else {})}
		if known and row is not None:
			identity.link(row, **known)
			_note_linked(work, record, known)
		elif row is not None:
			identity.let_go([row])
		_write(work, record, done.status, **_values(done, known))
		frappe.db.commit()

	retry.run(transaction)
	work.went_well = True


def _note_linked(work: Work, record: frappe._dict, known: Mapping[str, Any]) -> None:
	if known.get("state") == identity.GONE:
		return
	document, remote = known.get("document_name", record.document_name), known.get("remote_id")
	work.linked += [(way, name) for way, name in ((PUSH, document), (PULL, remote)) if name]


def _values(done: Done, known: Mapping[str, Any]) -> dict[str, Any]:
	values = {"operation": done.operation, "error_code": done.code, "error_message": done.note}
	if done.changes is not None:
		values["changes"] = strict_json.kept(done.changes)
	return {**values, **{name: known[name] for name in ("remote_id", "document_name") if name in known}}


def _write(work: Work, record: frappe._dict, status: str, **values: Any) -> None:
	claimed = "status = %s AND claim = %s"
	if not records.move([record.name], status, claimed, (states.PROCESSING, work.token), **values):
		raise Lost


def failed(work: Work, record: frappe._dict, row: frappe._dict | None, error: RemoteError) -> None:
	"""Write a failure: wait and try again, give up until a person helps, or dead when every attempt failed."""

	tell_success(work)

	def transaction() -> None:
		_note(work.connection, error)
		if row is not None:
			identity.let_go([row])
		status, values = verdict(record, error, work.channel.connection.max_attempts or 1)
		if error.changes is not None:
			values["changes"] = strict_json.kept(error.changes)
		_write(work, record, status, waits_for=error.waits_for, **values)
		frappe.db.commit()

	retry.run(transaction)
	if error.waits_for and error.key:
		work.waiting[error.waits_for] = error.key


def verdict(record: frappe._dict, error: RemoteError, most: int) -> tuple[str, dict[str, Any]]:
	"""(status, columns) after a failure."""
	said = {"error_code": error.code, "error_message": error.message}
	if error.code == "remote_busy":
		# Being asked to wait is no attempt.
		return states.PENDING, {
			**said,
			"attempts": record.attempts - 1,
			"next_attempt_at": _in(error.wait or 1),
		}
	if not error.retryable:
		return states.FAILED, said
	if record.attempts >= most:
		return states.DEAD, said
	seconds = max(breaker.backoff(record.attempts, random.random()), error.wait or 0)
	return states.FAILED, {**said, "next_attempt_at": _in(seconds)}


def _in(seconds: float) -> datetime:
	return add_to_date(clock.now(), seconds=seconds)


def _note(connection: str, error: RemoteError) -> None:
	if error.code == "remote_busy":
		breaker.hold(connection, error)
	elif error.is_ill:
		breaker.note_failure(connection, error)


def all_failed(connection: str, members: Iterable[frappe._dict], error: RemoteError) -> None:
	"""The connection itself stands in the way of these records."""

	def transaction() -> None:
		_note(connection, error)
		most = frappe.db.get_value("Sync Connection", connection, "max_attempts") or 1
		for record in members:
			status, values = verdict(record, error, most)
			records.move([record.name], status, "status = %s", (states.PROCESSING,), **values)
		frappe.db.commit()

	retry.run(transaction)


def orphaned(connection: str) -> None:
	"""Skip what waits for a connection that is gone, and end its runs."""

	def transaction() -> None:
		where = "connection = %s AND next_attempt_at IS NOT NULL"
		names = [row[0] for row in sql.select(records.DOCTYPE, ["name"], where, (connection,))]
		error = RemoteError("connection_changed")
		said = {"error_code": error.code, "error_message": error.message}
		records.move(names, states.SKIPPED, where, (connection,), **said)
		frappe.db.commit()

	retry.run(transaction)
	finish.check_all(connection)


def worker_died(claim: str) -> int:
	"""Records of a worker that has died: tried again, and dead when that happened too often. Returns how many."""

	def transaction() -> Sequence[tuple[str, int, str, str]]:
		where = "claim = %s AND status = %s"
		rows = sql.select(
			records.DOCTYPE, ["name", "attempts", "connection", "run"], where, (claim, states.PROCESSING)
		)
		for name, attempts, connection, _run in rows:
			most = frappe.get_cached_value("Sync Connection", connection, "max_attempts") or 1
			record = frappe._dict(name=name, attempts=attempts)
			status, values = verdict(record, RemoteError("worker_died"), most)
			if status == states.FAILED:
				status, values = states.PENDING, {**values, "next_attempt_at": clock.now()}
			records.move([name], status, where, (claim, states.PROCESSING), **values)
		frappe.db.commit()
		return rows

	rows = retry.run(transaction)
	finish.count_again({row[3] for row in rows})
	return len(rows)


def tell_success(work: Work) -> None:
	"""What went well ends a row of failures."""
	if not work.went_well:
		return
	work.went_well = False

	def transaction() -> None:
		breaker.note_success(work.connection)
		frappe.db.commit()

	retry.run(transaction)


def paused(work: Work) -> bool:
	"""Whether the connection was paused while a chunk is worked on."""
	state = breaker.of(work.connection)
	return state is None or bool(breaker.seconds_paused(state))
