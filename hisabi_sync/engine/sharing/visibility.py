"""Visibility: what a caller is shown of records. Every answer shows what a pull would show at that moment.

Records of entity types without Frappe's permissions are shown whole, at no cost here. For the others, Frappe decides which
documents a user may read (one statement for each entity type) and which fields (by permission level).
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import frappe
import frappe.share
from frappe.core.doctype.user_permission.user_permission import get_user_permissions

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.judge.standing import BLIND, UNSEEN
from hisabi_sync.engine.model import ids, merge
from hisabi_sync.engine.model.change import Caller, Outcome, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.sharing import rights
from hisabi_sync.engine.store import load

ADMINISTRATOR = "Administrator"


def mark(caller: Caller) -> str:
	"""A short hash that changes when the caller could see other records or fields than before."""
	return marks(caller)[0]


def marks(caller: Caller) -> tuple[str, dict[str, str]]:
	"""(the mark of all entity types of the space's type together, {mark of an entity type: its own})."""
	return marks_of(caller.user, [caller.space_type])[caller.space_type]


def marks_of(user: str, space_types: Collection[str]) -> dict[str, tuple[str, dict[str, str]]]:
	"""`marks` of a user for several types of space; what they cost does not depend on how many."""
	registry = entity_types.registry()
	guarded = {kind: [e for e in registry.of_space_type(kind) if e.check_permissions] for kind in space_types}
	unread = _unread((entity for entities in guarded.values() for entity in entities), user)
	granted = _rights(user) if any(guarded.values()) else []
	return {kind: _marks_of(registry, kind, guarded[kind], unread, granted) for kind in space_types}


def _marks_of(
	registry: Registry,
	kind: str,
	guarded: Collection[EntityType],
	unread: tuple[Collection[str], Collection[str]],
	granted: Collection[str],
) -> tuple[str, dict[str, str]]:
	entities, (blind, shared) = registry.of_space_type(kind), unread
	doctypes = {entity.doctype for entity in guarded}
	names = [*granted, *(doctype for doctype in shared if doctype in doctypes)] if guarded else ()
	own = {entity.mark: entity.visibility for entity in entities}
	own.update({entity.mark: ids.digest(entity.visibility, *names, size=4) for entity in guarded})
	own.update({entity.mark: BLIND for entity in guarded if entity.mark in blind})
	own.update(dict.fromkeys(registry.broken_marks(kind), UNSEEN))
	return ids.digest(*(entity.visibility for entity in entities), *names, size=4), own


def _unread(guarded: Iterable[EntityType], user: str) -> tuple[list[str], list[str]]:
	"""(marks of entity types of which the user may read nothing, DocTypes of which they read only what is shared with them)."""
	lacking = {e.doctype: e.mark for e in guarded if not rights.reads_by_role(e.doctype, user)}
	shared = rights.shared_doctypes(lacking, user)
	return [mark for doctype, mark in lacking.items() if doctype not in shared], shared


def _rights(user: str) -> list[str]:
	permissions = json.dumps(get_user_permissions(user), sort_keys=True, default=str)
	return [*sorted(frappe.get_roles(user)), permissions]


def visible(
	entity: EntityType, names: Iterable[Any], caller: Caller, database: sql.Database | None = None
) -> dict[Any, dict[str, Any]]:
	"""Canonical values by document name; documents and fields that the caller may not read are left out.

	Values come from `database`; what the caller may read is always asked of the primary.
	"""
	if not entity.check_permissions:
		return load.documents(entity, names, database=database)
	reached = _reader(entity, caller.user)
	fields = {name for name, field in entity.fields.items() if reached(field)}
	may_read = readable(entity, names, caller.user)
	found = load.documents(entity, may_read, fields=fields, database=database)
	return {name: cut(entity, values, caller.user) for name, values in found.items()}


# --- which documents


def readable(entity: EntityType, names: Iterable[Any], user: str) -> list[Any]:
	"""Those documents that the user may read; one statement, none for types without Frappe's permissions."""
	names = [name for name in names if name is not None]
	if not entity.check_permissions:
		return names
	if not names or not frappe.has_permission(entity.doctype, "read", user=user):
		return []
	shared = rights.only_shared(entity.doctype, user)
	if shared is not None:
		return [name for name in names if str(name) in shared]
	filters = {"name": ["in", names]}
	with rights.with_eyes_of(user):
		return frappe.get_list(entity.doctype, filters=filters, pluck="name", limit_page_length=0)


def hidden(records: Iterable[Stored], registry: Registry, users: Iterable[str]) -> set[str]:
	"""Names of the live Sync Records whose documents one of the users may not read."""
	guarded: dict[str, list[Stored]] = {}
	for stored in records:
		entity = registry.by_name.get(stored.entity_type)
		if entity and entity.check_permissions and stored.live:
			guarded.setdefault(entity.name, []).append(stored)
	found: set[str] = set()
	for name, members in guarded.items():
		documents = [stored.document_name for stored in members]
		for user in users:
			seen = set(map(str, readable(registry.by_name[name], documents, user)))
			found.update(stored.name for stored in members if str(stored.document_name) not in seen)
	return found


# --- which fields


def fields(entity: EntityType, user: str) -> list[Field]:
	"""The fields that the user may read; of tables, only the columns that they may read."""
	readable_fields = entity.readable.values()
	if not has_levels(entity):
		return list(readable_fields)
	reached = _reader(entity, user)
	return [replace(f, columns=tuple(filter(reached, f.columns))) for f in readable_fields if reached(f)]


def cut(entity: EntityType, values: dict[str, Any], user: str) -> dict[str, Any]:
	"""The values without the fields, and the columns of rows, above the levels that the user may read."""
	if not has_levels(entity):
		return values
	reached = _reader(entity, user)
	return {
		name: _cut_rows(entity.fields[name], value, reached)
		for name, value in values.items()
		if name in entity.fields and reached(entity.fields[name])
	}


def _cut_rows(field: Field, value: Any, reached: Callable[[Field], bool]) -> Any:
	above = {column.name for column in field.columns if not reached(column)}
	if not above or not value:
		return value
	return [{name: cell for name, cell in row.items() if name not in above} for row in value]


def has_levels(entity: EntityType) -> bool:
	"""Whether users may see some fields of an entity type and not others."""
	return entity.check_permissions and entity.is_levelled


def is_settable(entity: EntityType, name: str, users: Iterable[str]) -> bool:
	"""Whether all users may read and write a field. Without reading, writing could reveal the value."""
	if not has_levels(entity):
		return True
	return _all_reach(entity, entity.fields[name], users)


def keep_columns(
	entity: EntityType, values: dict[str, Any], present: Mapping[str, Any], users: Iterable[str]
) -> list[str]:
	"""Remove from rows the columns that not all users may read and write; so the record's rows keep what they hold there.

	Returns the columns that were sent.
	"""
	named = []
	for table in entity.tables if has_levels(entity) else ():
		above = [column for column in table.columns if not _all_reach(entity, column, users)]
		if above and isinstance(values.get(table.name), list) and values[table.name]:
			named += [f"{table.name}.{c.name}" for c in above if _is_sent(values[table.name], c)]
			values[table.name] = _without(table, above, values[table.name], present.get(table.name) or [])
	return named


def _all_reach(entity: EntityType, field: Field, users: Iterable[str]) -> bool:
	return all(
		_reader(entity, user)(field) and field.permlevel in _levels(entity, "write", user) for user in users
	)


def _is_sent(rows: list[dict[str, Any]], column: Field) -> bool:
	return any(row.get(column.name) not in (None, column.kind.empty) for row in rows)


def _without(
	table: Field, above: Iterable[Field], rows: list[dict[str, Any]], present: list[dict[str, Any]]
) -> list[dict[str, Any]]:
	"""The rows, under the names of the record's rows that they match, without the columns above."""
	names = {column.name for column in above}
	named = merge.name_rows(rows, present, table.row_keys)
	return [{name: cell for name, cell in row.items() if name not in names} for row in named]


def _reader(entity: EntityType, user: str) -> Callable[[Field], bool]:
	"""A function that says whether the user may read a field, and the field that Frappe fills it from."""
	levels = _levels(entity, "read", user)
	return lambda field: field.permlevel in levels and _reads_source(field, user)


def _reads_source(field: Field, user: str) -> bool:
	if not field.source or user == ADMINISTRATOR:
		return True
	doctype, level = field.source
	return level in frappe.get_meta(doctype).get_permlevel_access("read", user=user)


def _levels(entity: EntityType, right: str, user: str) -> Collection[int]:
	"""Permission levels that the user's roles include. Level 0 always is, and Administrator has all."""
	if user == ADMINISTRATOR:
		return entity.levels
	return {0, *frappe.get_meta(entity.doctype).get_permlevel_access(right, user=user)}


# --- answers that were given before


def cut_answers(outcomes: Iterable[Outcome], user: str) -> None:
	"""Remove from stored outcomes the parts of their records that the user may no longer see."""
	answered = [outcome for outcome in outcomes if outcome.record]
	registry = entity_types.registry()
	names = [o.record_name for o in answered if o.record_name and _is_guarded(o)]
	records = load.records(names) if names else {}
	unseen = hidden(records.values(), registry, [user])
	for outcome in answered:
		outcome.record = _cut_answer(
			outcome, registry.by_name.get(outcome.entity_type), records, unseen, user
		)


def _is_guarded(outcome: Outcome) -> bool:
	entity = entity_types.registry().by_name.get(outcome.entity_type)
	return bool(entity and entity.check_permissions)


def _cut_answer(
	outcome: Outcome,
	entity: EntityType | None,
	records: Mapping[str, Stored],
	unseen: Collection[str],
	user: str,
) -> dict[str, Any] | None:
	"""The wire values that the user may still see; None if the record is hidden or deleted."""
	if entity is None:
		return None
	if entity.check_permissions:
		stored = records.get(outcome.record_name or "")
		if stored is None or not stored.live or stored.name in unseen:
			return None
	values = {name: value for name, value in (outcome.record or {}).items() if name in entity.readable}
	return cut(entity, values, user)
