"""Pulling: what changed in a space since a position.

A page costs one statement, and a fixed number of statements for each DocType in it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine import replica, wire
from hisabi_sync.engine.attachments import Attachment
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.judge import standing
from hisabi_sync.engine.judge.standing import Asked
from hisabi_sync.engine.model import clock, cursor, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.cursor import Cursor
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import action_rights, visibility
from hisabi_sync.engine.sharing.spaces import authorise
from hisabi_sync.engine.store import second_readings

# Times as text, which is read faster.
COLUMNS = (
	"sequence, entity_type, document_name, client_id, doc_version, CAST(modified AS CHAR), CAST(deleted_at AS CHAR), second_readings, maker, entered, space"
).split(", ")


@dataclass(slots=True)
class Item:
	"""One record of a page; `payload` is empty for a tombstone. `is_new` says that the device has not had it before.

	`wire_name` is the name of its entity type on the wire, `document_name` that of its document, None for a tombstone. `warnings` names fields whose value the wire has no form for.
	"""

	sequence: int
	entity_type: str
	client_id: str
	doc_version: int
	modified: datetime | str | None
	deleted_at: datetime | str | None = None
	payload: dict[str, Any] = field(default_factory=dict)
	is_new: bool = False
	wire_name: str = ""
	warnings: list[str] = field(default_factory=list)
	document_name: str | None = None
	actions: list[str] | None = None  # what the caller may do with it now; None for types without actions
	space: str = ""
	parts: list[str] = field(default_factory=list)  # of a joint space, those that the caller is a member of
	attachments: list[Attachment] | None = None  # its files; None for types of which devices get none
	reason: str | None = None  # why a pull of all spaces tells that the device is to drop it


@dataclass(slots=True)
class Page:
	"""One answer to a pull. `caller` is the one who asked, as a member of the space."""

	caller: Caller
	items: list[Item]
	next_cursor: str
	has_more: bool
	position: int
	server_time: str


def pull(
	caller: Caller,
	token: str | None = None,
	limit: int = 500,
	entity_types: Sequence[str] | None = None,
	start: int | None = None,
	just_pushed: bool = False,
) -> Page:
	"""A page of a space after the cursor `token` (or the position `start`), oldest change first.

	`limit` is the largest number of items. `entity_types` are names on the wire, None for all. The cursor holds a position
	for each entity type, so that a device that asks for another one later gets what it missed.
	Set `just_pushed` to skip the replica, which cannot have the caller's own changes yet.
	Raises RequestError: space_access_denied, invalid_cursor, resync_required.
	"""
	server_time = clock.dump(clock.now()) or ""
	caller = authorise(caller)
	entities = _readable(caller, entity_types)
	begun = begin(caller, token, entities, entity_types is None, start)
	items, end = _read(caller, begun, entities, limit, just_pushed)
	has_more = end is not None
	position = max(caller.position, begun.position) if end is None else end
	after = standing.after(begun, position, caller.space)
	return Page(caller, items, cursor.encode(after), has_more, position, server_time)


def begin(
	caller: Caller,
	token: str | None,
	entities: Sequence[EntityType],
	everything: bool,
	start: int | None = None,
) -> standing.Begin:
	"""Where a page begins, by a cursor or a position. Raises RequestError invalid_cursor, resync_required."""
	asked = _asked(caller, entities, everything)
	reached = cursor.decode(token, caller.space) if token else None
	is_guessed = reached is None and start is not None
	if reached is None and start is not None:
		reached = Cursor(caller.space, start, None, asked.visibility)
	return standing.begin(reached, asked, is_guessed)


def check(caller: Caller, reached: Cursor) -> None:
	"""Raise RequestError resync_required if no pull can go on from a Cursor."""
	standing.begin(reached, _asked(caller, _readable(caller, None), True))


def _asked(caller: Caller, entities: Sequence[EntityType], everything: bool) -> Asked:
	mark, visibilities = visibility.marks(caller)
	horizons = {e.mark: caller.horizons[e.name] for e in entities if e.name in caller.horizons}
	marks = tuple(entity.mark for entity in entities)
	return Asked(caller.position, mark, visibilities, marks, everything, caller.horizon, horizons)


def _read(
	caller: Caller, begun: standing.Begin, entities: Sequence[EntityType], limit: int, just_pushed: bool
) -> tuple[list[Item], int | None]:
	"""(items of the page, its last position if there are more). The only part of a pull that a replica may answer.

	What the caller may read is always asked of the primary: only selects that are given `database` go to the replica.
	"""
	if not entities or begun.position >= caller.position:
		return [], None  # the space's counter shows that nothing is newer than the position

	def read(database: sql.Database) -> tuple[list[Item], int | None]:
		rows = _rows(caller, begun, entities, limit + 1, database)
		items = _items(rows[:limit], caller, begun, database)
		return items, rows[limit - 1][0] if len(rows) > limit else None

	return read(frappe.db) if just_pushed else replica.answer(caller, read)


def _readable(caller: Caller, asked: Sequence[str] | None) -> list[EntityType]:
	"""The entity types to read: those asked for, without those that are switched off. Raises unsupported_entity_type."""
	registry = entity_types.registry()
	own = {entity.wire_name: entity for entity in registry.of_space_type(caller.space_type) if entity.enabled}
	if asked is None:
		return list(own.values())
	unknown = [name for name in asked if registry.name_of(caller.space_type, name) is None]
	if unknown:
		raise RequestError("unsupported_entity_type", entity_types=unknown)
	return [own[name] for name in dict.fromkeys(asked) if name in own]


def _rows(
	caller: Caller,
	begun: standing.Begin,
	entities: Sequence[EntityType],
	limit: int,
	database: sql.Database,
) -> sql.Rows:
	"""Rows of Sync Record in the order of their numbers, at most `limit`.

	Entity types with the same position are one ordered scan of an index; each of the others is a scan of its own.
	"""
	told = parts(caller, begun, entities, limit)
	if not told:
		return ()
	query = " UNION ALL ".join(text for text, _ in told)
	if len(told) > 1:
		query += f" ORDER BY sequence LIMIT {int(limit)}"
	return sql.ask(query, [value for _, values in told for value in values], database)


def parts(
	caller: Caller, begun: standing.Begin, entities: Sequence[EntityType], limit: int
) -> list[tuple[str, list[Any]]]:
	"""[(a select, its values)] of what is new in a space, at most `limit` rows of each, in the order of their numbers."""
	blind = [entity.name for entity in entities if begun.is_blind(entity.mark)]
	apart = [e for e in entities if e.name not in blind and not begun.is_with_rest(e.mark)]
	found = [_part(caller, begun, begun.at[e.mark], "entity_type = %s", [e.name], limit) for e in apart]
	if begun.asked.everything:
		without = [
			*(entity.name for entity in apart),
			*blind,
			*entity_types.registry().closed(caller.space_type),
		]
		where, values = ("entity_type NOT IN %s", [tuple(without)]) if without else ("1 = 1", [])
		found.insert(0, _part(caller, begun, begun.rest, where, values, limit))
	# A part is None if its position is the last one already.
	return [part for part in found if part]


def _part(
	caller: Caller,
	begun: standing.Begin,
	at: cursor.Standing | None,
	condition: str,
	values: Iterable[Any],
	limit: int,
) -> tuple[str, list[Any]] | None:
	"""(a select, its values) of what is newer than a Standing; None if nothing is."""
	if at is None or at.position >= caller.position:
		return None
	where, where_values = "space = %s AND sequence > %s", [caller.space, at.position]
	if begun.skips_deletes(at):
		where += " AND (deleted_at IS NULL OR sequence > %s)"
		where_values.append(at.snapshot)
	query = (
		f"(SELECT {', '.join(COLUMNS)} FROM `tabSync Record` "  # noqa: S608
		f"WHERE {where} AND {condition} ORDER BY sequence LIMIT {int(limit)})"
	)
	return query, [*where_values, *values]


def _items(rows: sql.Rows, caller: Caller, begun: standing.Begin, database: sql.Database) -> list[Item]:
	registry = entity_types.registry()
	values = values_of([row for row in rows if row[6] is None], caller, registry, database)
	linking = [(registry.by_name[entity_type], fields) for (entity_type, _), fields in values.items()]
	names = wire.client_ids(linking, caller.space, registry, caller.user, database)
	may = action_rights.possible(values, registry, caller.user)
	first = {entity.name: begun.is_first(entity.mark) for entity in registry.of_space_type(caller.space_type)}
	return [
		item_of(row, values, names, registry, first, may)
		for row in rows
		if is_told(row, values, registry, begun, caller)
	]


def is_told(
	row: tuple[Any, ...],
	values: Mapping[tuple[str, str], Any],
	registry: Registry,
	begun: standing.Begin,
	caller: Caller,
) -> bool:
	"""Whether a device is told of a row: not of a type whose Sync Entity is gone, nor of the end of what it never had.

	Names of records that a person may not read say something already.
	"""
	sequence, entity_type, name, _id, version, _modified, deleted_at, _second, maker, entered, _ = row
	if entity_type not in registry.by_name:
		return False
	is_shown = deleted_at is not None or (entity_type, name) in values
	is_own = maker is not None and maker == caller.device
	return (
		is_shown
		or is_own
		or not begun.never_had(registry.by_name[entity_type].mark, sequence, version == entered)
	)


def values_of(
	rows: sql.Rows, caller: Caller, registry: Registry, database: sql.Database
) -> dict[tuple[str, str], dict[str, Any]]:
	"""Canonical values of the documents that the caller may see, by (entity type, document name)."""
	by_type: dict[str, list[str]] = {}
	for row in rows:
		if row[1] in registry.by_name:
			by_type.setdefault(row[1], []).append(row[2])
	return {
		(entity_type, name): values
		for entity_type, names in by_type.items()
		for name, values in visibility.visible(registry.by_name[entity_type], names, caller, database).items()
	}


def item_of(
	row: tuple[Any, ...],
	values: Mapping[tuple[str, str], dict[str, Any]],
	names: Mapping[tuple[str, str], str | None],
	registry: Registry,
	first: Mapping[str, bool],
	may: Mapping[tuple[str, str], list[str]],
) -> Item:
	"""The Item of a row; without `values` of its document it is a tombstone."""
	sequence, entity_type, name, client_id, doc_version, modified, deleted_at, second, *_ = row
	modified = second_readings.own(clock.to_datetime(modified), json.loads(second)) if second else modified
	item = Item(
		sequence, entity_type, ids.decode(client_id), doc_version, modified, deleted_at, space=row[-1]
	)
	item.is_new, item.wire_name = first.get(entity_type, False), registry.wire_name(entity_type)
	own_values = values.get((entity_type, name))
	if own_values is None:
		item.deleted_at = deleted_at or modified
	else:
		item.document_name, item.actions = name, may.get((entity_type, name))
		item.payload = wire.payload(registry.by_name[entity_type], own_values, names, registry, item.warnings)
	return item
