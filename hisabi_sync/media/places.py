"""Where documents of synced DocTypes name uploads, in file fields and other columns, and which documents do."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import frappe
from frappe.model import table_fields

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import compiler, contracts
from hisabi_sync.engine.model import files
from hisabi_sync.engine.model.fields import Field

TEXTS = frozenset(("varchar", "text", "longtext", "json"))  # types of columns that could hold an address


@dataclass(frozen=True, slots=True)
class Source:
	"""A column that names uploads, its table, and the column there that names the document it belongs to.

	`field` is the field of the document that its rows are in; `levels` are the permission levels that a reader needs.
	"""

	document_type: str
	table: str
	column: str
	owner: str = "name"
	field: str = ""
	levels: frozenset = frozenset((0,))


def _of_doctype(doctype: str) -> Iterator[Source]:
	"""The columns of a DocType and its child tables that name uploads, those of contracts first."""
	yield from _of_contracts(doctype)
	for df in filter(compiler.is_stored, frappe.get_meta(doctype).fields):
		levels = {df.permlevel or 0}
		if df.fieldtype in files.FILES:
			yield Source(doctype, doctype, df.fieldname, levels=frozenset(levels))
		elif df.fieldtype in table_fields:
			yield from (
				_of_rows(
					doctype, df.options, column.fieldname, df.fieldname, levels | {column.permlevel or 0}
				)
				for column in frappe.get_meta(df.options).fields
				if column.fieldtype in files.FILES and compiler.is_stored(column)
			)


def _of_rows(doctype: str, table: str, column: str, field: str, levels: Iterable[int] = (0,)) -> Source:
	return Source(doctype, table, column, "parent", field, frozenset(levels))


def _of_contracts(doctype: str) -> list[Source]:
	"""What contracts bring; who reads a document of these reads what it names."""
	return [Source(doctype, *place) for place in contracts.media_columns(doctype)]


def of_fields(doctype: str, fields: Collection[Field]) -> list[Source]:
	"""The sources of some fields of an entity type and of the contracts, without regard to who may read them."""
	own = _of_contracts(doctype)
	own += [Source(doctype, doctype, f.name) for f in fields if f.fieldtype in files.FILES]
	return own + [
		_of_rows(doctype, field.options, column.name, field.name)
		for field in fields
		for column in field.columns
		if column.fieldtype in files.FILES
	]


def every() -> list[Source]:
	"""The sources of all DocTypes with an entity type, also of entity types that are switched off: they still name files."""
	doctypes = frappe.get_all("Sync Entity", pluck="document_type", order_by="document_type")
	return [s for doctype in doctypes if frappe.db.exists("DocType", doctype) for s in _of_doctype(doctype)]


def anywhere(keys: Collection[str]) -> set[str]:
	"""Which of the keys live documents hold in any column of text, of DocTypes that are or were synced.

	Fields change their types, and entity types are deleted. Reads whole tables: for what is about to be removed.
	"""
	found: set[str] = set()
	for source in _tables() if keys else ():
		if left := set(keys) - found:
			found |= left & _in_columns(source, left)
	return found


def _tables() -> list[Source]:
	"""The tables of documents and of their rows; without a column."""
	synced = {*frappe.get_all("Sync Entity", pluck="document_type"), *_of_records()}
	doctypes = frappe.get_all("DocType", filters={"name": ["in", sorted(synced)]}, pluck="name")
	own = [Source(doctype, doctype, "") for doctype in doctypes]
	return own + [
		_of_rows(doctype, df.options, "", df.fieldname)
		for doctype in doctypes
		for df in filter(compiler.is_stored, frappe.get_meta(doctype).get_table_fields())
	]


def _of_records() -> list[str]:
	rows = sql.select("Sync Record", ["DISTINCT document_type"], "document_type IS NOT NULL")
	return [row[0] for row in rows]


def _in_columns(source: Source, keys: Iterable[str]) -> set[str]:
	existing = frappe.db.get_table_columns(source.table)
	columns = [
		sql.quote(df.fieldname)
		for df in frappe.get_meta(source.table).fields
		if df.fieldname in existing and _is_text(df.fieldtype)
	]
	if not columns:
		return set()
	where, values = _living(source)
	where += f" AND ({' OR '.join(f'{column} IN %s' for column in columns)})"
	rows = sql.select(source.table, columns, where, (*values, *[_written(keys)] * len(columns)))
	return {files.outward(value) for row in rows for value in row if value}


def _is_text(fieldtype: str) -> bool:
	"""A field that became a button or a heading keeps its column, of which nobody sees anything."""
	return frappe.db.type_map.get(fieldtype, ("",))[0] in TEXTS


def keys_in(source: Source, keys: Iterable[str], documents: Iterable[str] = ()) -> set[str]:
	"""Which of the keys live documents name there: the given documents, or all of them."""
	return {files.outward(row[0]) for row in _rows(source, [], keys, documents)}


def namers(source: Source, keys: Iterable[str], documents: Iterable[str] = ()) -> set[tuple[str, str]]:
	"""{(document, key)} of the live documents that name the keys there."""
	rows = _rows(source, [source.owner], keys, documents)
	return {(str(row[1]), files.outward(row[0])) for row in rows}


def _rows(
	source: Source, more: Sequence[str], keys: Iterable[str], documents: Iterable[str]
) -> Sequence[tuple[str, ...]]:
	where, values = _living(source)
	if documents:
		where, values = f"{where} AND {source.owner} IN %s", (*values, tuple(documents))
	columns = [f"DISTINCT {sql.quote(source.column)}", *more]
	return sql.select_in(source.table, columns, source.column, _written(keys), where, values)


def _written(keys: Iterable[str]) -> tuple[str, ...]:
	"""What columns hold for the keys."""
	keys = set(keys)
	return tuple(sorted({*map(files.url_of, keys), *keys}))


def _living(source: Source) -> tuple[str, tuple]:
	"""A clause for rows of documents that are not marked as deleted."""
	where, values = "1 = 1", tuple[str, ...]()
	if source.field:
		where, values = "parenttype = %s AND parentfield = %s", (source.document_type, source.field)
	if frappe.get_meta(source.document_type).has_field("is_deleted"):
		living = f"SELECT name FROM {sql.quote('tab' + source.document_type)} WHERE is_deleted = 0"  # noqa: S608
		where += f" AND {source.owner} IN ({living})"
	return where, values
