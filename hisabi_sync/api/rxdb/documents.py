"""Documents as RxDB keeps them, from records as a pull shows them. Source: docs/contracts/rxdb.md, Documents.

A field that is empty is left out, because a validated collection takes no null and an index no nullable field.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hisabi_sync.api.dialects.values import is_empty
from hisabi_sync.api.site.records import rows_out
from hisabi_sync.api.site.schema_forms import is_rxdb_name
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.pull import Item

Document = dict[str, Any]
DELETED = "_deleted"
ROW_ID = "id"
# What stands for nothing in a field that a collection requires.
EMPTY = {kinds.INT: 0, kinds.DECIMAL: 0, kinds.CHECK: False, kinds.ROWS: [], kinds.JSON: {}}


def names(entity: EntityType, asked: Iterable[str] | None) -> dict[str, str]:
	"""{field: its name in the collection} of all fields, or of those that an app asks for, by name or alias. RxDB keeps some names for itself."""
	known = map(entity.outward, entity.fields) if asked is None else asked
	by_field = {name if name in entity.fields else entity.aliases.get(name, ""): name for name in known}
	return {field: name for field, name in by_field.items() if field in entity.fields and is_rxdb_name(name)}


def of_item(item: Item, entity: EntityType, known: Mapping[str, str]) -> Document:
	"""The document of a record, or its tombstone; `known` are {field: its name in the collection}."""
	if item.reason:
		return tombstone(item.client_id, entity, known)
	values = {
		name: _value(rows_out(item.payload[field], entity, field), entity.fields[field])
		for field, name in known.items()
		if field in item.payload
	}
	kept = {name: value for name, value in values.items() if not is_empty(value)}
	return {"id": item.client_id, **kept, DELETED: False}


def tombstone(client_id: str, entity: EntityType, known: Mapping[str, str]) -> Document:
	"""A deleted document, with something in every field that a schema may require."""
	needed = [(name, entity.fields[field]) for field, name in known.items() if entity.fields[field].required]
	required = {name: EMPTY.get(field.kind, "") for name, field in needed}
	return {"id": client_id, **required, DELETED: True}


def _value(value: Any, field: Field) -> Any:
	if field.columns and isinstance(value, list):
		columns = {column.name: column for column in field.columns}
		return [_row(row, columns) for row in value]
	return bool(value) if field.kind is kinds.CHECK and value is not None else value


def _row(row: Mapping[str, Any], columns: Mapping[str, Field]) -> dict[str, Any]:
	cells = {name: _value(cell, columns[name]) if name in columns else cell for name, cell in row.items()}
	return {name: cell for name, cell in cells.items() if not is_empty(cell)}
