"""Records that go with their document from one space to another.

In the space that it leaves, the record becomes a tombstone. In the other one it goes on: with its client id, its versions, its
history and its open conflicts, so that a change which was made before can still be judged. Uploads go with the record that
named them last.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine import new_records
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.model import ids, versions
from hisabi_sync.engine.model.change import Stored
from hisabi_sync.engine.model.entity_type import EntityType


def take_along(
	entity: EntityType, space: str, old: Mapping[str, Stored], now: datetime | None
) -> dict[str, Stored]:
	"""{document name: record in the space} for documents whose records leave another space; `old` are those, still live.

	They stand at the version that they had: the caller makes the next one. Costs four statements, whatever the number, and one
	more where documents name uploads.
	"""
	found = new_records.for_documents(entity, space, {name: stored.client_id for name, stored in old.items()})
	moved = {name: _carried(old[name], target, now) for name, target in found.items()}
	pairs = [(old[name], target) for name, target in moved.items()]
	_bring_history(entity, space, pairs)
	if entity.acting or entity.attachments or contracts.media_columns(entity.doctype):
		# S3 has an upload under the name of the space in which it was opened. The columns are set from left to right.
		more = ", folder = COALESCE(NULLIF(folder, ''), space), space = %s"
		_hand_over("Sync Media", pairs, ("record",), more, "", (space,))
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
