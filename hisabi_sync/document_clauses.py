"""Which rows of this app a person may see when the rows hold values of documents, as conditions in SQL.

A row is shown to people who may read its document and all the fields whose values are in it. When the document is gone, or not
made yet, the row is shown to people who may read every document of the DocType. The conditions are part of every list, so
a filter tells nothing about other rows.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.model.db_query import DatabaseQuery

from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.sharing import visibility

NEVER = "FALSE"
_BY_NAME = "{table}.document_name IN ({rows})"
_BY_RECORD = "{table}.record IN (SELECT name FROM `tabSync Record` WHERE document_name IN ({rows}))"
_ENTITY_TYPE, _DOCUMENT_TYPE = "{table}.entity_type", "{table}.document_type"
# An upload that no record names yet is of no entity type.
_NAMERS_TYPE = "COALESCE((SELECT entity_type FROM `tabSync Record` WHERE name = {table}.record), '')"
_RECORDS_TYPE = "(SELECT entity_type FROM `tabSync Record` WHERE name = {table}.record)"


@dataclass(frozen=True, slots=True)
class Holder:
	"""How a row of a DocType names what it is about (`kind`), its document, and the texts with values by field.

	A row without `texts` is about all fields together, such as a hash of them.
	"""

	kind: str
	document: str
	texts: tuple = ()
	has_title: bool = False
	is_shortened: bool = False  # whether a text may be the beginning of another, quoted


# By entity type.
ENTITIES = {
	"Sync Conflict": Holder(
		_ENTITY_TYPE,
		_BY_NAME,
		("base_values", "server_values", "client_values", "resolved_values", "history"),
		has_title=True,
	),
	"Sync Item": Holder(
		_ENTITY_TYPE, _BY_RECORD, ("payload", "original_payload", "result"), is_shortened=True
	),
	"Sync Version": Holder(_RECORDS_TYPE, _BY_RECORD, ("before",)),
	"Sync Record": Holder(_ENTITY_TYPE, _BY_NAME),
	"Sync Waiting": Holder(_ENTITY_TYPE, _BY_NAME),
	"Sync Media": Holder(_NAMERS_TYPE, _BY_RECORD),
}
# By DocType.
DOCUMENTS = {
	"Sync Run Record": Holder(_DOCUMENT_TYPE, _BY_NAME, ("payload", "changes")),
	"Sync Identity": Holder(_DOCUMENT_TYPE, _BY_NAME),
}
# Answers to whole calls, which may hold records of every entity type of their space.
CALLS = "Sync Call"
_OF_SPACES = "`tabSync Call`.space NOT IN (SELECT name FROM `tabSync Space` WHERE space_type IN ({types}))"


@dataclass(frozen=True, slots=True)
class Limit:
	"""What a user may not see of a kind: `rows` selects the documents that they may read (None: all of them).

	`names` are what fields that they may not read are called in texts; `is_hashed` says whether they are among those that are
	exchanged, and `is_title` whether the title is.
	"""

	kind: str
	rows: str | None
	names: tuple = ()
	is_hashed: bool = False
	is_title: bool = False


def conditions(doctype: str, user: str) -> list[str]:
	"""Conditions for the rows of one of our DocTypes; none for a user who may read everything that they hold."""
	if user == visibility.ADMINISTRATOR:
		return []
	if doctype in ENTITIES:
		return [_clause(doctype, ENTITIES[doctype], limit) for limit in _of_entities(user)]
	if doctype in DOCUMENTS:
		return [_clause(doctype, DOCUMENTS[doctype], limit) for limit in _of_documents(user)]
	return _of_calls(user) if doctype == CALLS else []


def _clause(doctype: str, holder: Holder, limit: Limit) -> str:
	table, kind = f"`tab{doctype}`", _escaped(limit.kind)
	holder_kind = holder.kind.format(table=table)
	shown = [holder.document.format(table=table, rows=limit.rows)] if limit.rows is not None else []
	shown += _unnamed(table, holder, limit)
	return f"(COALESCE({holder_kind}, {kind}) != {kind} OR ({' AND '.join(shown or ['TRUE'])}))"


def _unnamed(table: str, holder: Holder, limit: Limit) -> list[str]:
	"""That no field above the user's levels stands in the row. Bytes are compared, which is faster than letters."""
	if not holder.texts:
		return [NEVER] if limit.is_hashed else []
	found = [
		f"LOCATE(BINARY {_escaped(word)}, COALESCE({table}.`{text}`, '')) = 0"
		for text in holder.texts
		for name in limit.names
		for word in _spellings(name, holder.is_shortened)
	]
	return [*found, f"COALESCE({table}.title, '') = ''"] if limit.is_title and holder.has_title else found


