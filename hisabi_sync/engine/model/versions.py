"""The next version of a record: created, updated, deleted. Pure; `store.write` brings it to the database."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from hisabi_sync.engine.model.change import Past, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.model.merge import same


def create(stored: Stored, values: Mapping[str, Any], entity: EntityType, now: datetime | None) -> None:
	"""The first version of a record, or the one after its tombstone. Defaults of the entity type fill missing values."""
	begin(stored, {**entity.empty_values(), **entity.defaults, **values}, now)


def begin(stored: Stored, values: dict[str, Any], now: datetime | None) -> None:
	"""Make a record, for the first time or again after its tombstone, with exactly these values."""
	stored.values = values
	stored.doc_version += 1
	stored.content_version = stored.began = stored.doc_version
	stored.field_versions = dict.fromkeys(values, stored.doc_version) if stored.doc_version > 1 else {}
	stored.history, stored.deleted_at, stored.modified, stored.merged_into = [], None, now, None


def update(
	stored: Stored,
	values: Mapping[str, Any],
	entity: EntityType,
	now: datetime | None,
	changed_at: datetime | None = None,
	again: Collection[str] = (),
	device: str | None = None,
) -> list[str]:
	"""Make the next version, if a value differs or its field is in `again`; returns the names of the fields that changed."""
	values = {**values, **{name: stored.values.get(name) for name in again}}
	before = {
		name: stored.values.get(name)
		for name, value in values.items()
		if name in again or not same(stored.values.get(name), value)
	}
	if not before:
		return []
	since = {name: stored.version_of(name) for name in before}
	stored.doc_version += 1
	stored.values = {**stored.values, **{name: values[name] for name in before}}
	stored.field_versions = {**stored.field_versions, **dict.fromkeys(before, stored.doc_version)}
	content = {name: value for name, value in before.items() if name not in entity.computed}
	if content:
		stored.content_version = stored.doc_version
		stored.history.append(Past(stored.doc_version, content, since, changed_at or now, device))
	stored.modified = now
	return list(before)


def adjusted(
	stored: Stored, values: Mapping[str, Any], entity: EntityType, sent: Mapping[str, Any]
) -> list[str]:
	"""What the record holds otherwise than it was given: names of fields, and of columns as `table.column`.

	Of rows, only columns that the device has `sent` count, because a controller computes others from them.
	"""
	found: list[str] = []
	for name, value in values.items():
		field, present = entity.fields[name], stored.values.get(name)
		if field.columns and isinstance(present or [], list) and isinstance(value or [], list):
			columns = _sent_columns(field, sent.get(name))
			found += [
				_place(name, column) for column in _adjusted_columns(present or [], value or [], columns)
			]
		elif not _is_held(present, value):
			found.append(name)
	return found


def _sent_columns(table: Field, rows: Any) -> set[str]:
	"""The columns that a device set in rows, and "name" where it named some."""
	writable = {column.name for column in table.columns if column.writable} | {"name"}
	return writable & {name for row in rows or () for name in row}


def _adjusted_columns(
	present: list[dict[str, Any]], sent: list[dict[str, Any]], columns: set[str]
) -> list[str]:
	"""Columns, or "name" for other rows. A row that has got a name is no difference."""
	if len(present) != len(sent):
		return ["name"]
	found = set()
	for own, row in zip(present, sent, strict=True):
		found |= {n for n in columns & row.keys() if not _is_held(own.get(n), row[n])}
	return sorted(found)


def _place(table: str, column: str) -> str:
	return table if column == "name" else f"{table}.{column}"


def _is_held(present: Any, sent: Any) -> bool:
	return same(present or None, sent or None)


def touch(stored: Stored, now: datetime | None) -> None:
	"""Make the next version without a change of values."""
	stored.doc_version += 1
	stored.modified = now


def delete(stored: Stored, now: datetime | None) -> None:
	"""Make the record a tombstone, which is a version of its own."""
	stored.doc_version += 1
	stored.content_version = stored.doc_version
	stored.deleted_at = stored.modified = now


def touch_unknown(
	stored: Stored, entity: EntityType, now: datetime | None, fields: Collection[str] | None = None
) -> None:
	"""Make the next version when the old values are unknown: all `fields`, or all of the record, count as changed.

	So no edit that was made on an older version overwrites them.
	"""
	stored.doc_version += 1
	stored.content_version = stored.doc_version
	stored.field_versions = {
		**stored.field_versions,
		**dict.fromkeys(fields or entity.fields, stored.doc_version),
	}
	stored.modified = now


def set_computed(
	stored: Stored, values: Mapping[str, Any], entity: EntityType, now: datetime | None
) -> list[str]:
	"""Set computed fields, within the version that this transaction has made, or else in a version of their own."""
	if stored.doc_version == stored.loaded_version:
		return update(stored, values, entity, now)
	changed = [name for name, value in values.items() if not same(stored.values.get(name), value)]
	stored.values = {**stored.values, **{name: values[name] for name in changed}}
	if stored.doc_version > 1:
		stored.field_versions = {**stored.field_versions, **dict.fromkeys(changed, stored.doc_version)}
	return changed
