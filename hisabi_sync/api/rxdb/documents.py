"""Documents as RxDB keeps them, from records as a pull shows them. Source: docs/contracts/rxdb.md, Documents.

A field that is empty is left out, because a validated collection takes no null and an index no nullable field.
"""

from collections.abc import Collection, Mapping
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


def of_item(item: Item, entity: EntityType, shown: Collection[str] | None) -> Document:
	"""The document of a record, or its tombstone; `shown` are the fields that the app asks for, None for all."""
	if item.reason:
		return tombstone(item.client_id, entity, shown)
	values = {
		name: _value(rows_out(value, entity, name), entity.fields[name])
		for name, value in item.payload.items()
		if is_shown(name, entity, shown)
	}
	kept = {name: value for name, value in values.items() if not is_empty(value)}
	return {"id": item.client_id, **kept, DELETED: False}


def tombstone(client_id: str, entity: EntityType, shown: Collection[str] | None = None) -> Document:
	"""A deleted document, with something in every field that a schema may require."""
	names = [name for name, f in entity.fields.items() if f.required and is_shown(name, entity, shown)]
	required = {name: EMPTY.get(entity.fields[name].kind, "") for name in names}
	return {"id": client_id, **required, DELETED: True}


def is_shown(name: str, entity: EntityType, shown: Collection[str] | None) -> bool:
	"""Whether a field is in documents: RxDB keeps some names for itself."""
	return name in entity.fields and is_rxdb_name(name) and (shown is None or name in shown)


def _value(value: Any, field: Field) -> Any:
	if field.columns and isinstance(value, list):
		columns = {column.name: column for column in field.columns}
		return [_row(row, columns) for row in value]
	return bool(value) if field.kind is kinds.CHECK and value is not None else value


def _row(row: Mapping[str, Any], columns: Mapping[str, Field]) -> dict[str, Any]:
	cells = {name: _value(cell, columns[name]) if name in columns else cell for name, cell in row.items()}
	return {name: cell for name, cell in cells.items() if not is_empty(cell)}