def _spellings(name: str, is_shortened: bool) -> tuple[str, ...]:
	word = json.dumps(name)
	return (word, json.dumps(word)[1:-1]) if is_shortened else (word,)


def _escaped(text: str) -> str:
	return frappe.db.escape(text, percent=False)


# --- what the user may not see


def _of_entities(user: str) -> Iterator[Limit]:
	for entity in registry().by_name.values():
		if entity.check_permissions:
			columns = [column.name for table in entity.tables for column in table.columns]
			yield from _limits(entity.name, entity.doctype, user, entity.aliases, {*entity.fields, *columns})


def _of_calls(user: str) -> list[str]:
	by_name = registry().by_name
	types = {by_name[limit.kind].space_type for limit in _of_entities(user)}
	escaped = ", ".join(map(_escaped, sorted(types)))
	return [_OF_SPACES.format(types=escaped)] if types else []


def _of_documents(user: str) -> Iterator[Limit]:
	"""Limits by the DocTypes of connections. Rows about no DocType are for users who may read all of them."""
	mappings = _mappings()
	existing = set(frappe.get_all("DocType", {"name": ["in", list(mappings)]}, pluck="name"))
	for doctype in sorted(mappings):
		if doctype not in existing:
			# Nobody can be asked for their rights on a DocType that was removed.
			yield Limit(doctype, "NULL", (), False, False)
			continue
		names = mappings[doctype]
		yield from _limits(doctype, doctype, user, names, names.values())


def _mappings() -> dict[str, dict[str, str]]:
	"""{DocType: {name on the other side: field}} of the DocTypes that can be exchanged."""
	offered = {"name": ["in", frappe.get_hooks("sync_run_doctypes")]}
	found: dict[str, dict[str, str]] = {
		name: {} for name in frappe.get_all("DocType", filters=offered, pluck="name")
	}
	for row in frappe.get_all("Sync Connection Entity", fields=["document_type", "mapping"]):
		if row.document_type:
			found.setdefault(row.document_type, {}).update(_pairs(json.loads(row.mapping or "[]")))
	return found


def _pairs(mapping: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
	for row in mapping:
		if row.get("local"):
			yield (row.get("remote") or row["local"]).rpartition(".")[2], row["local"]
		yield from _pairs(row.get("rows") or ())


def _limits(kind: str, doctype: str, user: str, others: dict, exchanged: Iterable) -> Iterator[Limit]:
	"""`others` maps other names to fields, `exchanged` are fields that are synced or sent."""
	rows, fields = readable_rows(doctype, user), _fields_above(doctype, user)
	if rows is not None or fields:
		names = {*fields, *(name for name, field in others.items() if field in fields)}
		is_title = frappe.get_meta(doctype).title_field in fields
		yield Limit(kind, rows, tuple(sorted(names)), not fields.isdisjoint(exchanged), is_title)


def readable_rows(doctype: str, user: str) -> str | None:
	"""A SELECT of the names of the documents that a list would show the user; None when it would show all."""
	if not frappe.has_permission(doctype, "read", user=user):
		return "NULL"
	query = DatabaseQuery(doctype, user=user)
	match = query.build_match_conditions()
	where = " AND ".join(f"({part})" for part in (*query.conditions, match) if part)
	return f"SELECT name FROM `tab{doctype}` WHERE {where}" if where else None  # noqa: S608


def _fields_above(doctype: str, user: str) -> set[str]:
	"""Names of the fields, and of the columns of rows, above the levels that the user may read."""
	meta = frappe.get_meta(doctype)
	levels = {0, *meta.get_permlevel_access("read", user=user)}
	guarded = [
		*meta.fields,
		*(df for table in meta.get_table_fields() for df in frappe.get_meta(table.options).fields),
	]
	return {df.fieldname for df in guarded if (df.permlevel or 0) not in levels}
