"""What an upsert is: a create, or an update of the version that its device has seen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import CREATE, UPDATE, Caller, Change

COLUMNS = ["name", "sequence", "doc_version", "deleted_at", "document_type", "document_name"]


def choose(
	caller: Caller, changes: Sequence[Change], seen: Callable[[str], int], given: Mapping[int, int | None]
) -> dict[str, tuple[int, int]]:
	"""Set operation and base version of changes that are upserts, in a fixed number of statements.

	`seen(entity type)` is the position of the device's cursor, `given` maps indexes of changes to the versions that it named. Returns
	{record: (its sequence, its version)} as they are before the changes.
	"""
	upserts = [change for change in changes if not change.error and change.intent is None]
	names = {c.index: ids.record(caller.space, c.entity_type, c.client_id) for c in upserts}
	rows = {row[0]: row for row in sql.select_in("Sync Record", COLUMNS, "name", sorted(set(names.values())))}
	written, made = _written(rows.values()), set()
	for change in upserts:
		name = names[change.index]
		new = name not in rows and name not in made
		again = name not in made and _saw_tombstone(rows.get(name), given.get(change.index))
		change.operation = CREATE if new or again else UPDATE
		change.base_version = None if new else _base(change, rows.get(name), seen, given, written)
		made.add(name)
	return {name: (row[1], row[2]) for name, row in rows.items()}


def _saw_tombstone(row: tuple[Any, ...] | None, version: int | None) -> bool:
	"""Whether the device names the version of the record's tombstone: then the record begins again."""
	return row is not None and row[3] is not None and version == row[2]


def _base(
	change: Change,
	row: tuple[Any, ...] | None,
	seen: Callable[[str], int],
	given: Mapping[int, int | None],
	written: Mapping[str | None, datetime],
) -> int:
	"""The named version; else the present one, if it lies behind the cursor and was written before the change.

	Without either nobody knows what the device had seen, so every field is judged by the times of the writes.
	"""
	named = given.get(change.index)
	if named is not None or row is None:
		return named or 0
	_name, sequence, version, _deleted_at, _doctype, document = row
	before = written.get(document)
	return (
		version
		if sequence <= seen(change.entity_type)
		and (
			before is None or (change.client_time is not None and clock.is_after(change.client_time, before))
		)
		else 0
	)


def _written(rows: Iterable[tuple[Any, ...]]) -> dict[str | None, datetime]:
	"""{document: when it was last written, by the clock of its writer}; one statement for each DocType."""
	by_doctype: dict[str, set[str | None]] = {}
	for *_, doctype, document in rows:
		by_doctype.setdefault(doctype, set()).add(document)
	found: dict[str | None, datetime] = {}
	for doctype, names in by_doctype.items():
		found.update(sql.select_in(doctype, ["name", "updated_at"], "name", sorted(names - {None})))
	return found
