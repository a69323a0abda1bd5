"""The table of run records: claiming, settling, counting. Every move goes by the table of `states`.

`next_attempt_at` is set for records that wait for a worker, and only for those.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.runs import states

DOCTYPE = "Sync Run Record"
CHUNK = 25  # records that a worker claims at once
KEYS = 5000  # that are looked up in one statement
INSERTED = [
	*STANDARD,
	"run",
	"connection",
	"space",
	"entity",
	"entity_id",
	"entity_key",
	"status",
	"document_type",
	"document_name",
	"remote_id",
	"stamp",
	"payload",
]
READ = (
	"name run connection entity entity_id document_type document_name remote_id stamp payload attempts operation keep"
).split()


def add(run: Document, rows: Iterable[dict[str, Any]]) -> int:
	"""Insert pending records `{entity_id, stamp?, document_name?, remote_id?, payload?}` that the run does not have yet.

	A record that changed while the list was read appears twice; its latest state is kept. Returns how many were new.
	"""
	keyed = {ids.digest(row["entity_id"], size=16): row for row in sorted(rows, key=_stamp)}
	existing = _known(run.name, list(keyed))
	new = [_row(run, key, row) for key, row in keyed.items() if key not in existing]
	if new:
		sql.insert(DOCTYPE, INSERTED, new)
	for key, (name, stamp) in existing.items():
		if _stamp(keyed[key]) > (stamp or ""):
			newer = {"stamp": _stamp(keyed[key]), "payload": keyed[key].get("payload")}
			sql.update_in(DOCTYPE, newer, [name], "status = %s", (states.PENDING,))
	return len(new)


def _stamp(row: Mapping[str, Any]) -> str:
	return row.get("stamp") or ""


def _known(run: str, keys: list[str]) -> dict[str, tuple[str, str | None]]:
	"""{key: (name, stamp)} of the run's records, some thousand keys at a time."""
	existing = {}
	for start in range(0, len(keys), KEYS):
		chunk = keys[start : start + KEYS]
		found = sql.select_in(
			DOCTYPE, ["entity_key", "name", "stamp"], "entity_key", chunk, "run = %s", (run,)
		)
		existing.update({key: (name, stamp) for key, name, stamp in found})
	return existing


def _row(run: Document, key: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
	now = clock.now()
	standard = (ids.new(), now, now, run.user, run.user)
	own = (run.name, run.connection, run.space, run.entity, row["entity_id"], key, states.PENDING)
	more = ("document_name", "remote_id", "stamp", "payload")
	return (*standard, *own, row.get("document_type"), *(row.get(name) for name in more))


def open_all(run: str) -> None:
	"""The run's pending records wait for a worker from now on."""
	frappe.db.sql(
		f"UPDATE `tab{DOCTYPE}` SET next_attempt_at = %s WHERE run = %s AND status = %s",  # noqa: S608
		(clock.now(), run, states.PENDING),
	)


def claim(connection: str, token: str, limit: int = CHUNK) -> list[frappe._dict]:
	"""Take up to `limit` records that are due; rows of READ as dicts, in the order in which they are due."""
	frappe.db.sql(
		f"""UPDATE `tab{DOCTYPE}` SET status = %s, claim = %s, attempts = attempts + 1, next_attempt_at = NULL
		WHERE connection = %s AND next_attempt_at <= %s AND status IN %s ORDER BY next_attempt_at, name LIMIT {int(limit)}""",  # noqa: S608
		(states.PROCESSING, token, connection, clock.now(), states.sources(states.RECORD, states.PROCESSING)),
	)
	where = "claim = %s AND status = %s"
	rows = sql.select(DOCTYPE, READ, where, (token, states.PROCESSING), "ORDER BY name")
	return [frappe._dict(zip(READ, row, strict=True)) for row in rows]


def seconds_until_due(connection: str) -> float | None:
	"""Seconds until the next record of the connection is due, 0 when one is, None when none waits."""
	rows = frappe.db.sql(
		f"SELECT MIN(next_attempt_at) FROM `tab{DOCTYPE}` WHERE connection = %s AND next_attempt_at IS NOT NULL",  # noqa: S608
		(connection,),
	)
	due = rows[0][0]
	return max((due - clock.now()).total_seconds(), 0) if due else None


def move(
	names: Sequence[str], status: str, where: str = "", parameters: Iterable[Any] = (), **values: Any
) -> int:
	"""Bring records into a state, those that may; returns how many."""
	if not names:
		return 0
	values = {"status": status, "next_attempt_at": None, "claim": None, "modified": clock.now(), **values}
	if status in states.SETTLED:
		values.setdefault("completed_at", values["modified"])
	clause = " AND ".join(filter(None, ("status IN %s", where)))
	sql.update_in(DOCTYPE, values, names, clause, (states.sources(states.RECORD, status), *parameters))
	return affected()


def affected() -> int:
	"""Rows that the last statement changed."""
	return frappe.db.sql("SELECT ROW_COUNT()")[0][0]


def give_back(records: Iterable[frappe._dict], attempts: int = -1, seconds: float = 0) -> None:
	"""Claimed records wait again, as if they had not been claimed."""
	due = frappe.utils.add_to_date(clock.now(), seconds=seconds) if seconds else clock.now()
	for record in records:
		values = {"next_attempt_at": due, "attempts": max(record.attempts + attempts, 0)}
		move([record.name], states.PENDING, "status = %s", (states.PROCESSING,), **values)


def counts(runs: Collection[str]) -> dict[str, dict[tuple[str, str], int]]:
	"""{run: {(status, operation): number}}, counted from the records; one statement."""
	found: dict[str, dict[tuple[str, str], int]] = {run: {} for run in runs}
	for run, status, operation, number in _grouped(runs):
		found[run][status, operation or ""] = number
	return found


def _grouped(runs: Collection[str]) -> Sequence[tuple[str, str, str | None, int]]:
	if not runs:
		return ()
	return frappe.db.sql(
		f"""SELECT run, status, operation, COUNT(*) FROM `tab{DOCTYPE}` WHERE run IN %s
		GROUP BY run, status, operation""",  # noqa: S608
		(tuple(runs),),
	)


def by_status(counted: Mapping[tuple[str, str], int]) -> dict[str, int]:
	"""{status: number} of one run's counts."""
	result: dict[str, int] = {}
	for (status, _operation), number in counted.items():
		result[status] = result.get(status, 0) + number
	return result


def waiting(run: str) -> int:
	"""How many failed records of a run are going to be tried again by themselves."""
	where = "run = %s AND status = %s AND next_attempt_at IS NOT NULL"
	return sql.select(DOCTYPE, ["COUNT(*)"], where, (run, states.FAILED))[0][0]


def causes(run: str, limit: int) -> list[frappe._dict]:
	"""`[{error_code, example, records, waiting}]` of a run's failures, those that say the same together."""
	return frappe.db.sql(
		f"""SELECT error_code, error_message AS example, COUNT(*) AS records, COUNT(next_attempt_at) AS waiting
		FROM `tab{DOCTYPE}` WHERE run = %s AND status IN %s GROUP BY error_code, error_message
		ORDER BY records DESC, error_code, error_message LIMIT {int(limit)}""",  # noqa: S608
		(run, tuple(sorted(states.REVIVABLE))),
		as_dict=True,
	)
