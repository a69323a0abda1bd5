"""Into which space a change goes that does not say so: where its record lies, or where its document says that it belongs.

Everything is asked for the whole push at once. A document leads to its space by the ways of its entity type, as it does when it is
saved; on the way it may lead through records that the same push makes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import frappe

from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids, joint
from hisabi_sync.engine.model.change import CREATE, Change
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.paths import Path, Way
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.store import load
from hisabi_sync.engine.store.path_queries import Tables

Identity = tuple[str, str]  # (entity type, client id)
MOST_ROWS = 20  # of a table by which a new document finds its space; the document itself is in all spaces that its rows lead to
CHUNK = 10_000  # records in a statement


@dataclass(frozen=True, slots=True)
class Door:
	"""Where a path leaves the push: a document, by what the device calls it, and the rest of the path."""

	doctype: str
	text: str
	rest: Path


Leading = tuple[str, Way]  # (kind of space, a way to the key of one)
End = tuple[str, Door | str]  # (kind of space, what stands at the end of a way to it)


@dataclass(slots=True)
class Routes:
	"""The spaces of a push. `held` are those of the user, `named` those that changes name."""

	held: Mapping[str, HeldSpace]
	changes: Sequence[Change]
	named: Mapping[int, str | None]
	spaces: dict[int, str] = field(default_factory=dict)  # by the place of the change
	by_kind: dict[str, list[str]] = field(default_factory=dict)
	creates: dict[Identity, int] = field(default_factory=dict)
	answered: Collection[int] = ()  # places of changes that were answered before

	def open_to(self, change: Change, entity: EntityType) -> list[str]:
		"""The spaces to which a change may go: those of its type's kind, and for a create those that writable shares lead to."""
		creates = change.operation == CREATE
		shares = [share.space_type for share in entity.shares if creates and share.access == joint.WRITE]
		kinds = dict.fromkeys((entity.space_type, *shares))
		return [space for kind in kinds for space in self.by_kind.get(kind, ())]

	def is_made_here(self, change: Change) -> bool:
		"""Whether a create of the same push makes the record that the change is about."""
		return self.creates.get((change.entity_type, change.client_id)) not in (None, *self.answered)


def route(
	changes: Sequence[Change],
	held: Mapping[str, HeldSpace],
	named: Mapping[int, str | None],
	answered: Collection[int] = (),
) -> dict[int, str]:
	"""{place of a change: its space}, for those that have one.

	`named` are {place: the space that the change names, or None}; those `answered` before have that of their answer. A change without
	a space gets an error: space_access_denied, space_required, shared_with_nobody, only_assigned; one with an error goes where it
	may be kept.
	"""
	found = Routes(held, changes, named, answered=answered)
	for space, one in held.items():
		found.by_kind.setdefault(one.caller.space_type, []).append(space)
	found.creates = {
		(c.entity_type, c.client_id): i
		for i, c in enumerate(changes)
		if c.operation == CREATE and not c.error
	}
	_take_named(found)
	_route_creates(found)
	_route_others(found)
	return found.spaces


def _take_named(found: Routes) -> None:
	"""Changes that name their space, and those of a kind of which the user has no space."""
	for i, change in enumerate(found.changes):
		entity = registry().by_name.get(change.entity_type)
		own = found.open_to(change, entity) if entity else []
		named = found.named.get(i)
		if named in own:
			found.spaces[i] = named
		elif change.error and own:
			found.spaces[i] = own[0]
		elif not change.error and (named is not None or not (own or _is_open(found, change, entity))):
			change.error = ItemError("space_access_denied")


def _is_open(found: Routes, change: Change, entity: EntityType | None) -> bool:
	"""Whether a change of a kind of which the user has no space may go along with its create, or is told why it goes nowhere."""
	if change.operation == CREATE:
		return entity is not None and entity.is_only_assigned
	return found.is_made_here(change)


def _open(found: Routes, creates: bool) -> list[tuple[int, Change, EntityType]]:
	by_name = registry().by_name
	return [
		(i, change, by_name[change.entity_type])
		for i, change in enumerate(found.changes)
		if i not in found.spaces and not change.error and (change.operation == CREATE) == creates
	]


# --- what is there already


def _route_others(found: Routes) -> None:
	"""Changes of records: the space of the record, or that of the create in the same push."""
	todo = _open(found, False)
	places = _places(found, {(c.entity_type, c.client_id): entity for _, c, entity in todo})
	for i, change, entity in todo:
		own = found.by_kind.get(entity.space_type, [])
		made = found.creates.get((change.entity_type, change.client_id))
		there = places.get((change.entity_type, change.client_id), [])
		if made in found.spaces and found.is_made_here(change):
			found.spaces[i] = found.spaces[made]
		elif len(there) > 1:
			change.error = ItemError("space_required", ["space"])
		elif there or own:
			found.spaces[i] = (there or own)[0]
		else:
			change.error = ItemError("space_access_denied")


