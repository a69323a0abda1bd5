"""Writing records and documents to the database with multi-row statements."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import column_values, ids
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.model.column_values import Unreadable
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.store import digests, second_readings, sequence, side_effects, stored_json

STANDARD = ("name", "creation", "modified", "owner", "modified_by")
RECORD = (
	"space entity_type client_id document_type document_name sequence doc_version content_version field_versions "
	"deleted_at digest changed_by device maker began second_readings entered merged_into"
).split()
VERSION = ("record", "doc_version", "changed_at", "changed_by", "device", "before")


class Writer:
	"""Collects the changes of a batch, and writes documents of bulk entity types table by table, then the records."""

	def __init__(self, caller: Caller, registry: Registry, now: datetime | None) -> None:
		self.caller, self.registry, self.now = caller, registry, now
		self.touched: dict[str, Stored] = {}
		self._dirty: dict[str, set[str]] = {}
		# (DocType, name) of documents that Frappe's cache may hold as they were.
		self._stale: list[tuple[str, str | None]] = []
		# {record: (EntityType, Stored)} of documents that were there and are written here.
		self._updated: dict[str, tuple[EntityType, Stored]] = {}

	def add(self, stored: Stored, changed: Iterable[str]) -> None:
		"""Note that fields of a record changed: all fields of a new record, none of a deleted one."""
		self.touched[stored.name] = stored
		self._dirty.setdefault(stored.name, set()).update(changed)

	def flush(self) -> None:
		"""Write the documents that changed, two statements for each entity type."""
		by_entity: dict[str, list[tuple[Stored, set[str]]]] = {}
		for name, changed in self._dirty.items():
			stored = self.touched[name]
			by_entity.setdefault(stored.entity_type, []).append((stored, changed))
		self._dirty = {}
		for entity_type, members in by_entity.items():
			entity = self.registry.by_name[entity_type]
			if entity.bulk:
				self._write_documents(entity, members)
			else:
				# The documents were saved one by one; only what a deriver set afterwards is left.
				self._update(entity, members, {})
				self._stale += [(entity.doctype, stored.document_name) for stored, _ in members]

	def _write_documents(self, entity: EntityType, members: list[tuple[Stored, set[str]]]) -> None:
		self._insert(entity, [stored for stored, _ in members if not stored.written])
		old = [(stored, changed) for stored, changed in members if stored.written]
		self._updated.update({stored.name: (entity, stored) for stored, _ in old})
		self._stale += [(entity.doctype, stored.document_name) for stored, _ in old]
		content = [(stored, changed) for stored, changed in old if not changed or changed - entity.computed]
		computed = [(stored, changed) for stored, changed in old if changed and not changed - entity.computed]
		self._update(entity, content, {"modified": self.now, "modified_by": self.caller.user})
		# Computed fields leave `modified` alone, as Frappe's own do, so that an open form can still be saved.
		self._update(entity, computed, {})
		for stored, _ in members:
			stored.written = True

	def _insert(self, entity: EntityType, new: Iterable[Stored]) -> None:
		columns = [field.name for field in entity.columns]
		stamps = sorted(entity.stamps - set(columns))
		rows = [
			(
				*self._standard(stored.document_name),
				self.caller.space_key,
				*self._values(entity.columns, stored),
				*self._stamps(stored, stamps),
			)
			for stored in new
		]
		sql.insert(entity.doctype, [*STANDARD, entity.space_path, *columns, *stamps], rows)

	def _update(
		self, entity: EntityType, members: list[tuple[Stored, set[str]]], standard: Mapping[str, Any]
	) -> None:
		"""One statement for all. A record with an unreadable value is written alone, only with the fields that changed."""
		alone: list[tuple[Stored, set[str]]] = []
		together: list[tuple[Stored, set[str]]] = []
		for pair in members:
			(alone if _is_odd(entity, pair[0]) else together).append(pair)
		for part in (together, *([pair] for pair in alone)):
			self._update_all(entity, part, standard)

	def _update_all(
		self, entity: EntityType, members: list[tuple[Stored, set[str]]], standard: Mapping[str, Any]
	) -> None:
		names = set().union(*(changed for _, changed in members)) if members else set()
		columns = [field for field in entity.columns if field.name in names]
		stamps = sorted(entity.stamps & {"doc_version", "server_modified", "is_deleted", "deleted_at"})
		rows = [
			(
				stored.document_name,
				*standard.values(),
				*self._values(columns, stored),
				*self._stamps(stored, stamps),
			)
			for stored, _ in members
		]
		sql.upsert(entity.doctype, ["name", *standard, *[f.name for f in columns], *stamps], rows)

	def _standard(self, name: str | None) -> tuple[Any, ...]:
		return (name, self.now, self.now, self.caller.user, self.caller.user)

	def _values(self, columns: Iterable[kinds.Field], stored: Stored) -> list[Any]:
		values = stored.values
		return [
			None if (value := values.get(field.name)) is None else column_values.for_column(field, value)
			for field in columns
		]

	def _stamps(self, stored: Stored, names: Iterable[str]) -> list[Any]:
		stamps = stamp_values(stored, self.caller.user)
		return [stamps[name] for name in names]

	def finish(self, last: int | None = None) -> None:
		"""Write what is left, the Sync Records and their versions. They are numbered at the commit.

		With `last`, the last number of the space as the transaction knows it, they are written with foreseen numbers.
		"""
		self.flush()
		side_effects.write_versions(list(self._updated.values()), self.caller.user, self.now)
		side_effects.forget_cached(self._stale)
		write_records(self.touched.values(), self.registry, self.caller, self.now, last)


def _is_odd(entity: EntityType, stored: Stored) -> bool:
	return any(type(stored.values.get(field.name)) is Unreadable for field in entity.strict_columns)


def stamp_values(stored: Stored, user: str) -> dict[str, Any]:
	"""Values of the columns that the engine fills in a document."""
	return {
		"client_id": ids.encode(stored.client_id),
		"doc_version": stored.doc_version,
		"server_modified": stored.modified,
		"is_deleted": int(stored.deleted_at is not None),
		"deleted_at": stored.deleted_at,
		"user": user,
	}


def write_records(
	touched: Iterable[Stored],
	registry: Registry,
	caller: Caller,
	now: datetime | None,
	last: int | None = None,
) -> None:
	"""Insert or update Sync Records that have a new version, and insert the values that those versions replaced."""
	changed = [stored for stored in touched if stored.doc_version != stored.loaded_version]
	rows: dict[bool, list[tuple[Any, ...]]] = {True: [], False: []}
	numbers = _numbers(changed, registry, caller.space, last)
	begun = digests.begin()
	for stored, number in zip(changed, numbers, strict=True):
		entity = registry.by_name[stored.entity_type]
		stored.digest = digests.digest_of(stored.values, entity, stored.digest, begun)
		stored.second_readings = second_readings.written(stored.values, entity, now)
		if stored.began > max(stored.loaded_version, stored.entered - 1):
			stored.maker = caller.device
		rows[stored.loaded_version == 0].append(_record_row(stored, entity, caller, now, number))
	columns = [*STANDARD, *RECORD]
	sql.insert("Sync Record", columns, rows[True])
	sql.upsert("Sync Record", _without_creation(columns), [_without_creation(row) for row in rows[False]])
	_insert_versions(changed, registry, caller, now)
	for stored in changed:
		stored.loaded_version = stored.doc_version


def _numbers(changed: Sequence[Stored], registry: Registry, space: str, last: int | None) -> list[int]:
	if not changed:
		return []
	space_type = registry.by_name[changed[0].entity_type].space_type
	return sequence.provisional(space, space_type, [stored.name for stored in changed], last)


def _without_creation(row: Sequence[Any]) -> tuple[Any, ...]:
	"""The row without creation and owner, which an existing row keeps."""
	return (row[0], row[2], *row[4:])


def _record_row(
	stored: Stored, entity: EntityType, caller: Caller, now: datetime | None, number: int
) -> tuple[Any, ...]:
	return (
		stored.name,
		now,
		now,
		caller.user,
		caller.user,
		caller.space,
		stored.entity_type,
		ids.encode(stored.client_id),
		entity.doctype,
		stored.document_name,
		number,
		stored.doc_version,
		stored.content_version,
		json.dumps(stored.field_versions, separators=(",", ":")) if stored.field_versions else None,
		stored.deleted_at,
		stored.digest,
		caller.user,
		caller.device,
		stored.maker,
		stored.began,
		stored.second_readings,
		stored.entered,
		stored.merged_into,
	)


def _insert_versions(
	changed: Iterable[Stored], registry: Registry, caller: Caller, now: datetime | None
) -> None:
	rows = []
	for stored in changed:
		fields = registry.by_name[stored.entity_type].fields
		for past in stored.history:
			if past.version > stored.loaded_version:
				before = stored_json.encode_past(past, fields)
				standard = (ids.new(), now, now, caller.user, caller.user)
				rows.append((*standard, stored.name, past.version, past.at, caller.user, past.device, before))
	sql.insert("Sync Version", [*STANDARD, *VERSION], rows)


def stamp_document(stored: Stored, entity: EntityType, user: str) -> dict[str, Any]:
	"""Set the engine's columns of one document without triggering events. Returns {column: value}."""
	names = entity.stamps & {"client_id", "doc_version", "server_modified", "is_deleted", "deleted_at"}
	values = {name: value for name, value in stamp_values(stored, user).items() if name in names}
	if values:
		frappe.db.set_value(entity.doctype, stored.document_name, values, update_modified=False)
	return values
