"""Links of a change: the records that they lead to, who may name those, and document names in the place of client ids."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.sharing.foreign import Foreign


def linked_records(values: Mapping[str, Any], entity: EntityType, registry: Registry, space: str) -> set[str]:
	"""Names of the Sync Records that values point to."""
	found = set()
	for holder, field, _ in each(values, entity):
		target = target_of(field, entity, registry)
		if target:
			found.add(ids.record(space, target.name, holder[field.name]))
	return found


def target_of(field: Field, entity: EntityType, registry: Registry) -> EntityType | None:
	target = registry.by_doctype.get(field.options) if field.fieldtype == "Link" else None
	return target if target and target.space_type == entity.space_type else None


@dataclass(frozen=True, slots=True)
class Reach:
	"""What the links of a batch may lead to; `hidden` are names of Sync Records that the caller may not read."""

	registry: Registry
	space: str
	stored: dict[str, Stored]
	foreign: Foreign
	hidden: set[str]

	def find(self, field: Field, value: str, entity: EntityType) -> tuple[str | None, bool]:
		"""(name of the document that is there, whether the caller may name it)."""
		target = target_of(field, entity, self.registry)
		if target is None and self.registry.is_broken(field.options):
			return None, False
		if target is None:
			name = self.foreign.find(field.options, value)
			return name, name is not None and self.foreign.may_name(field, name, entity)
		record = self.stored.get(ids.record(self.space, target.name, value))
		if record is None or not record.live:
			return None, False
		return record.document_name, record.name not in self.hidden


def resolve_links(
	change: Change, entity: EntityType, reach: Reach, held: Iterable[Mapping[str, Any]]
) -> None:
	"""Replace client ids in the change by document names. Raises ItemError invalid_link with the fields.

	What the caller may not read is answered like what is not there, unless the record holds it, or held it (`held`).
	"""
	wrong, kept = [], None
	for holder, field, path in each(change.values, entity):
		name, may = reach.find(field, holder[field.name], entity)
		if name is not None and not may:
			kept = _path_names(held, entity) if kept is None else kept
			name = name if (path, name) in kept else None
		if name is not None and _is_self(change, field, entity, reach.stored, name):
			name = None
		holder[field.name] = name
		if name is None:
			wrong.append(path)
	if wrong:
		raise ItemError("invalid_link", wrong)


def _path_names(held: Iterable[Mapping[str, Any]], entity: EntityType) -> set[tuple[str, Any]]:
	return {(path, holder[field.name]) for one in held for holder, field, path in each(one, entity)}


def resolve_base(change: Change, entity: EntityType, reach: Reach) -> set[str]:
	"""Replace client ids in what the change was made on; returns the fields that point to what is not there any more."""
	lost = set()
	for holder, field, path in each(change.base, entity):
		target = target_of(field, entity, reach.registry)
		record = target and reach.stored.get(ids.record(reach.space, target.name, holder[field.name]))
		held = record and record.document_name
		holder[field.name] = held if target else reach.foreign.find(field.options, holder[field.name])
		if holder[field.name] is None:
			lost.add(path.partition(".")[0])
	return lost


def _is_self(
	change: Change, field: Field, entity: EntityType, stored: Mapping[str, Stored], name: str
) -> bool:
	"""A record that points to itself, such as an account that is its own parent."""
	own = stored.get(change.record)
	return field.options == entity.doctype and own is not None and own.document_name == name


def each(values: Mapping[str, Any], entity: EntityType) -> Iterator[tuple[Any, Field, str]]:
	"""(holder, field, path) of every link that has a value; the holder is the dict that the value lies in."""
	for name in entity.links:
		if isinstance(values.get(name), str):
			yield values, entity.fields[name], name
	for table in entity.tables:
		rows = values.get(table.name)
		for row in rows if isinstance(rows, list) else ():
			for column in table.columns:
				if column.fieldtype == "Link" and isinstance(row.get(column.name), str):
					yield row, column, f"{table.name}.{column.name}"


def check_brought(
	values: Mapping[str, Any],
	rest: Change,
	brought: Mapping[str, Any],
	entity: EntityType,
	reach: Reach,
	held: Iterable[Mapping[str, Any]],
) -> None:
	"""Raise ItemError invalid_link for links that an earlier change brought and that may not be named today.

	`values` take up what that change `brought`; `rest` is that change with client ids. What the record holds, or held, may stay.
	"""
	found = [
		(path, reach.find(field, holder[field.name], entity))
		for holder, field, path in each(rest.values, entity)
	]
	good = {(path, name) for path, (name, may) in found if may} | _path_names(held, entity)
	suspects = _path_names([brought], entity) - good
	wrong = [path for holder, field, path in each(values, entity) if (path, holder[field.name]) in suspects]
	if wrong:
		raise ItemError("invalid_link", list(dict.fromkeys(wrong)))
