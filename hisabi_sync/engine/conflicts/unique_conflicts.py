"""Unique values that another record has: an error for the device, and a conflict that a person can settle."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine.conflicts import conflict_rows
from hisabi_sync.engine.conflicts.conflict_rows import OPEN
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import column_values, ids
from hisabi_sync.engine.model.change import Caller, Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store import load

HIDDEN = "Hidden"
# MariaDB: Duplicate entry 'value' for key 'code', or 'table.code'.
KEY = re.compile(r"for key '(?:[^']*\.)?([^'.]+)'")


def conflict(
	change: Change,
	stored: Stored | None,
	entity: EntityType,
	caller: Caller,
	now: datetime,
	registry: Registry,
) -> dict[str, Any] | None:
	"""A row for Sync Conflict; None if the other record is not in the space, or the conflict is open already."""
	names, holder = _held_by_self(change, stored, entity)
	if holder is None:
		names, holder = _find(change, entity, caller, registry)
	if holder is None or _is_open(change, caller):
		return None
	return conflict_rows.unique_conflict(change, names, holder, entity, caller, now)


def field_of(error: Exception, entity: EntityType) -> str | None:
	"""The field whose value is not unique, by the key that the error of the driver names; None if no field belongs to it."""
	said = next((str(part) for part in error.args if isinstance(part, Exception)), "")
	key = KEY.search(said)
	if key is None or error.args[0] != entity.doctype:
		return None
	names = [key[1]] if key[1] in entity.fields else _columns_of(key[1], entity)
	return next(
		(name for name in names if name in entity.fields and entity.fields[name].access != HIDDEN), None
	)


def _columns_of(key: str, entity: EntityType) -> list[str]:
	"""Columns of a key. For the primary key, the field that gives documents their names."""
	if key == "PRIMARY":
		return [(frappe.get_meta(entity.doctype).autoname or "").removeprefix("field:")]
	rows = frappe.db.sql(
		f"SHOW INDEX FROM {sql.quote(entity.table)} WHERE Key_name = %s",
		(key,),
		as_dict=True,
	)
	return [row.Column_name for row in rows]


def holder_of(change: Change, entity: EntityType, caller: Caller, registry: Registry) -> str | None:
	"""The client id of the record in the space that has a unique value of the change, if the caller may read it."""
	holder = _find(change, entity, caller, registry)[1]
	if holder is None or visibility.hidden([holder], registry, caller.users):
		return None
	return holder.client_id


def unique_fields(entity: EntityType) -> list[str]:
	"""Names of the fields whose values only one document of the DocType may have."""
	return [name for name, field in entity.fields.items() if field.unique]


def _held_by_self(
	change: Change, stored: Stored | None, entity: EntityType
) -> tuple[list[str], Stored | None]:
	"""(unique fields, record) of an update: its conflict is about the record itself."""
	if stored is None or not stored.exists:
		return [], None
	return [name for name in unique_fields(entity) if name in change.values], stored


def _find(
	change: Change, entity: EntityType, caller: Caller, registry: Registry
) -> tuple[list[str], Stored | None]:
	"""(fields, record) of the first live record of the space that has one of the change's unique values."""
	for name in unique_fields(entity):
		value = change.values.get(name)
		stored = column_values.for_column(entity.fields[name], value)
		document = _document(entity, {name: stored}, caller) if value is not None else None
		found = _record(entity, document, caller.space, registry) if document else None
		if found:
			return [name], found
	return [], None


def _document(entity: EntityType, filters: dict[str, Any], caller: Caller) -> str | None:
	"""Name of a live document with the values; within the caller's space if the DocType has a field for that."""
	if entity.key_field:
		filters = {**filters, entity.key_field: caller.space_key}
	if "is_deleted" in entity.stamps:
		filters = {**filters, "is_deleted": 0}
	return frappe.db.get_value(entity.doctype, filters)


def _record(entity: EntityType, document: str, space: str, registry: Registry) -> Stored | None:
	where = (
		"document_type = %s AND document_name = %s AND space = %s AND entity_type = %s AND deleted_at IS NULL"
	)
	rows = sql.select("Sync Record", ["name"], where, (entity.doctype, document, space, entity.name))
	return (
		next(iter(load.working_copies([row[0] for row in rows], registry, lock=False).values()), None)
		if rows
		else None
	)


def _is_open(change: Change, caller: Caller) -> bool:
	"""Whether an earlier attempt at the change opened the conflict: a device repeats what failed."""
	return bool(change.op_id and open_conflicts(caller.device, [change.op_id]))


def open_conflicts(device: str | None, op_ids: Iterable[str]) -> dict[str, str]:
	"""{op key: name of the open conflict about a unique value} of ops of a device; one statement."""
	rows = frappe.db.sql(
		"""SELECT i.op_key, c.name FROM `tabSync Item` i JOIN `tabSync Conflict` c ON c.item = i.name
		WHERE i.device = %s AND i.op_key IN %s AND c.status = %s AND c.kind = 'unique'""",
		(device, tuple(ids.op_key(op_id) for op_id in op_ids), OPEN),
	)
	return dict(rows)
