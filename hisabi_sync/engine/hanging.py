"""Which documents hang on another one: their space path leads through it. They are found by their links, whatever is stored."""

from collections.abc import Iterator

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.paths import Hop
from hisabi_sync.engine.store import load

Chain = list[Hop]  # from the document towards the other one


def ways(entity: EntityType, doctype: str) -> list[Chain]:
	"""The links by which documents of an entity type lead to a DocType on their path; none if it is not on it."""
	chains = [way.hops(entity.doctype) for way in entity.ways]
	found = [chain[:at] for chain in chains for at, hop in enumerate(chain, 1) if hop.target == doctype]
	return [chain for number, chain in enumerate(found) if chain not in found[:number]]


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


def _query(way: Chain, tail: str) -> str:
	"""The far end first, so that every step is a look-up in an index."""
	tables = [f"{sql.quote('tab' + hop.doctype)} t{n}" for n, hop in enumerate(way)]
	columns = [f"t{n}.{sql.quote(hop.link)}" for n, hop in enumerate(way)]
	joins = [f" JOIN {tables[n]} ON {columns[n]} = t{n + 1}.name" for n in range(len(way) - 2, -1, -1)]
	typed = [
		f" AND t{n}.{sql.quote(hop.typed_by)} = {frappe.db.escape(hop.target)}"
		for n, hop in enumerate(way)
		if hop.typed_by
	]
	where = f"WHERE {columns[-1]} = %s{''.join(typed)}"
	return f"SELECT STRAIGHT_JOIN t0.name FROM {tables[-1]}{''.join(joins)} {where} {tail}"  # noqa: S608
