"""Reconciliation: finding changes that no hook saw, by raw SQL, restored tables, or before the Sync Entity was made."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import frappe

from hisabi_sync.engine import capture
from hisabi_sync.engine.comparing import compare
from hisabi_sync.engine.database import background, retry, sql, transaction
from hisabi_sync.engine.entities import retyped
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.sharing import whereabouts
from hisabi_sync.engine.store import load

WAITING = "hisabi_sync_to_number"
CHUNK = 500
AT_ONCE = 2000  # documents that are numbered in the request that makes them syncable; a second or two


def run(entity_type: str | None = None) -> dict[str, int]:
	"""Bring Sync Records in line with documents. Returns {"entered": n, "changed": n, "left": n}.

	Runs daily, when a Sync Entity is saved, and by `bench --site S hisabi-reconcile`. Chunks are transactions.
	"""
	counts = dict.fromkeys(("entered", "changed", "left"), 0)
	failed: dict[str, str] = {}
	for entity in registry().by_name.values():
		if entity.enabled and entity_type in (None, entity.name):
			_run(entity, counts, failed)
			# A field may have changed its type meanwhile, when no other job could be enqueued.
			if retyped.waiting(entity) and entity.name not in failed:
				_run(entity, counts, failed)
	if entity_type is None or failed:
		background.remember_failures("reconcile", failed)
	return counts


def _run(entity: EntityType, counts: dict[str, int], failed: dict[str, str]) -> None:
	begun = retyped.waiting(entity)
	try:
		background.begin_progress(entity.name, _read(entity, _count, "", failed) or 0)
		for names in _walk(entity, _documents, failed):
			if begun:  # apart, so that a document which cannot be compared is written anew anyway
				_chunk(entity, names, partial(_rewrite, begun), counts, failed)
			_chunk(entity, names, compare, counts, failed)
			background.add_progress(entity.name, len(names))
		if entity.name not in failed:
			_read(entity, partial(_finish, begun), "", failed)
		for names in _walk(entity, _live_records, failed):
			_chunk(entity, names, _find_orphans, counts, failed)
	finally:
		background.end_progress(entity.name)


def _walk(
	entity: EntityType, read: Callable[[EntityType, str], Any], failed: dict[str, str]
) -> Iterator[list[str]]:
	"""All names in order, a chunk at a time; each chunk is a transaction."""
	after = ""
	while names := _read(entity, read, after, failed):
		yield names
		after = names[-1]


def soon(entity_type: str, doctype: str) -> None:
	"""After the commit, number the documents of a saved entity type: in this request if they are few, else by a worker."""
	waiting = transaction.state(WAITING)
	if waiting is None:
		waiting = transaction.keep(WAITING, _behind_all, line="after_commit")
	waiting[entity_type] = doctype


def _behind_all(waiting: transaction.State) -> None:
	"""Number after all other callbacks of the commit, because its transactions would drop those."""
	frappe.db.after_commit.add(lambda: _number(waiting))


def _number(waiting: transaction.State) -> None:
	for entity_type, doctype in waiting.items():
		_soon(entity_type, doctype)


def _soon(entity_type: str, doctype: str) -> None:
	rows = frappe.db.sql(f"SELECT 1 FROM {sql.quote('tab' + doctype)} LIMIT %s", (AT_ONCE + 1,))  # noqa: S608
	few = len(rows) <= AT_ONCE
	if few:
		run(entity_type)
	# An open transaction that has read the table blocks changes of it.
	frappe.db.rollback()
	if not few:
		background.enqueue_reconcile(entity_type)


def progress(entity_type: str, doctype: str) -> dict[str, int]:
	"""`{documents, records}` of an entity type; documents that are in no space have no record."""
	records = frappe.db.count("Sync Record", {"entity_type": entity_type, "deleted_at": ["is", "not set"]})
	return {"documents": frappe.db.count(doctype), "records": records}


def _read(
	entity: EntityType, read: Callable[[EntityType, str], Any], after: str, failed: dict[str, str]
) -> Any:
	"""What `read` returns; None, with the error kept, if the table cannot be read."""
	try:
		return read(entity, after)
	except Exception as error:
		failed[entity.name] = background.caught("reconcile", "document", entity.name, error)


def _chunk(
	entity: EntityType,
	names: list[str],
	work: Callable[[EntityType, list[str]], dict[str, int]],
	counts: dict[str, int],
	failed: dict[str, str],
) -> None:
	"""Work on a chunk. One that fails is halved, until the names that cause the failure are found."""
	try:
		for key, found in retry.run(lambda: _committed(work, entity, names)).items():
			counts[key] += found
	except Exception as error:
		if len(names) == 1:
			unit = f"{entity.name} {names[0]}"
			failed[unit] = background.caught("reconcile", "document", unit, error)
			return
		background.must_go_on(error)
		middle = len(names) // 2
		_chunk(entity, names[:middle], work, counts, failed)
		_chunk(entity, names[middle:], work, counts, failed)


def _committed(
	work: Callable[[EntityType, list[str]], dict[str, int]], entity: EntityType, names: list[str]
) -> dict[str, int]:
	present = registry().by_name.get(entity.name)  # people may have edited it since this began
	found = work(present, names) if present else {}
	frappe.db.commit()
	return found


def _count(entity: EntityType, after: str) -> int:
	return frappe.db.count(entity.doctype)


def _documents(entity: EntityType, after: str) -> list[str]:
	return _names(entity.doctype, "name > %s", (after,), "name")


def _live_records(entity: EntityType, after: str) -> list[str]:
	where = "name > %s AND entity_type = %s AND deleted_at IS NULL"
	return _names("Sync Record", where, (after, entity.name), "name")


def _names(doctype: str, where: str, values: Iterable[Any], column: str) -> list[str]:
	rows = sql.select(doctype, [column], where, values, f"ORDER BY {column} LIMIT {CHUNK}")
	return [str(row[0]) for row in rows]


def _rewrite(begun: retyped.Waiting, entity: EntityType, names: list[str]) -> dict[str, int]:
	retyped.rewrite(entity, names, begun)
	return {}


def _finish(begun: retyped.Waiting, entity: EntityType, after: str) -> None:
	retyped.finish(entity, begun)
	frappe.db.commit()


def _find_orphans(entity: EntityType, names: list[str]) -> dict[str, int]:
	"""Make tombstones of records whose document is gone, or lies in no space."""
	rows = sql.select_in("Sync Record", ["name", "document_name", "space"], "name", names)
	keys = whereabouts.keys_of(entity, [row[1] for row in rows])
	gone = [row for row in rows if row[1] not in keys or ids.space(entity.space_type, keys[row[1]]) != row[2]]
	stored = load.records([row[0] for row in gone], lock=True)
	for name, _, space in gone:
		capture.leave(stored[name], entity, space)
	return {"left": len(gone)}
