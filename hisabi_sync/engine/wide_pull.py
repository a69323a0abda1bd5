"""Pulling all spaces of a user at once: one page over all of them, one cursor for all of them.

What is new is asked for space by space, in the order in which `wide_places` arranges them, with as many spaces in a statement as a
page needs: those whose counters say that they fill it. So the cost of an empty pull does not depend on the number of spaces, and
that of a page depends on its length.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import frappe

from hisabi_sync.engine import attachments, kept_cursors, linking, pull, wide_places, wire
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.judge import order
from hisabi_sync.engine.judge.standing import UNSEEN
from hisabi_sync.engine.model import clock, cursor, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.cursor import Standing
from hisabi_sync.engine.model.wide_cursor import WideCursor
from hisabi_sync.engine.pull import Item
from hisabi_sync.engine.sharing import action_rights, joint_spaces, spaces, visibility
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.wide_places import Places, Selection, Stage

DELETED, HIDDEN, LEFT = "deleted", "hidden", "left"  # reasons why a device is to drop a record
NAMES = 20_000  # of records that one statement asks for
CLIENT_ID = pull.COLUMNS.index("client_id")
Key = tuple[str, str]  # (entity type, document name)
Values = Mapping[Key, dict[str, Any]]
Row = tuple[Any, ...]
Ends = list[
	tuple[Stage, int | None]
]  # the number at which the page ends in each, None if nothing is left there


@dataclass(slots=True)
class Page:
	"""One answer. `joined` are the spaces whose records begin to come, `left` those whose records are to be dropped."""

	items: list[Item]
	reached: WideCursor
	has_more: bool
	server_time: str
	joined: list[HeldSpace]
	left: list[str]
	cursor: str = ""  # the text of `reached`, for devices that keep texts


def page(
	user: str,
	device: str | None,
	token: str | None,
	limit: int,
	selection: Selection,
	held: Mapping[str, HeldSpace] | None = None,
) -> Page:
	"""A page of what changed in all spaces of a user, with at most `limit` records, parents before children.

	`held` are the spaces, if only some of the user's are asked for. Raises RequestError: invalid_cursor, resync_required,
	unsupported_entity_type.
	"""
	held = spaces.held_by(user, device) if held is None else held
	before = kept_cursors.read(token, user)
	found = page_from(before, user, device, limit, selection, held)
	stays = bool(token) and found.reached.is_as_far_as(before)
	found.cursor = (token if stays else None) or kept_cursors.write(
		found.reached, user, selection.holder or device, token
	)
	return found


def page_from(
	before: WideCursor,
	user: str,
	device: str | None,
	limit: int,
	selection: Selection,
	held: Mapping[str, HeldSpace],
) -> Page:
	"""The page behind a position, without a text for it."""
	now = clock.now()
	kinds = wide_places.kinds_of(held.values(), selection, user)
	only = selection.types if selection.begins_again else None
	found = wide_places.places(before, held, kinds, user, device, only)
	rows, ends = _rows(found, limit)
	reached = wide_places.after(found, ends, clock.to_milliseconds(now))
	after = wide_places.again(found, reached, held)
	items = _items(rows, found, held, selection, Caller(user, "", device))
	has_more = len(ends) < len(found.stages) or any(end is not None for _, end in ends)
	has_more = has_more or after.places != reached.places
	return Page(
		items,
		after,
		has_more,
		clock.dump(now) or "",
		[held[space] for space in found.joined],
		found.left,
	)


def present(user: str, device: str | None, selection: Selection, held: Mapping[str, HeldSpace]) -> WideCursor:
	"""Where a device stands that has everything: what it is told from there on is what comes later."""
	kinds, now = wide_places.kinds_of(held.values(), selection, user), clock.to_milliseconds(clock.now())
	found = wide_places.places(WideCursor(), held, kinds, user, device)
	return wide_places.after(found, [(stage, None) for stage in found.stages], now)


def beginning(held: Iterable[str], mark: str) -> WideCursor:
	"""Where a device stands that may have anything of an entity type: it gets all records, and all tombstones that there are."""
	nothing = Standing(0, None, UNSEEN)
	return WideCursor(0, {space: cursor.build(space, None, {mark: nothing}) for space in held})


# --- which rows


def _rows(found: Places, limit: int) -> tuple[list[tuple[Stage, Row]], Ends]:
	"""The rows of a page with the Stage of each, and where the page ends in each space that it reached."""
	told: list[tuple[Stage, Row]] = []
	ends: Ends = []
	for group in _groups(found.stages, limit, told):
		by_space = _select(group, limit - len(told) + 1)
		for stage in group:
			rows, room = by_space.get(stage.caller.space, []), limit - len(told)
			if rows and not room:
				return told, ends
			ends.append((stage, rows[room - 1][0] if len(rows) > room else None))
			told += [(stage, row) for row in rows[:room]]
	return told, ends


def _groups(stages: Sequence[Stage], limit: int, told: Sequence[Any]) -> Iterator[list[Stage]]:
	"""Spaces that are asked for together: as many as their counters need to fill the page, and each time at least twice as many.

	`told` grows while the groups are read.
	"""
	at, least = 0, 1
	while at < len(stages) and len(told) < limit:
		group: list[Stage] = []
		backlog = 0
		while at < len(stages) and (backlog < limit - len(told) or len(group) < least):
			group.append(stages[at])
			backlog += stages[at].backlog
			at += 1
		yield group
		least *= 2


def _select(group: Sequence[Stage], limit: int) -> dict[str, list[Row]]:
	"""{space: its next rows in the order of their numbers, at most `limit`}; one statement."""
	parts = [part for stage in group for part in stage.parts(limit)]
	found: dict[str, list[Row]] = {}
	if parts:
		query = " UNION ALL ".join(text for text, _ in parts)
		for row in sql.ask(query, [value for _, values in parts for value in values]):
			found.setdefault(row[-1], []).append(row)
	return {space: sorted(rows)[:limit] for space, rows in found.items()}


# --- what they say


def _items(
	rows: Sequence[tuple[Stage, Row]],
	found: Places,
	held: Mapping[str, HeldSpace],
	selection: Selection,
	caller: Caller,
) -> list[Item]:
	registry = entity_types.registry()
	live = [row for stage, row in rows if stage.begun and row[6] is None]
	values = pull.values_of(live, caller, registry, frappe.db)
	items = _told(rows, values, registry, caller)
	there = _elsewhere([row for _, row in rows], values, held, registry, caller.user)
	items = [item for item in items if item.reason is None or (item.entity_type, item.client_id) not in there]
	_narrow(items, selection)
	_name_parts(items, held)
	_name_files(items)
	return _arranged(items, values, registry)


def _told(
	rows: Sequence[tuple[Stage, Row]], values: Values, registry: Registry, caller: Caller
) -> list[Item]:
	"""An Item for each row that the device is told of."""
	names = _names(rows, values, registry, caller.user)
	may = action_rights.possible(values, registry, caller.user)
	unshown = _never_shown(rows, registry, caller.user)
	found = []
	for stage, row in rows:
		if stage.begun is None:
			found += _goodbye(stage, row, registry) if (row[1], row[2]) not in unshown else []
		elif pull.is_told(row, values, registry, stage.begun, stage.caller):
			own = values if row[6] is None else {}
			item = pull.item_of(row, own, names.get(row[-1], {}), registry, {}, may)
			if item.deleted_at:
				item.reason = HIDDEN if row[6] is None else DELETED
			found.append(item)
	return found


def _names(
	rows: Iterable[tuple[Stage, Row]], values: Values, registry: Registry, user: str
) -> dict[str, dict[Key, str | None]]:
	pairs: dict[str, list[Any]] = {}
	for _, row in rows:
		if (row[1], row[2]) in values:
			pairs.setdefault(row[-1], []).append((registry.by_name[row[1]], values[row[1], row[2]]))
	return wire.client_ids_in(pairs, registry, user)


def _goodbye(stage: Stage, row: Row, registry: Registry) -> list[Item]:
	"""What a device is told of a record of a space that its user left."""
	entity = registry.by_name.get(row[1])
	assert stage.leaving is not None
	if entity is None or not wide_places.had(stage.leaving, entity.mark, row[0], row[6] is not None):
		return []
	item = pull.item_of(row, {}, {}, registry, {}, {})
	item.reason = LEFT
	return [item]


def _never_shown(rows: Iterable[tuple[Stage, Row]], registry: Registry, user: str) -> set[Key]:
	"""Documents of left spaces that the user may not read and, having the rights that they had, could not read there either."""
	gone = [
		(stage.leaving, row, registry.by_name[row[1]])
		for stage, row in rows
		if stage.leaving and row[6] is None and row[1] in registry.by_name
	]
	guarded = [one for one in gone if one[2].check_permissions]
	marks = visibility.marks_of(user, {entity.space_type for _, _, entity in guarded}) if guarded else {}
	alike: dict[str, set[str]] = {}
	for leaving, row, entity in guarded:
		if wide_places.saw_alike(leaving, entity.mark, *marks[entity.space_type]):
			alike.setdefault(entity.name, set()).add(str(row[2]))
	return {
		(name, document)
		for name, documents in alike.items()
		for document in documents
		- set(map(str, visibility.readable(registry.by_name[name], documents, user)))
	}


def _elsewhere(
	rows: Iterable[Row], values: Values, held: Mapping[str, HeldSpace], registry: Registry, user: str
) -> set[tuple[str, str]]:
	"""(entity type, client id) of records that left a space and live in another space of the user, where they see them."""
	gone = {
		(row[1], row[2]) for row in rows if row[2] and row[1] in registry.by_name and _is_gone(row, values)
	}
	columns, where = ["entity_type", "document_name", "client_id"], "deleted_at IS NULL AND space IN %s"
	names = sorted({name for _, name in gone})
	there = (
		sql.select_in("Sync Record", columns, "document_name", names, where, [tuple(held)]) if held else ()
	)
	by_type: dict[str, dict[str, str]] = {}
	for entity_type, name, client_id in there:
		if (entity_type, name) in gone:
			by_type.setdefault(entity_type, {})[name] = client_id
	return {
		(entity_type, ids.decode(found[str(name)]))
		for entity_type, found in by_type.items()
		for name in visibility.readable(registry.by_name[entity_type], list(found), user)
	}


def _is_gone(row: Row, values: Values) -> bool:
	return row[6] is not None or (row[1], row[2]) not in values


def _narrow(items: Iterable[Item], selection: Selection) -> None:
	"""Keep only the fields that are asked for."""
	for item in items:
		fields = selection.fields.get(item.entity_type)
		if fields is not None:
			item.payload = {name: value for name, value in item.payload.items() if name in fields}
			item.warnings = [name for name in item.warnings if name in fields]


def _name_parts(items: Iterable[Item], held: Mapping[str, HeldSpace]) -> None:
	"""Say of what lies in joint spaces which spaces of the user share it; one statement if there is any."""
	live = [item for item in items if item.reason is None]
	parts = joint_spaces.parts_held({item.space for item in live}, held)
	for item in live:
		item.parts = parts.get(item.space, [])


def _name_files(items: Iterable[Item]) -> None:
	"""Say which files are attached to the documents; one statement if devices get those of one of their types."""
	live = {(item.entity_type, item.document_name or ""): item for item in items if item.reason is None}
	for key, found in attachments.of_documents(live.keys()).items():
		live[key].attachments = found


def _arranged(items: Sequence[Item], values: Values, registry: Registry) -> list[Item]:
	"""Records behind those that they link to, then what is to be dropped, children before parents."""
	live = {(item.entity_type, item.document_name or ""): item for item in items if item.reason is None}
	keys = sorted(live, key=lambda key: registry.by_name[key[0]].rank)
	links = {key: _links(key, values, registry) for key in keys}
	gone = [item for item in items if item.reason is not None]
	gone.sort(key=lambda item: -registry.by_name[item.entity_type].rank)
	return [*(live[key] for key in order.parents_first(keys, links)), *gone]


def _links(key: Key, values: Values, registry: Registry) -> list[Key]:
	entity = registry.by_name[key[0]]
	return [
		(target.name, holder[field.name])
		for holder, field, _ in linking.each_link(values[key], entity)
		if (target := linking.target_of(field, registry))
	]


# --- one record


def one(
	user: str, device: str | None, entity_type: str, client_id: str, space: str | None = None
) -> list[Item]:
	"""The records of an entity type with a client id, as a page would show them, in the space or in any of the user's."""
	held = spaces.held_by(user, device)
	wanted = {n: s for n, s in held.items() if space in (None, n)}
	return of_ids(user, device, entity_type, [client_id], wanted)


