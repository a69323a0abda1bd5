"""Rows of tables as devices send them: in part, and often without names. Pure.

What a row leaves out is not empty. A row that the record has keeps it; a new row leaves it to its DocType. So a cell that is
sent empty (None) clears a cell of the record, and says nothing in a new row.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hisabi_sync.engine.judge.base import UNKNOWN, seen
from hisabi_sync.engine.model import merge as merging
from hisabi_sync.engine.model.change import Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field

Row = dict[str, Any]


def completed(values: Mapping[str, Any], stored: Stored, entity: EntityType) -> dict[str, Any]:
	"""The values; their rows get the names of the record's rows that they match, and what those hold in columns left out."""
	found = {
		name: complete(entity.fields[name], values[name] or [], stored.values.get(name) or [])
		for name in entity.row_fields & values.keys()
		if values[name] is not UNKNOWN
	}
	return {**values, **found}


def complete(field: Field, rows: Iterable[Row], present: Iterable[Row]) -> list[Row]:
	"""The rows, each completed from the row of `present` that it is."""
	present = list(present)
	by_name, empty = _by_name(present), {column.name: column.kind.empty for column in field.columns}
	named = merging.name_rows(rows, present, field.row_keys)
	return [_whole(row, by_name.get(row.get("name") or ""), empty) for row in named]


def complete_known(field: Field, rows: Iterable[Row], present: Iterable[Row]) -> list[Row]:
	"""As `complete`, for rows that were completed before: a row that `present` does not have stays as it is."""
	present = list(present)
	by_name = _by_name(present)
	named = merging.name_rows(rows, present, field.row_keys)
	return [{**by_name.get(row.get("name") or "", {}), **row} for row in named]


def _whole(row: Row, present: Row | None, empty: Mapping[str, Any]) -> Row:
	if present is None:
		return {name: cell for name, cell in row.items() if cell is not None}
	return {**present, **{name: empty.get(name) if cell is None else cell for name, cell in row.items()}}


def take_edits(change: Change, stored: Stored | None, entity: EntityType) -> None:
	"""Make whole tables of those that the change edits by rows: what the device had, with the rows that it says are different.

	Raises ItemError row_not_found for a changed row that the device cannot have had.
	"""
	for name, (changed, removed) in change.row_edits.items():
		if name in change.values:
			present = _had(change, stored, entity.fields[name])
			if not changed <= _by_name(present).keys():
				raise ItemError("row_not_found", [name])
			change.values[name] = edited(present, change.values[name] or [], removed)


def _had(change: Change, stored: Stored | None, field: Field) -> list[Row]:
	if stored is None or not stored.live:
		return []
	value, _ = seen(change, stored, field)
	if value is UNKNOWN:
		value = stored.values.get(field.name)
	return list(value) if isinstance(value, list) else []


def edited(present: Iterable[Row], rows: Iterable[Row], removed: Collection[str]) -> list[Row]:
	"""The held rows without the removed ones, each with the cells that a row of its name sets; other rows come behind them."""
	rows, present = list(rows), list(present)
	set_here, by_name = _by_name(rows), _by_name(present)
	kept = [
		{**row, **set_here.get(row.get("name") or "", {})}
		for row in present
		if row.get("name") not in removed
	]
	return [*kept, *(row for row in rows if row.get("name") not in by_name)]


def completed_base(change: Change, stored: Stored, entity: EntityType) -> dict[str, Any]:
	"""The base values; their rows are completed like those of the change, but not in columns that the change sets.

	What a device sets without saying what it saw clashes with any other value.
	"""
	found = {
		name: _complete_base(entity.fields[name], change, stored.values.get(name) or [])
		for name in entity.row_fields & change.base.keys()
		if change.base[name] is not UNKNOWN
	}
	return {**change.base, **found}


def _complete_base(field: Field, change: Change, present: list[Row]) -> list[Row]:
	sent = _by_name(merging.name_rows(change.values.get(field.name) or [], present, field.row_keys))
	by_name = {
		name: {cell: value for cell, value in row.items() if cell == "name" or cell not in sent.get(name, ())}
		for name, row in _by_name(present).items()
	}
	named = merging.name_rows(change.base[field.name] or [], present, field.row_keys)
	empty = {column.name: column.kind.empty for column in field.columns}
	return [_whole(row, by_name.get(row.get("name") or ""), empty) for row in named]


def _by_name(rows: Iterable[Row]) -> dict[str, Row]:
	return {row["name"]: row for row in rows if row.get("name")}
