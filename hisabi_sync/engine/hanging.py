"""Which documents hang on another one: their space path leads through it. They are found by their links, whatever is stored."""

from collections.abc import Iterator

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.store import load

Way = list[tuple[str, str]]  # (DocType, link), from the document towards the other one


def ways(entity: EntityType, doctype: str) -> list[Way]:
	"""The links by which documents of an entity type lead to a DocType on their path; none if it is not on it."""
	links = [(entity.doctype, entity.space_path.partition(".")[0]), *entity.path]
	return [links[:step] for step, (name, _) in enumerate(entity.path, 1) if name == doctype]


def links(entity: EntityType) -> Way:
	"""The links of an entity type's path that have to be searched."""
	return [(entity.doctype, entity.space_path.partition(".")[0]), *entity.path][: len(entity.path)]


def entities(doctype: str) -> Iterator[EntityType]:
	"""The entity types whose path leads through a DocType."""
	known = registry()
	names = {name for found in known.on_paths.get(doctype, {}).values() for name in found}
	return (known.by_name[name] for name in sorted(names))


def names(entity: EntityType, doctype: str, name: str, limit: int | None = None) -> set[str]:
	"""Names of the documents that hang on one; with a limit, no more than that. One statement for each place in the path.

	It reads what is committed now, and waits for documents that are just being written.
	"""
	tail = f"LIMIT {int(limit)} " if limit is not None else ""
	found: set[str] = set()
	for way in ways(entity, doctype):
		found.update(str(row[0]) for row in frappe.db.sql(_query(way, tail + load.LATEST), (name,)))
	return found


def _query(way: Way, tail: str) -> str:
	"""The far end first, so that every step is a look-up in an index."""
	tables = [f"{sql.quote('tab' + doctype)} t{n}" for n, (doctype, _) in enumerate(way)]
	columns = [f"t{n}.{sql.quote(link)}" for n, (_, link) in enumerate(way)]
	joins = [f" JOIN {tables[n]} ON {columns[n]} = t{n + 1}.name" for n in range(len(way) - 2, -1, -1)]
	return f"SELECT STRAIGHT_JOIN t0.name FROM {tables[-1]}{''.join(joins)} WHERE {columns[-1]} = %s {tail}"  # noqa: S608
