"""Records that go with their document from one space to another.

In the space that it leaves, the record becomes a tombstone. In the other one it goes on: with its client id, its versions, its
history and its open conflicts, so that a change which was made before can still be judged.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import ids, versions
from hisabi_sync.engine.model.change import Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.store import load


def records_for(entity: EntityType, space: str, client_ids: Mapping[str, str | None]) -> dict[str, Stored]:
	"""{document name: record} for documents that have none in the space, from {document name: client id or None}.

	The client id is the given one, or else the name, or else a hash of it: the first that no other live record has. If it has
	a tombstone, that record begins again. One statement, and more only for ids that are taken.
	"""
	found: dict[str, Stored] = {}
	left = {name: _candidates(entity, space, name, given) for name, given in client_ids.items()}
	used: set[str] = set()
	while left:
		held = load.records([next(iter(pairs)) for pairs in left.values()], lock=True)
		for name, pairs in list(left.items()):
			record, client_id = next(iter(pairs.items()))
			if record in used or not _is_free(held.get(record), name):
				del pairs[record]
				continue
			used.add(record)
			found[name] = held.get(record) or Stored(record, entity.name, client_id)
			found[name].document_name = name
			del left[name]
	return {name: found[name] for name in client_ids}


def _candidates(entity: EntityType, space: str, name: str, given: str | None) -> dict[str, str]:
	"""{name of a Sync Record: client id}, the best first; the last is free unless the document itself has it."""
	wanted = (*filter(ids.is_client_id, (given, name)), ids.digest(name), ids.digest(entity.doctype, name))
	return {ids.record(space, entity.name, client_id): client_id for client_id in wanted}


def _is_free(stored: Stored | None, name: str) -> bool:
	return stored is None or not stored.live or stored.document_name == name


def take_along(
	entity: EntityType, space: str, old: Mapping[str, Stored], now: datetime | None
) -> dict[str, Stored]:
	"""{document name: record in the space} for documents whose records leave another space; `old` are those, still live.

	They stand at the version that they had: the caller makes the next one. Costs four statements, whatever the number.
	"""
	found = records_for(entity, space, {name: stored.client_id for name, stored in old.items()})
	moved = {name: _carried(old[name], target, now) for name, target in found.items()}
	_bring_history(entity, space, [(old[name], target) for name, target in moved.items()])
	return moved


def _carried(old: Stored, target: Stored, now: datetime | None) -> Stored:
	"""The record as it goes on: everything of the old one but its name, its client id and what the database holds."""
	version = max(old.doc_version, target.doc_version)
	return replace(
		old,
		name=target.name,
		client_id=target.client_id,
		document_name=target.document_name,
		doc_version=version,
		loaded_version=target.loaded_version,
		entered=target.entered if target.loaded_version else version + 1,
		deleted_at=None,
		modified=now,
		history=[],
	)


def next_version(
	stored: Stored,
	before: dict[str, Any] | None,
	after: dict[str, Any],
	entity: EntityType,
	now: datetime | None,
) -> None:
	"""Make the version with which a record comes into its space. `before` are its earlier values, None if they are the same."""
	stored.values = after if before is None else before
	if not versions.update(stored, after, entity, now):
		versions.touch(stored, now)
	stored.values = after


def _bring_history(entity: EntityType, space: str, pairs: Collection[tuple[Stored, Stored]]) -> None:
	"""Give earlier values and open conflicts to the records that go on; what another document left there is removed."""
	begun = [target.name for _, target in pairs if target.loaded_version]
	if begun:
		frappe.db.sql("DELETE FROM `tabSync Version` WHERE record IN %s", (tuple(begun),))
	changed = [(old, target) for old, target in pairs if old.doc_version > 1]
	_hand_over("Sync Version", changed, ("record",))
	_hand_over(
		"Sync Conflict", pairs, ("client_id", "record"), ", space = %s", " AND status = 'Open'", (space,)
	)


def _hand_over(
	doctype: str,
	pairs: Collection[tuple[Stored, Stored]],
	columns: Collection[str],
	more: str = "",
	where: str = "",
	values: Collection[Any] = (),
) -> None:
	"""Let the rows of the first record of each pair name the second one. The column `record` comes last: it tells the rows apart."""
	if not pairs:
		return
	old = [stored.name for stored, _ in pairs]
	new = {
		"record": [target.name for _, target in pairs],
		"client_id": [ids.encode(target.client_id) for _, target in pairs],
	}
	marks = ", ".join(["%s"] * len(old))
	changes = ", ".join(f"{column} = ELT(FIELD(record, {marks}), {marks})" for column in columns)
	query = f"UPDATE {sql.quote('tab' + doctype)} SET {changes}{more} WHERE record IN %s{where}"  # noqa: S608
	frappe.db.sql(query, [*(v for column in columns for v in (*old, *new[column])), *values, tuple(old)])