def _places(found: Routes, entities: Mapping[Identity, EntityType]) -> dict[Identity, list[str]]:
	"""{(entity type, client id): spaces of the user in which such records live, or else in which they were}; one statement."""
	names = {
		ids.record(space, *identity): (identity, space)
		for identity, entity in entities.items()
		if len(found.by_kind.get(entity.space_type, ())) > 1
		for space in found.by_kind[entity.space_type]
	}
	live: dict[Identity, list[str]] = {}
	gone: dict[Identity, list[str]] = {}
	for name, stored in load.records(names).items():
		identity, space = names[name]
		(live if stored.live else gone).setdefault(identity, []).append(space)
	return {**{identity: spaces[:1] for identity, spaces in gone.items()}, **live}


# --- what is new


def _route_creates(found: Routes) -> None:
	"""New documents: where they say that they belong, or the only space that there is."""
	todo = _open(found, True)
	homes = {i: _ends_of(found, change, entity, _homes(entity)) for i, change, entity in todo}
	shares = {i: _ends_of(found, change, entity, _shares(change, entity)) for i, change, entity in todo}
	ends = [end for of in (homes, shares) for way in of.values() for _, end in way]
	keys = _behind(found, {end for end in ends if isinstance(end, Door)})
	for i, change, entity in todo:
		home, shared = (
			[space for kind, end in of[i] for space in _led_to(found, kind, end, keys)]
			for of in (homes, shares)
		)
		said = [*home[:1], *shared, *_of_maker(found, change, entity)]
		space = _chosen(found, entity, said)
		if space and not _is_at_home(found, change, entity, space):
			change.error = ItemError("space_access_denied")
		elif space:
			found.spaces[i] = space
		else:
			change.error = _unplaced(found, entity, bool(said))


def _is_at_home(found: Routes, change: Change, entity: EntityType, space: str) -> bool:
	"""Whether a document that goes through a space of another kind names as its home a space of the user, if it names one."""
	if found.held[space].caller.space_type == entity.space_type:
		return True
	return all(ids.space(entity.space_type, str(key)) in found.held for key in change.leads.values() if key)


def _homes(entity: EntityType) -> Iterator[Leading]:
	return ((entity.space_type, way) for way in entity.ways)


def _shares(change: Change, entity: EntityType) -> Iterator[Leading]:
	"""Ways by which a document comes into further spaces whose members may write it, as far as it says so itself."""
	for share in entity.shares:
		is_open = share.access == joint.WRITE and not share.way.ends_with_assigned
		if is_open and _meets(change, entity, share.condition):
			yield share.space_type, share.way


def _of_maker(found: Routes, change: Change, entity: EntityType) -> Iterator[str]:
	"""The maker's own spaces, for what only an assignment brings to a space: it is assigned to them as it is made."""
	user = next((one.caller.user for one in found.held.values()), "") if entity.is_only_assigned else ""
	for share in entity.shares if user else ():
		space = ids.space(share.space_type, user)
		if share.access == joint.WRITE and space in found.held and _meets(change, entity, share.condition):
			yield space


def _meets(change: Change, entity: EntityType, condition: joint.Condition) -> bool:
	"""Whether a new document meets a condition, as far as it says so. Only the fields of the condition are read."""
	said, values = _said(change, entity), dict(entity.defaults)
	for term in condition:
		field = entity.fields.get(term.field)
		if field and term.field in said:
			with suppress(ItemError):  # it will be refused for that
				values[term.field] = field.parse(said[term.field])
	return joint.holds(condition, values)


def _unplaced(found: Routes, entity: EntityType, is_foreign: bool) -> ItemError:
	"""Why a new document has no space. One that only shares lead to a space of the user is told by which fields that would be."""
	if is_foreign:
		return ItemError("space_access_denied")
	if entity.is_only_assigned:
		return ItemError("only_assigned")
	has_home = entity.ways and found.by_kind.get(entity.space_type)
	ways = [] if has_home else [share.way for share in entity.shares if share.access == joint.WRITE]
	fields = [_first_field(way) for way in ways if way.path and not way.ends_with_assigned]
	return ItemError("shared_with_nobody", fields) if fields else ItemError("space_required", ["space"])


def _first_field(way: Way) -> str:
	"""The field or the column with which a way begins in the document."""
	return ".".join(step.field for step in way.path[: 2 if way.path[0].is_table else 1])


def _chosen(found: Routes, entity: EntityType, said: Sequence[str]) -> str | None:
	"""Of the spaces that a document says one of the user's, if possible one to which they may push.

	If it says none: the user's own, or the only one of its kind that is not joint; none for what only shares lead to a space.
	"""
	if said or not entity.ways:
		there = [space for space in said if _is_plain(found, space)]
		return next((space for space in there if found.held[space].is_writable), next(iter(there), None))
	own = [space for space in found.by_kind.get(entity.space_type, ()) if _is_plain(found, space)]
	if len(own) == 1:
		return own[0]
	mine = {ids.space(entity.space_type, found.held[space].caller.user) for space in own[:1]}
	return next((space for space in own if space in mine), None)


