"""One exchange with a device, in one transaction: which operation each upsert is, what is pushed, and what it gets.

Source: docs/contracts/batch.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine import pull, push
from hisabi_sync.engine.database import retry, sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.identity import devices
from hisabi_sync.engine.model import clock, cursor, ids, strict_json
from hisabi_sync.engine.model.change import CREATE, UPDATE, Caller, Change, Outcome
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.store import calls

CONTRACT = "batch"
COLUMNS = ["name", "sequence", "doc_version", "deleted_at", "document_type", "document_name"]


class Exchange:
	"""`changes` of a `caller`; afterwards `outcomes` in their order, the `page` that goes down, and the `batch`.

	`page.caller` is the caller as a member of the space.
	`records` maps records that the changes name to their place in the order of the space before the call.
	"""

	# There when the call has run.
	page: pull.Page
	payload: dict[str, Any]

	def __init__(
		self,
		caller: Caller,
		call: calls.Call,
		changes: list[Change],
		token: str | None,
		limit: int,
		facts: tuple[dict[str, str], datetime],
	) -> None:
		self.caller, self.call, self.changes = caller, call, changes
		self.token, self.limit, self.facts = token, limit, facts
		self.outcomes: list[Outcome] = []
		self.batch: str | None = None
		self.records: dict[str, tuple[int, int]] = {}
		self.cursor: cursor.Cursor | None = None  # of the device
		self.given_versions = {change.index: change.base_version for change in changes}

	def run(
		self,
		answer: Callable[["Exchange"], tuple[dict[str, Any], calls.Counts]],
		dry_run: bool = False,
	) -> None:
		"""Run the transaction; `answer(exchange)` is called last in it and gives the answer and its counts.

		Raises calls.Answered for a call that was answered before, and RequestError.
		"""
		self.answer = answer
		with retry.latest_reads():
			if self.changes:
				options = push.Options(CONTRACT, dry_run=dry_run)
				push.push(self.caller, self.changes, options, self._begin, self._end)
			else:
				retry.run(lambda: self._only_pull(dry_run))

	def _only_pull(self, dry_run: bool) -> None:
		self._begin(self.caller, ())
		spaces.authorise(self.caller)
		self._end(None)
		frappe.db.rollback() if dry_run else frappe.db.commit()

	def _begin(self, caller: Caller, changes: Sequence[Change]) -> None:
		calls.check(self.call)
		devices.describe(self.call.device, *self.facts)
		self.cursor = cursor.decode(self.token, caller.space) if self.token else None
		self.records.update(choose_operations(caller, changes, self.seen, self.given_versions))

	def seen(self, entity_type: str) -> int:
		"""The position up to which the device's cursor has records of an entity type."""
		entity = registry().by_name[entity_type]
		standing = self.cursor.of(entity.mark) if self.cursor else None
		return standing.position if standing else 0

	def _end(self, result: push.Result | None) -> None:
		if result:
			self.outcomes, self.batch = result.outcomes, result.batch
		self.page = pull.pull(self.caller, self.token, self.limit, just_pushed=bool(self.changes))
		self.payload, counts = self.answer(self)
		calls.save(self.call, self.page.caller, self.batch, counts, strict_json.kept(self.payload))


def choose_operations(
	caller: Caller,
	changes: Sequence[Change],
	seen: Callable[[str], int],
	base_versions: Mapping[int, int | None],
) -> dict[str, tuple[int, int]]:
	"""Set operation and base version of changes that are upserts, in a fixed number of statements.

	`seen(entity type)` is the position of the device's cursor, `base_versions` maps indexes of changes to the versions that it named. Returns
	{record: (its sequence, its version)} as they are before the changes.
	"""
	upserts = [change for change in changes if not change.error and change.intent is None]
	names = {c.index: ids.record(caller.space, c.entity_type, c.client_id) for c in upserts}
	rows = {row[0]: row for row in sql.select_in("Sync Record", COLUMNS, "name", sorted(set(names.values())))}
	written, made = _written(rows.values()), set()
	for change in upserts:
		name = names[change.index]
		new = name not in rows and name not in made
		again = name not in made and _saw_tombstone(rows.get(name), base_versions.get(change.index))
		change.operation = CREATE if new or again else UPDATE
		change.base_version = None if new else _base(change, rows.get(name), seen, base_versions, written)
		made.add(name)
	return {name: (row[1], row[2]) for name, row in rows.items()}


def _saw_tombstone(row: tuple[Any, ...] | None, version: int | None) -> bool:
	"""Whether the device names the version of the record's tombstone: then the record begins again."""
	return row is not None and row[3] is not None and version == row[2]


def _base(
	change: Change,
	row: tuple[Any, ...] | None,
	seen: Callable[[str], int],
	base_versions: Mapping[int, int | None],
	written: Mapping[str | None, datetime],
) -> int:
	"""The version that the change names. Without one: the present version, if the device has pulled it and wrote the change later.

	Otherwise 0: the server does not know what the device had seen, so every field is judged by the times of the writes.
	"""
	named = base_versions.get(change.index)
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