def of_ids(
	user: str,
	device: str | None,
	entity_type: str,
	client_ids: Collection[str],
	held: Mapping[str, HeldSpace],
) -> list[Item]:
	"""The records of an entity type with these client ids in the spaces: those that are live, or else one that was."""
	entity, registry = entity_types.registry().by_name[entity_type], entity_types.registry()
	own = {n: s for n, s in held.items() if s.caller.space_type == entity.space_type}
	names = [ids.record(name, entity_type, client_id) for name in own for client_id in client_ids]
	rows = [
		row
		for start in range(0, len(names), NAMES)
		for row in sql.select_in("Sync Record", pull.COLUMNS, "name", names[start : start + NAMES])
	]
	live = [row for row in rows if row[6] is None]
	values = pull.values_of(live, Caller(user, "", device), registry, frappe.db)
	shown = [row for row in live if (row[1], row[2]) in values]
	found = [Stage(own[row[-1]].caller) for row in shown]
	names_in = _names(list(zip(found, shown, strict=True)), values, registry, user)
	may = action_rights.possible(values, registry, user)
	items = [pull.item_of(row, values, names_in[row[-1]], registry, {}, may) for row in shown]
	_name_parts(items, held)
	_name_files(items)
	return items + [_tombstone(row, registry) for row in _gone(rows)]


def _gone(rows: Iterable[Row]) -> list[Row]:
	"""One row for each client id of which no record is live."""
	live = {row[CLIENT_ID] for row in rows if row[6] is None}
	gone: dict[str, Row] = {}
	for row in rows:
		if row[CLIENT_ID] not in live:
			gone.setdefault(row[CLIENT_ID], row)
	return list(gone.values())


def _tombstone(row: Row, registry: Registry) -> Item:
	item = pull.item_of(row, {}, {}, registry, {}, {})
	item.reason = DELETED
	return item