def _is_plain(found: Routes, space: str) -> bool:
	"""Whether a space is one of the user's, and not joint: what lies in a joint one leads to its parts."""
	return space in found.held and not joint.is_joint(found.held[space].caller.space_key)


def _ends_of(found: Routes, change: Change, entity: EntityType, ways: Iterable[Leading]) -> list[End]:
	"""[(kind of space, the key to which a way leads within the push, or the Door where it leaves it)], in the order of the ways."""
	ends: list[End] = []
	for kind, way in ways:
		there = [way.constant] if way.constant else _within(found, change, entity, way.path)
		ends += [(kind, end) for end in there]
	return ends


def _within(found: Routes, change: Change, entity: EntityType, path: Path) -> Iterator[Door | str]:
	"""The keys at the end of a path, and Doors. From a table every row leads on."""
	said = _said(change, entity)
	if not path[0].is_table:
		yield from _along(found, said, path)
		return
	rows = said.get(path[0].field)
	for row in rows[:MOST_ROWS] if isinstance(rows, list) else ():
		if isinstance(row, dict):
			yield from _along(found, row, path[1:])


def _along(found: Routes, said: Mapping[str, Any], path: Path) -> Iterator[Door | str]:
	step, value = path[0], _text(said, path[0].field)
	if not value or (step.typed_by and _text(said, step.typed_by) != step.target):
		return
	target = registry().by_doctype.get(step.target)
	made = found.creates.get((target.name, value)) if target else None
	if len(path) == 1:
		yield value
	elif target is None or made is None:
		yield Door(step.target, value, path[1:])
	else:
		yield from _within(found, found.changes[made], target, path[1:])


def _said(change: Change, entity: EntityType) -> dict[str, Any]:
	"""What a change says by the names of fields, also of those that devices do not have."""
	return {
		**change.leads,
		**{entity.aliases.get(name, name): value for name, value in change.payload.items()},
	}


def _text(said: Mapping[str, Any], name: str) -> str:
	value = said.get(name)
	return value if isinstance(value, str) and len(value) <= ids.LONGEST else ""


def _led_to(found: Routes, kind: str, end: Door | str, behind: Mapping[Door, list[str]]) -> list[str]:
	"""The spaces whose keys a document names, or those behind a link. Of these only the user's: others would say that the document exists."""
	if not isinstance(end, Door):
		return [ids.space(kind, end)]
	return [space for key in behind.get(end, []) if (space := ids.space(kind, key)) in found.held]


def _behind(found: Routes, doors: Iterable[Door]) -> dict[Door, list[str]]:
	"""{Door: the keys behind it}; one statement for the records, and one for each path."""
	doors = list(doors)
	names = _documents(found, doors)
	by_path: dict[tuple[str, Path], dict[str, list[Door]]] = {}
	for door in doors:
		of = by_path.setdefault((door.doctype, door.rest), {})
		of.setdefault(names.get(door, door.text), []).append(door)
	keys: dict[Door, list[str]] = {}
	for (doctype, rest), of in by_path.items():
		for name, key in _ends(doctype, rest, list(of)):
			for door in of.get(name, ()):
				keys.setdefault(door, []).append(key)
	return keys


def _documents(found: Routes, doors: Sequence[Door]) -> dict[Door, str]:
	"""{Door: name of its document} of those that name a record of the user by its client id."""
	by_doctype = registry().by_doctype
	by_target: dict[tuple[str, str], list[Door]] = {}
	for door in doors:
		if door.doctype in by_doctype:
			by_target.setdefault((door.doctype, door.text), []).append(door)
	names = {
		ids.record(space, by_doctype[doctype].name, text): (doctype, text)
		for doctype, text in by_target
		for space in found.by_kind.get(by_doctype[doctype].space_type, ())
	}
	documents = {names[name]: document for name, document in _live(list(names))}
	return {door: document for target, document in documents.items() for door in by_target[target]}


def _live(names: Sequence[str]) -> Iterator[tuple[str, str]]:
	"""(record, its document) of those that have one."""
	for at in range(0, len(names), CHUNK):
		for name, stored in load.records(names[at : at + CHUNK]).items():
			if stored.live and stored.document_name:
				yield name, stored.document_name


def _ends(doctype: str, path: Path, names: Sequence[str]) -> list[tuple[str, str]]:
	"""[(document, what stands at the end of the path)]."""
	tables = Tables(doctype)
	column = tables.column(path)
	rows = frappe.db.sql(
		f"SELECT t0.name, {column} FROM {tables.text} WHERE t0.name IN %s AND {column} != '' ORDER BY t0.name, {column}",  # noqa: S608
		(*tables.values, tuple(names)),
	)
	return [(str(name), str(key)) for name, key in rows]
