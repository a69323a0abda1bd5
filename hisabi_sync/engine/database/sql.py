"""Multi-row statements. Names of tables and columns come from DocTypes, never from a request."""

from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import frappe

CHUNK_ROWS = 500
CHUNK_BYTES = 3 * 1024 * 1024  # of characters: as bytes in base64 below any server's max_allowed_packet


Rows = Sequence[tuple[Any, ...]]


class Database(Protocol):
	"""What a select is sent to: the primary (`frappe.db`), or a replica that answers a pull."""

	def sql(self, query: str, values: Iterable[Any] = ()) -> Any:
		"""Rows of a select, as tuples."""


def quote(name: str) -> str:
	"""A name of a table or column between back quotes, so that it cannot end the statement's name."""
	return "`" + name.replace("`", "``") + "`"


def insert(doctype: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
	"""Insert rows (sequences in the order of columns). A taken key raises; nothing is ignored."""
	_write(doctype, columns, rows, "")


def upsert(doctype: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
	"""Insert rows whose first column is the name; of existing rows the other columns are replaced."""
	changes = ", ".join(f"{quote(column)} = VALUES({quote(column)})" for column in columns[1:])
	_write(doctype, columns, rows, f" ON DUPLICATE KEY UPDATE {changes}")


def insert_missing(doctype: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
	"""Insert the rows whose key is free; existing rows stay as they are."""
	_write(doctype, columns, rows, " ON DUPLICATE KEY UPDATE name = name")


def insert_or(doctype: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], changes: str) -> None:
	"""Insert rows. If a key exists, make `changes` (the engine's own text) to the row that has it."""
	_write(doctype, columns, rows, f" ON DUPLICATE KEY UPDATE {changes}")


def _write(doctype: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], tail: str) -> None:
	head = f"INSERT INTO {quote('tab' + doctype)} ({', '.join(map(quote, columns))}) VALUES "  # noqa: S608
	for chunk in _chunks(rows):
		marks, values = _marks(chunk)
		frappe.db.sql(head + ",".join(marks) + tail, values)


def _marks(rows: Sequence[Sequence[Any]]) -> tuple[list[str], dict[str, Any]]:
	"""Placeholders for each row, and their values. They are short because Frappe searches the whole statement.

	They begin with a character of their column, of which none from `a` on means anything in a format. A column that is like an
	earlier one has the placeholders of that one.
	"""
	marks: list[str] = []
	values: dict[str, Any] = {}
	columns = list(zip(*rows, strict=True))
	for code, column in enumerate(columns, ord("a")):
		twin = columns.index(column)
		mark, sent = (marks[twin], {}) if twin < len(marks) else _sent(chr(code), column)
		marks.append(mark)
		values.update(sent)
	mark = "(" + ",".join(marks) + ")"
	return [mark.replace("#", str(n)) for n in range(len(rows))], values


def _sent(name: str, column: Sequence[Any]) -> tuple[str, dict[str, Any]]:
	"""(placeholder in which `#` is the number of the row, values) of a column, as the driver escapes least.

	If all rows agree, it is one value. JSON goes in base64: from its first quote on, the driver would escape it character
	by character.
	"""
	first = column[0]
	if column.count(first) == len(column):
		return f"%({name})s", {name: first}
	if type(first) is str and '"' in first and all([type(value) is str for value in column]):
		encoded = [b64encode(value.encode()).decode() for value in column]
		return f"FROM_BASE64(%({name}#)s)", {f"{name}{n}": text for n, text in enumerate(encoded)}
	return f"%({name}#)s", {f"{name}{n}": value for n, value in enumerate(column)}


def _chunks(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
	chunk: list[Sequence[Any]] = []
	size = 0
	for row in rows:
		bytes_here = sum([len(value) for value in row if type(value) is str])
		if chunk and (len(chunk) >= CHUNK_ROWS or size + bytes_here > CHUNK_BYTES):
			yield chunk
			chunk, size = [], 0
		chunk.append(row)
		size += bytes_here
	if chunk:
		yield chunk


def select(
	doctype: str,
	columns: Iterable[str],
	where: str,
	values: Iterable[Any] = (),
	tail: str = "",
	database: Database | None = None,
) -> Rows:
	"""Rows as tuples. `columns` and `where` are the engine's own text; `values` fill its %s."""
	query = f"SELECT {', '.join(columns)} FROM {quote('tab' + doctype)} WHERE {where} {tail}"  # noqa: S608
	return ask(query, values, database)


def ask(query: str, values: Iterable[Any] = (), database: Database | None = None) -> Rows:
	"""Rows of a select of the engine's own, from the primary unless a `database` is given."""
	return (database or frappe.db).sql(query, values)


def select_in(
	doctype: str,
	columns: Iterable[str],
	column: str,
	keys: Collection[Any],
	where: str = "",
	values: Iterable[Any] = (),
	tail: str = "",
	database: Database | None = None,
) -> Rows:
	"""Rows whose `column` is one of the keys, in one statement; no keys give no rows and no statement."""
	if not keys:
		return ()
	clause = f"{quote(column)} IN %s" + (f" AND {where}" if where else "")
	return select(doctype, columns, clause, (tuple(keys), *values), tail, database)


def update_in(
	doctype: str,
	values: Mapping[str, Any],
	names: Collection[str],
	where: str = "",
	parameters: Iterable[Any] = (),
) -> None:
	"""Set columns of the rows with these names; no names give no statement."""
	if not names:
		return
	changes = ", ".join(f"{quote(column)} = %s" for column in values)
	clause = "name IN %s" + (f" AND {where}" if where else "")
	query = f"UPDATE {quote('tab' + doctype)} SET {changes} WHERE {clause}"  # noqa: S608
	frappe.db.sql(query, (*values.values(), tuple(names), *parameters))
