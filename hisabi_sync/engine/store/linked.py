"""Which tombstones something alive links to. They stay: Frappe saves no document whose links lead nowhere."""

from collections.abc import Iterable
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model.entity_type import EntityType


def to(space: str, rows: Iterable[tuple[Any, ...]]) -> set[tuple[str, str]]:
	"""{(entity type, document name)} of those rows `(entity type, document name, ...)` that a live document links to."""
	space_type, key = frappe.db.get_value("Sync Space", space, ["space_type", "space_key"])
	by_type: dict[str, list[str]] = {}
	found: set[tuple[str, str]] = set()
	for entity_type, document_name, *_ in rows:
		by_type.setdefault(entity_type, []).append(document_name)
	for entity_type, names in by_type.items():
		for query in _queries(entity_type, space_type):
			found.update((entity_type, name) for (name,) in frappe.db.sql(query, (tuple(names), key)))
	return found


def _queries(entity_type: str, space_type: str) -> list[str]:
	"""A select for each link to documents that pushes mark as deleted; Frappe itself guards those that it deletes."""
	known = registry()
	target = known.by_name.get(entity_type)
	if target is None or "is_deleted" not in target.stamps:
		return []
	others = [entity for entity in known.of_space_type(space_type) if _is_marked(entity)]
	return [_query(other, *source) for other in others for source in _sources(other, target.doctype)]


def _is_marked(entity: EntityType) -> bool:
	return "is_deleted" in entity.stamps and "." not in entity.space_path and entity.space_path != "name"


def _sources(entity: EntityType, doctype: str) -> list[tuple[str, str]]:
	"""[(column, join)] of the links of an entity type, and of its child tables, to a DocType."""
	own = [(f"t.{sql.quote(name)}", "") for name, target in entity.links.items() if target == doctype]
	for table in entity.tables:
		join = f"JOIN {sql.quote('tab' + table.options)} c ON c.parent = t.name"
		fields = frappe.get_meta(table.options).get_link_fields()
		own += [(f"c.{sql.quote(df.fieldname)}", join) for df in fields if df.options == doctype]
	return own


def _query(entity: EntityType, column: str, join: str) -> str:
	return (
		f"SELECT DISTINCT {column} FROM {sql.quote(entity.table)} t {join} "  # noqa: S608
		f"WHERE {column} IN %s AND t.is_deleted = 0 AND t.{sql.quote(entity.space_path)} = %s"
	)
