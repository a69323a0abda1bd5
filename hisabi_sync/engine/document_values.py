"""Values as controllers of documents know them: of the types that Frappe itself hands them, and absent where nobody set them.

A new document has what its form would send, a document that is there what the database gives. So a controller compares dates
with dates and texts with texts, and computes with floats.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import getdate

from hisabi_sync.engine.model import column_values
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.model.merge import same

Row = dict[str, Any]


def for_new(entity: EntityType, values: Mapping[str, Any]) -> dict[str, Any]:
	"""The values that a new document is made with. Rows are new too, whatever their names."""
	return {name: _of_new(entity.fields[name], value) for name, value in values.items()}


def _of_new(field: Field, value: Any) -> Any:
	if field.kind is kinds.ROWS:
		return [_new_row(field, row) for row in value or []]
	value = _plain(field, value)
	return str(value) if field.kind in (kinds.DATE, kinds.TIME) and value is not None else value


def _new_row(field: Field, row: Row) -> Row:
	columns = {column.name: column for column in field.columns}
	return {
		name: _of_new(columns[name], cell)
		for name, cell in row.items()
		if name in columns and cell is not None
	}


def set_on(doc: Document, entity: EntityType, values: Mapping[str, Any]) -> None:
	"""Set the values on a document that was loaded. A row that it has keeps all that is not set."""
	for name, value in values.items():
		field = entity.fields[name]
		if field.kind is kinds.ROWS:
			own = {row.name: row for row in doc.get(name) or []}
			# A row keeps its name only if this very document has it: a name from elsewhere would reach another document.
			placed = enumerate(value or [], 1)
			doc.set(
				name, [_row_on(doc, field, own.pop(row.get("name"), None), row, at) for at, row in placed]
			)
		else:
			doc.set(name, _of_loaded(field, value))


def _row_on(doc: Document, field: Field, own: Document | None, row: Row, place: int) -> Document | Row:
	columns = {column.name: column for column in field.columns}
	cells = {name: cell for name, cell in row.items() if name in columns}
	if own is None:
		filled = {name: cell for name, cell in cells.items() if cell is not None}
		return {**_default_row(doc, field), **_loaded(columns, filled), "idx": place}
	# What is not changed stays as it was loaded.
	changed = {
		name: cell for name, cell in cells.items() if not same(columns[name].load(own.get(name)), cell)
	}
	own.update({**_loaded(columns, changed), "idx": place})
	return own


def _default_row(doc: Document, field: Field) -> Row:
	"""A new row as the Desk's form begins it."""
	row = frappe.new_doc(field.options, parent_doc=doc, parentfield=field.name, as_dict=True)
	dates = [c.name for c in field.columns if c.kind is kinds.DATE and row.get(c.name)]
	return {**row, **{name: getdate(row[name]) for name in dates}}


def _loaded(columns: Mapping[str, Field], cells: Row) -> Row:
	return {name: _of_loaded(columns[name], cell) for name, cell in cells.items()}


def _of_loaded(field: Field, value: Any) -> Any:
	value = _plain(field, value)
	return datetime.combine(date.min, value) - datetime.min if isinstance(value, time) else value


def _plain(field: Field, value: Any) -> Any:
	"""The value as its column has it; amounts are floats."""
	value = column_values.for_column(field, value)
	return float(value) if field.kind is kinds.DECIMAL and value is not None else value
