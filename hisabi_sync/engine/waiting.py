"""Documents whose records are brought in line by a job: the queue that a transaction leaves them in, and the job.

A row is written in the transaction of the change and removed in the transaction that has done its work. So nothing is lost
when a worker dies: the scheduler looks for rows every minute.
"""

import time
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import frappe

from hisabi_sync.engine import comparing
from hisabi_sync.engine.database import background, retry, sql, transaction
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import clock, ids, versions
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.store import digests, path_queries, write

TABLE = "Sync Waiting"
CHUNK = 500
APART = 1  # seconds between two looks of a process at whether the job is there
_begun: dict[tuple[str, str], float] = {}  # {(site, entity type): when}
JOB = "waiting"
LEFT = "hisabi_sync_left_to_a_job"


class Row(NamedTuple):
	"""One document; or with `through`, a DocType, all documents that hang on its document of that name."""

	name: str
	through: str | None
	document_name: str


def add(rows: Collection[tuple[str, str, str]]) -> None:
	"""Leave `(entity type, DocType or "", document name)` to a job, which begins after the commit."""
	now = clock.now()
	columns = ("name", "creation", "entity_type", "through", "document_name")
	sql.insert(TABLE, columns, [(ids.new(), now, *row) for row in rows])
	for entity_type in sorted({row[0] for row in rows}):
		_begin(entity_type)


def _begin(entity_type: str) -> None:
	"""Begin the job, unless this process has done so a moment ago: a writer may commit hundreds of times a second."""
	now, key = time.monotonic(), (frappe.local.site, entity_type)
	if now - _begun.get(key, -APART) >= APART:
		_begun[key] = now
		background.enqueue_waiting(entity_type)


def leave(entity_type: str, name: str) -> None:
	"""Leave a saved document of a type that is numbered by a job; one row for each, written just before the commit."""
	left = transaction.state(LEFT)
	if left is None:
		left = transaction.keep(LEFT, _write_left)
	left.setdefault("rows", {})[entity_type, "", name] = True


def _write_left(left: transaction.State) -> None:
	add(list(left.get("rows", ())))


def number_first(copies: Iterable[Stored], registry: Registry, caller: Caller) -> None:
	"""Number what waits for records that a push is going to judge: they are judged by their values as they are now.

	Documents and records are locked, so that their digests tell, whatever the queue holds; the job finds nothing to do.
	"""
	now, behind = clock.now(), []
	for stored in copies:
		entity = registry.by_name[stored.entity_type]
		if (
			entity.by_job
			and stored.live
			and (names := digests.differing(stored.digest, stored.values, entity))
		):
			versions.touch_unknown(stored, entity, now, names)
			behind.append(stored)
	if behind:
		write.write_records(behind, registry, Caller.of_system(caller.user, caller.space), now)


def resume() -> None:
	"""Scheduled job: begin the jobs of all entity types that something waits for. Rows of those that are gone are removed."""
	registry = entity_types.registry()
	for (entity_type,) in frappe.db.sql(f"SELECT DISTINCT entity_type FROM `tab{TABLE}`"):  # noqa: S608
		if entity_type in registry.by_name:
			background.enqueue_waiting(entity_type)
		elif entity_type not in registry.broken:
			frappe.db.delete(TABLE, {"entity_type": entity_type})


def work(entity_type: str) -> int:
	"""Job: do what waits for an entity type, the oldest first; returns how many rows are done. Chunks are transactions."""
	failed: dict[str, str] = {}
	done = 0
	while entity_type in entity_types.registry().by_name and (rows := _next(entity_type)):
		_do(entity_type, rows, failed)
		done += len(rows)
	background.remember_failures(f"{JOB} {entity_type}", failed)
	return done


def _next(entity_type: str) -> list[Row]:
	"""The next documents, or the next single row that stands for many."""
	frappe.db.rollback()
	columns, tail = ("name", "through", "document_name"), f"ORDER BY name LIMIT {CHUNK}"
	rows = [Row(*row) for row in sql.select(TABLE, columns, "entity_type = %s", (entity_type,), tail)]
	many = next((place for place, row in enumerate(rows) if row.through), len(rows))
	return rows[:many] or rows[:1]


def _do(entity_type: str, rows: list[Row], failed: dict[str, str]) -> None:
	"""Do some rows. If that fails they are halved; the one that fails alone is left to the daily comparison."""
	try:
		retry.run(lambda: _committed(entity_type, rows))
	except Exception as error:
		background.must_go_on(error)
		if isinstance(error, RequestError):
			raise  # it was tried often enough for now: the scheduler begins again
		if len(rows) > 1:
			middle = len(rows) // 2
			_do(entity_type, rows[:middle], failed)
			_do(entity_type, rows[middle:], failed)
			return
		unit = f"{entity_type} {rows[0].document_name}"
		failed[unit] = background.caught(JOB, "document", unit, error)
		_remove(rows)
		frappe.db.commit()


def _committed(entity_type: str, rows: list[Row]) -> None:
	entity = entity_types.registry().by_name.get(entity_type)
	if entity and rows[0].through:
		_spread(entity, rows[0])
	elif entity:
		comparing.compare(entity, sorted({row.document_name for row in rows}))
	if entity:
		_remove(rows)
	frappe.db.commit()


def _spread(entity: EntityType, row: Row) -> None:
	"""Put the documents that hang on one in its place."""
	names = path_queries.hanging(entity, row.through or "", row.document_name)
	add([(entity.name, "", name) for name in sorted(names)])


def _remove(rows: Iterable[Row]) -> None:
	frappe.db.sql(f"DELETE FROM `tab{TABLE}` WHERE name IN %s", (tuple(row.name for row in rows),))  # noqa: S608


def state() -> dict[str, dict[str, Any]]:
	"""{entity type: {"waiting": how many rows, "since": when the oldest was left}} of those that something waits for."""
	rows = frappe.db.sql(
		f"SELECT entity_type, COUNT(*), MIN(creation) FROM `tab{TABLE}` GROUP BY entity_type"  # noqa: S608
	)
	return {entity_type: {"waiting": count, "since": since} for entity_type, count, since in rows}
