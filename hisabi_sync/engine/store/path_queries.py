"""Statements along space paths: from documents to their space, and back from a document to those whose path leads through it.

Both ways follow the links as they are stored now. The way back looks each link up in an index, which is made with the entity type.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.paths import Hop, Path, Way
from hisabi_sync.engine.store import load

Chain = list[Hop]  # from the document towards the other one
Link = tuple[str, str]  # (DocType, field)


class Tables:
	"""The tables of a statement, joined along paths; paths that begin alike share their tables."""

	def __init__(self, doctype: str, text: str | None = None) -> None:
		self.text = text or f"{sql.quote('tab' + doctype)} t0"
		self.values: list[Any] = []
		self.where: list[str] = []
		self.where_values: list[Any] = []
		self._joined: dict[tuple[tuple[str, str], ...], tuple[str, str]] = {(): ("t0", doctype)}

	def column(self, path: Path) -> str:
		"""The column at the end of a path."""
		for depth in range(1, len(path)):
			self._join(path[:depth])
		alias, _ = self._joined[_names(path[:-1])]
		return f"{alias}.{sql.quote(path[-1].field)}"

	def _join(self, path: Path) -> None:
		key, step = _names(path), path[-1]
		if key in self._joined:
			return
		alias, (before, doctype) = f"t{len(self._joined)}", self._joined[key[:-1]]
		if step.is_table:
			on = f"{alias}.parent = {before}.name AND {alias}.parenttype = %s AND {alias}.parentfield = %s"
			self.values += [doctype, step.field]
		else:
			on = f"{alias}.name = {before}.{sql.quote(step.field)}"
		if step.typed_by:
			on += f" AND {before}.{sql.quote(step.typed_by)} = %s"
			self.values.append(step.target)
		self.text += f" LEFT JOIN {sql.quote('tab' + step.target)} {alias} ON {on}"
		self._joined[key] = (alias, step.target)

	def aliases(self, doctype: str) -> list[str]:
		"""The aliases of a DocType's table in the statement."""
		return [alias for alias, joined_doctype in self._joined.values() if joined_doctype == doctype]

	def filter(self, clause: str, *values: Any) -> None:
		"""Add a condition, with its values."""
		self.where.append(clause)
		self.where_values += values


def _names(path: Path) -> tuple[tuple[str, str], ...]:
	"""A Dynamic Link leads to another table for each DocType."""
	return tuple((step.field, step.target) for step in path)


# --- the way back


def _chains(entity: EntityType, doctype: str) -> list[Chain]:
	"""The links by which documents of an entity type lead to a DocType on their path, or else to it as the document that is the key."""
	chains = [way.hops(entity.doctype) for way in entity.all_ways]
	found = [chain[:at] for chain in chains for at, hop in enumerate(chain, 1) if hop.target == doctype]
	found = found or [
		chain for way in entity.all_ways if (chain := _to_key(entity, way)) and chain[-1].target == doctype
	]
	return [chain for number, chain in enumerate(found) if chain not in found[:number]]


def _to_key(entity: EntityType, way: Way) -> Chain:
	"""The whole way as links, if the field that holds the key is a link to the document of that name; else none."""
	if not way.path:
		return []
	hops, field = way.hops(entity.doctype), way.path[-1].field
	doctype = hops[-1].target if hops else entity.doctype
	df = frappe.get_meta(doctype).get_field(field)
	return [*hops, Hop(doctype, field, df.options, "")] if df and df.fieldtype == "Link" else []


def entities_through(doctype: str) -> Iterator[EntityType]:
	"""The entity types whose path leads through a DocType."""
	registry = entity_types.registry()
	names = {name for found in registry.on_paths.get(doctype, {}).values() for name in found}
	return (registry.by_name[name] for name in sorted(names))


def entities_keyed_by(doctype: str) -> Iterator[EntityType]:
	"""The entity types whose documents find the key of their space in a link to a DocType."""
	for _, entity in sorted(entity_types.registry().by_name.items()):
		if any(
			chain and chain[-1].target == doctype
			for chain in (_to_key(entity, way) for way in entity.all_ways)
		):
			yield entity


def hanging(entity: EntityType, doctype: str, name: str, limit: int | None = None) -> set[str]:
	"""Names of the documents that hang on one, at most `limit` of them. One statement for each place in the path.

	It reads what is committed now, and waits for documents that are just being written.
	"""
	tail = f"LIMIT {int(limit)} " if limit is not None else ""
	found: set[str] = set()
	for chain in _chains(entity, doctype):
		found.update(str(row[0]) for row in frappe.db.sql(_query(chain, tail + load.LATEST), (name,)))
	return found


def _query(chain: Chain, tail: str) -> str:
	"""The far end first, so that every step is a look-up in an index."""
	tables = [f"{sql.quote('tab' + hop.doctype)} t{n}" for n, hop in enumerate(chain)]
	columns = [f"t{n}.{sql.quote(hop.link)}" for n, hop in enumerate(chain)]
	joins = [f" JOIN {tables[n]} ON {_leads(n, chain[n])}" for n in range(len(chain) - 2, -1, -1)]
	typed = [
		f" AND t{n}.{sql.quote(hop.typed_by)} = {frappe.db.escape(hop.target)}"
		for n, hop in enumerate(chain)
		if hop.typed_by
	]
	where = f"WHERE {columns[-1]} = %s{''.join(typed)}"
	return f"SELECT STRAIGHT_JOIN t0.name FROM {tables[-1]}{''.join(joins)} {where} {tail}"  # noqa: S608


def _leads(n: int, hop: Hop) -> str:
	"""The condition by which a table leads to the next one."""
	if not hop.is_table:
		return f"t{n}.{sql.quote(hop.link)} = t{n + 1}.name"
	doctype, field = map(frappe.db.escape, (hop.doctype, hop.link))
	return (
		f"t{n}.name = t{n + 1}.parent AND t{n + 1}.parenttype = {doctype} AND t{n + 1}.parentfield = {field}"
	)


# --- indexes for the way back


def missing_indexes(links: Iterable[Link]) -> list[Link]:
	"""Those of the links that no index begins with."""
	return [link for link in links if not _has_index(*link)]


def _has_index(doctype: str, field: str) -> bool:
	rows = frappe.db.sql(
		f"SHOW INDEX FROM {sql.quote('tab' + doctype)} WHERE Column_name = %s AND Seq_in_index = 1", (field,)
	)
	return bool(rows)


def make_indexes(links: Iterable[Link]) -> None:
	"""Make the indexes that are missing; each commits, and what waits for the commit may make the same. With the name as second
	column, because Frappe drops an index of a single column when a migration finds no `search_index` in the DocType.
	"""
	for doctype, field in missing_indexes(links):
		name, columns = frappe.db.get_index_name([field, "name"]), f"{sql.quote(field)}, name"
		frappe.db.sql_ddl(
			f"ALTER TABLE {sql.quote('tab' + doctype)} ADD INDEX IF NOT EXISTS {sql.quote(name)} ({columns})"
		)
