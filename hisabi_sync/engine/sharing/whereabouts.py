"""Where documents lie: the space to which the space path and the shares of their entity type lead."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids, joint
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.joint import Part, Parts, Share
from hisabi_sync.engine.model.paths import ASSIGNED, Way
from hisabi_sync.engine.sharing import joint_spaces, spaces, visibility
from hisabi_sync.engine.store import load
from hisabi_sync.engine.store.path_queries import Tables

# As Frappe itself decides who is assigned.
ASSIGNMENTS = """SELECT reference_name, allocated_to FROM `tabToDo`
	WHERE reference_type = %s AND reference_name IN %s AND status NOT IN ('Cancelled', 'Closed')"""


class Place(NamedTuple):
	"""The key of the space in which a document lies; of a joint space also its parts."""

	key: str
	parts: Parts = frozenset()


def of_document(doc: Document, entity: EntityType, own_spaces: Collection[str] = ()) -> str | None:
	"""Name of the space that a saved document belongs to by its entity type, or None. Creates the space if needed.

	`own_spaces` are spaces where it lies already. It comes into another one only by what leads there as it is now (see `of_documents`).
	"""
	for tail in ("", load.LATEST) if entity.leads_through else (None,):
		place = (
			_in_memory(doc, entity) if tail is None else _places(entity, [doc.name], tail).get(str(doc.name))
		)
		space = ids.space(entity.space_type, place.key) if place else None
		if space in own_spaces:
			return space
	return _ensure(entity, place) if place else None


def _in_memory(doc: Document, entity: EntityType) -> Place | None:
	key = key_of(doc, entity)
	return Place(key) if key else None


def of_documents(entity: EntityType, names: Collection[str]) -> dict[str, str]:
	"""{document name: its space} of locked documents that lie in one. Creates spaces if needed.

	Documents that come into a space lock what leads there, so that it cannot go elsewhere at the same moment without them.
	"""
	places = _places(entity, names, "" if entity.leads_through else load.LATEST)
	if entity.leads_through and (new := _not_there_yet(entity, names, places)):
		latest = _places(entity, new, load.LATEST)
		places = {**{name: place for name, place in places.items() if name not in new}, **latest}
	made = {place: _ensure(entity, place) for place in sorted(set(places.values()), key=lambda p: p.key)}
	return {name: made[place] for name, place in places.items()}


def _ensure(entity: EntityType, place: Place) -> str:
	if place.parts:
		return joint_spaces.ensure(entity.space_type, place.key, place.parts)
	return spaces.ensure(entity.space_type, place.key)


def _not_there_yet(entity: EntityType, names: Collection[str], places: Mapping[str, Place]) -> set[str]:
	where, values = "document_type = %s AND deleted_at IS NULL", (entity.doctype,)
	rows = sql.select_in("Sync Record", ["document_name", "space"], "document_name", names, where, values)
	there = set(map(tuple, rows))
	keys = {name: places[name].key if name in places else "" for name in names}
	return {name for name, key in keys.items() if (name, ids.space(entity.space_type, key)) not in there}


def key_of(doc: Document, entity: EntityType) -> str | None:
	"""The key to which the space path leads from a document as it is in memory, or None."""
	return next((key for way in entity.ways if (key := along(doc, way))), None)


def along(doc: Document, way: Way) -> str:
	"""The key to which a way of the space path leads from a document as it is in memory, or ""."""
	source = doc
	for step in way.path[:-1]:
		if not source.get(step.field) or (step.typed_by and source.get(step.typed_by) != step.target):
			return ""
		source = frappe.get_cached_doc(step.target, source.get(step.field))
	return way.constant or str(source.get(way.path[-1].field) or "")


def keys_of(entity: EntityType, names: Collection[str], tail: str = "") -> dict[str, str]:
	"""{document name: key of its space} for documents that have one.

	Costs one statement, whatever the path; one more for each share, and one if there are conditions.
	"""
	return {name: place.key for name, place in _places(entity, names, tail).items()}


def _places(entity: EntityType, names: Collection[str], tail: str) -> dict[str, Place]:
	if not names:
		return {}
	homes = _homes(entity, names, tail)
	if not (entity.shares or entity.condition):
		return {name: Place(key) for name, key in homes.items()}
	return {name: _place(entity, parts) for name, parts in parts_of(entity, names, tail, homes).items()}


def _place(entity: EntityType, parts: Parts) -> Place:
	key = joint.key(entity.space_type, parts)
	return Place(key, parts if joint.is_joint(key) else frozenset())


def parts_of(
	entity: EntityType, names: Collection[str], tail: str = "", homes: Mapping[str, str] | None = None
) -> dict[str, Parts]:
	"""{document name: the spaces that share it} for documents that lie in any."""
	values = _conditional(entity, names, tail)
	found: defaultdict[str, list[Part]] = defaultdict(list)
	for name, key in (_homes(entity, names, tail) if homes is None else homes).items():
		if joint.holds(entity.condition, values.get(name, {})):
			found[name].append(Part(entity.space_type, key))
	for share in entity.shares:
		for name, key in _shared(entity, share, names, tail):
			if joint.holds(entity.condition + share.condition, values.get(name, {})):
				found[name].append(Part(share.space_type, key, share.access))
	return {name: joint.of_keys(parts) for name, parts in found.items()}


def _homes(entity: EntityType, names: Collection[str], tail: str) -> dict[str, str]:
	"""{document name: key} by the space path: the first of its ways that leads to a key."""
	if not entity.ways:
		return {}
	tables = Tables(entity.doctype)
	columns = [tables.column(way.path) if way.path else frappe.db.escape(way.constant) for way in entity.ways]
	first = ", ".join(f"NULLIF({column}, '')" for column in columns)
	key = columns[0] if len(columns) == 1 else f"COALESCE({first})"
	rows = frappe.db.sql(
		f"SELECT t0.name, {key} FROM {tables.text} "  # noqa: S608
		f"WHERE t0.name IN %s AND {key} IS NOT NULL AND {key} != '' {tail}",
		(*tables.values, tuple(names)),
	)
	return {str(name): str(key) for name, key in rows}


def _shared(entity: EntityType, share: Share, names: Collection[str], tail: str) -> Iterator[tuple[str, str]]:
	"""(document name, key) of all keys to which the way of a share leads."""
	if share.way.constant:
		yield from ((str(name), share.way.constant) for name in names)
		return
	if share.way.path[-1].field == ASSIGNED:
		query, values = f"{ASSIGNMENTS} {tail}", (entity.doctype, tuple(names))
	else:
		tables = Tables(entity.doctype)
		key = tables.column(share.way.path)
		query = f"SELECT t0.name, {key} FROM {tables.text} WHERE t0.name IN %s {tail}"  # noqa: S608
		values = (*tables.values, tuple(names))
	for name, found in sorted(set(frappe.db.sql(query, values)), key=str):
		if found:
			yield str(name), str(found)


def _conditional(entity: EntityType, names: Collection[str], tail: str) -> dict[str, dict[str, Any]]:
	"""{document name: values of the fields that conditions ask for}."""
	fields = sorted({term.field for condition in entity.conditions for term in condition})
	if not fields:
		return {}
	rows = sql.select_in(entity.doctype, ["name", *map(sql.quote, fields)], "name", names, tail=tail)
	return {str(row[0]): dict(zip(fields, row[1:], strict=True)) for row in rows}


def shared(documents: Iterable[tuple[str, str]], user: str) -> dict[tuple[str, str], list[str]]:
	"""{(entity type, document): the joint space in which it lies now, and its parts}, as far as they are spaces of the user.

	Documents that one space has alone, and those that the user may not read, are left out. What nothing shares costs nothing.
	"""
	by_name = registry().by_name
	shareable = {(of, name) for of, name in documents if of in by_name and by_name[of].shares}
	return _of_user(shareable, user, alone=False)


def of_user(documents: Iterable[tuple[str, str]], user: str) -> dict[tuple[str, str], list[str]]:
	"""The same of all documents, also of those that one space has alone."""
	return _of_user(set(documents), user, alone=True)


def _of_user(
	documents: Collection[tuple[str, str]], user: str, alone: bool
) -> dict[tuple[str, str], list[str]]:
	if not documents:
		return {}
	held = spaces.held_by(user)  # read anew: a push may have made the joint space itself
	there = {key: space for key, space in _records(documents).items() if space in held}
	parts = joint_spaces.parts_held(set(there.values()), held)
	by_type: defaultdict[str, list[str]] = defaultdict(list)
	for (of, name), space in there.items():
		by_type[of] += [name] if alone or space in parts else []
	by_name = registry().by_name
	seen = {
		(of, name)
		for of, own in by_type.items()
		for name in map(str, visibility.readable(by_name[of], own, user))
	}
	return {key: [there[key], *parts.get(there[key], ())] for key in seen & there.keys()}


def _records(documents: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
	"""{(entity type, document): the space of its record}."""
	columns, where = ["entity_type", "document_name", "space"], "deleted_at IS NULL"
	rows = sql.select_in("Sync Record", columns, "document_name", sorted({n for _, n in documents}), where)
	return {(of, str(name)): space for of, name, space in rows if (of, str(name)) in documents}
