"""Where a device stands in all spaces of its user, before and after a page: what is asked for, what is left, what is new."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hisabi_sync.engine import pull
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.judge import standing
from hisabi_sync.engine.judge.standing import BLIND, UNSEEN, Asked
from hisabi_sync.engine.model import clock, cursor, ids, joint
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.cursor import Cursor, Standing
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.wide_cursor import Leaving, WideCursor
from hisabi_sync.engine.sharing import joint_spaces, visibility
from hisabi_sync.engine.sharing.spaces import HeldSpace

MANY = 2**62  # so many records may be left of a space whose counter is not known


@dataclass(frozen=True, slots=True)
class Selection:
	"""What a call asks for: names of entity types, None for all; and {entity type: the fields that it wants of it}.

	`begins_again`: see `standing.Asked`. `holder` keeps long cursors apart from those of the device's own pulls.
	"""

	types: Collection[str] | None = None
	fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
	begins_again: bool = False
	holder: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
	"""One kind of space as a call asks for it: its entity types, and the user's visibility hashes of them."""

	entities: list[EntityType]
	everything: bool
	visible: str
	visibilities: dict[str, str]
	begins_again: bool = False

	def asked(self, caller: Caller) -> Asked:
		"""What is asked for in one space of the kind."""
		horizons = {e.mark: caller.horizons[e.name] for e in self.entities if e.name in caller.horizons}
		marks = tuple(entity.mark for entity in self.entities)
		return Asked(
			caller.position,
			self.visible,
			self.visibilities,
			marks,
			self.everything,
			caller.horizon,
			horizons,
			self.begins_again,
		)


@dataclass(slots=True)
class Stage:
	"""One space on the way of a page: where the page begins in it, or how the user left it."""

	caller: Caller
	entities: list[EntityType] = field(default_factory=list)
	begun: standing.Begin | None = None
	leaving: Leaving | None = None
	only: Collection[str] | None = None  # entity types that are told of a space that was left, None for all

	@property
	def backlog(self) -> int:
		"""At least as many records as may be left here."""
		return MANY if self.begun is None else self.caller.position - self.begun.position

	def parts(self, limit: int) -> list[tuple[str, list[Any]]]:
		"""[(a select, its values)] of what is left here, at most `limit` rows of each."""
		if self.begun is not None:
			return pull.parts(self.caller, self.begun, self.entities, limit)
		assert self.leaving is not None
		query = (
			f"(SELECT {', '.join(pull.COLUMNS)} FROM `tabSync Record` "  # noqa: S608
			f"WHERE space = %s AND sequence > %s AND (creation <= %s OR maker = %s) "
			f"{'' if self.only is None else 'AND entity_type IN %s '}ORDER BY sequence LIMIT {int(limit)})"
		)
		since = clock.from_milliseconds(self.leaving.since)
		narrowed = [] if self.only is None else [tuple(self.only)]
		return [(query, [self.caller.space, self.leaving.told, since, self.caller.device, *narrowed])]


@dataclass(slots=True)
class Places:
	"""All spaces of a user at the beginning of a page. `stages` still have something to tell, in the order of telling.

	`cursors` are those of spaces that the device has or gets again; `after` those behind the page, as far as they are known.
	"""

	cursors: dict[str, Cursor]
	leaving: dict[str, Leaving]
	joined: list[str]
	left: list[str]
	stages: list[Stage] = field(default_factory=list)
	after: dict[str, Cursor] = field(default_factory=dict)


def kinds_of(held: Iterable[HeldSpace], selection: Selection, user: str) -> dict[str, Kind]:
	"""{type of space: Kind} of the types that are asked for. Raises RequestError unsupported_entity_type."""
	registry = entity_types.registry()
	unknown = [
		name for name in selection.types or () if name not in registry.by_name and name not in registry.broken
	]
	if unknown:
		raise RequestError("unsupported_entity_type", entity_types=[name[:140] for name in unknown[:10]])
	types = list(dict.fromkeys(one.caller.space_type for one in held))
	marks = visibility.marks_of(user, types)
	found = {name: _kind(name, selection, *marks[name]) for name in types}
	return {name: kind for name, kind in found.items() if kind.entities or kind.everything}


def _kind(space_type: str, selection: Selection, whole: str, each: dict[str, str]) -> Kind:
	own = [entity for entity in entity_types.registry().of_space_type(space_type) if entity.enabled]
	asked = [entity for entity in own if selection.types is None or entity.name in selection.types]
	narrowed = {
		e.mark: ids.digest(*sorted(selection.fields[e.name]), size=4)
		for e in own
		if e.name in selection.fields
	}
	if narrowed:
		whole = ids.digest(whole, *sorted(narrowed.items()), size=4)
		each = {**each, **{m: _narrowed(each[m], fields) for m, fields in narrowed.items()}}
	return Kind(asked, selection.types is None, whole, each, selection.begins_again)


def _narrowed(whole: str, fields: str) -> str:
	return whole if whole in (BLIND, UNSEEN) else ids.digest(whole, fields, size=4)


def places(
	before: WideCursor,
	held: Mapping[str, HeldSpace],
	kinds: Mapping[str, Kind],
	user: str,
	device: str | None,
	only: Collection[str] | None = None,
) -> Places:
	"""Where a page begins; of spaces that were left, `only` these entity types are told, where a cursor is for them alone. Raises RequestError resync_required for a position that is too old."""
	again = {space: _unseen(gone.cursor) for space, gone in before.leaving.items() if space in held}
	left = {space: Leaving(one, before.issued) for space, one in before.places.items() if space not in held}
	going = {space: gone for space, gone in before.leaving.items() if space not in held}
	going_on = {**before.places, **again}
	found = Places(going_on, {**going, **left}, list(again), list(left))
	told = [
		Stage(Caller(user, space, device), leaving=one, only=only) for space, one in found.leaving.items()
	]
	begun = [stage for one in held.values() if (stage := _begin(found, one.caller, kinds))]
	changed = [stage for stage in begun if stage.caller.space in going_on]
	joining = [stage for stage in begun if stage.caller.space not in going_on]
	joining.sort(key=lambda stage: joint.is_joint(stage.caller.space_key))  # behind their parts, see `again`
	found.stages = [*told, *sorted(changed, key=lambda stage: stage.backlog), *joining]
	return found


def _begin(found: Places, caller: Caller, kinds: Mapping[str, Kind]) -> Stage | None:
	"""The Stage of a space that has something to tell. Notes where the device stands in any other."""
	cursor, kind = found.cursors.get(caller.space), kinds.get(caller.space_type)
	if kind is None:  # nothing of this kind of space is asked for
		found.after |= {caller.space: cursor} if cursor else {}
		return None
	stage = Stage(caller, kind.entities, begun := standing.begin(cursor, kind.asked(caller)))
	if stage.backlog > 0:
		return stage
	found.after[caller.space] = standing.after(begun, max(caller.position, begun.position), caller.space)
	found.joined += [] if cursor else [caller.space]
	return None


def _unseen(reached: Cursor) -> Cursor:
	"""The Cursor of a device that was told to drop some of a space, and gets all of it again."""
	return cursor.build(
		reached.space,
		_forgotten(reached.rest),
		{mark: _forgotten(one) for mark, one in reached.named.items()},
	)


def again(found: Places, after: WideCursor, held: Mapping[str, HeldSpace]) -> WideCursor:
	"""The cursor behind a page, from which joint spaces that the device has come again, if the user joined or left one of their parts.

	Their records name the parts. One statement if there is such a space, and none without.
	"""
	names = [space for space in after.places if space in found.cursors]
	parts = {space for space in found.joined if not joint.is_joint(held[space].caller.space_key)}
	stale = joint_spaces.with_parts(names, held, {*parts, *found.left})
	return replace(after, places={**after.places, **{space: _unseen(after.places[space]) for space in stale}})


def _forgotten(one: Standing | None) -> Standing | None:
	return replace(one, visibility=UNSEEN) if one else None


def had(leaving: Leaving, mark: str, sequence: int, is_deleted: bool) -> bool:
	"""Whether a device may have a record of a space that its user left, by the mark of its entity type."""
	place = leaving.cursor.of(mark)
	if place is None or (place.visibility == BLIND and (place.snapshot is None or place.first)):
		return False
	return not (is_deleted and sequence <= place.deletes_until)


def saw_alike(leaving: Leaving, mark: str, whole: str, each: Mapping[str, str]) -> bool:
	"""Whether the user saw of an entity type what they may see today, by the visibility hashes of today."""
	named = leaving.cursor.named.get(mark)
	if mark in leaving.cursor.named:
		return named is not None and named.visibility == each.get(mark)
	return leaving.cursor.rest is not None and leaving.cursor.rest.visibility == whole


def after(found: Places, ends: Sequence[tuple[Stage, int | None]], issued: int) -> WideCursor:
	"""The cursor behind a page. `ends` are [(Stage, the number at which the page ends in it, None if nothing is left)].

	Adds the spaces that begin with this page to `found.joined`.
	"""
	waiting = [stage.caller.space for stage in found.stages]
	there = {**found.after, **{space: found.cursors[space] for space in waiting if space in found.cursors}}
	leaving = dict(found.leaving)
	there = {space: cursor for space, cursor in there.items() if space not in leaving}
	for stage, end in ends:
		space = stage.caller.space
		if stage.leaving is not None:
			leaving |= {space: replace(stage.leaving, told=end or 0)}
			leaving = {name: one for name, one in leaving.items() if end is not None or name != space}
		elif stage.begun is not None:
			there[space] = standing.after(stage.begun, stage.caller.position if end is None else end, space)
			found.joined += [] if space in found.cursors else [space]
	return WideCursor(issued, there, leaving)
