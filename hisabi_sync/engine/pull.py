"""What changed in a space since a position. Costs one statement for the page and a fixed number for each DocType."""

from dataclasses import dataclass, field, replace

from hisabi_sync.engine import clock, cursor, replica, sight, sql, wire
from hisabi_sync.engine.cursor import Cursor
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.spaces import authorise

# Times as text, which is read faster.
COLUMNS = (
	"sequence, entity_type, document_name, client_id, doc_version, CAST(modified AS CHAR), CAST(deleted_at AS CHAR)"
).split(", ")


@dataclass(slots=True)
class Item:
	"""One record of a page; `payload` is empty for a tombstone."""

	sequence: int
	entity_type: str
	client_id: str
	doc_version: int
	modified: object
	deleted_at: object = None
	payload: dict = field(default_factory=dict)


@dataclass(slots=True)
class Page:
	items: list
	next_cursor: str
	has_more: bool
	position: int
	server_time: str


def pull(caller, token=None, limit=500, entity_types=None, start=None, just_pushed=False):
	"""A page of a space after the cursor `token` (or the position `start`), oldest change first.

	Who `just_pushed` need not ask a replica, which cannot have that yet.
	Raises RequestError: space_access_denied, invalid_cursor, resync_required.
	"""
	server_time = clock.dump(clock.now())
	authorise(caller)
	entities = _readable(caller, entity_types)
	begin = _begin(caller, token, start)
	items, has_more = _read(
		caller, begin, [e.name for e in entities], limit, entity_types is None, just_pushed
	)
	position = items[-1].sequence if has_more else max(caller.position, begin.position)
	after = _after(begin, position)
	return Page(items, cursor.encode(after), has_more, position, server_time)


def _read(caller, begin, entity_types, limit, everything, just_pushed):
	"""(items of the page, whether there are more). The one part of a pull that a replica may answer."""
	if not entity_types or begin.position >= caller.position:
		return [], False  # the space's counter says that nothing lies behind the position

	def read():
		rows = _rows(caller, begin, entity_types, limit + 1, everything)
		return _items(rows[:limit], caller), len(rows) > limit

	return read() if just_pushed else replica.answer(caller, read)


def _readable(caller, entity_types):
	known = {entity.name: entity for entity in registry().of_space_type(caller.space_type)}
	if entity_types is None:
		return list(known.values())
	unknown = [name for name in entity_types if name not in known]
	if unknown:
		raise RequestError("unsupported_entity_type", entity_types=unknown)
	return [known[name] for name in dict.fromkeys(entity_types)]


def _begin(caller, token, start):
	"""Where to go on from. A first pull remembers where it began, so that later deletes are told and older are not.

	When the caller's sight has changed since the cursor, everything he may see now is sent again, and what he may not is
	sent as a tombstone.
	"""
	seen = sight.mark(caller)
	if not token and start is None:
		return Cursor(caller.space, 0, caller.position, seen)
	begin = cursor.decode(token, caller.space) if token else Cursor(caller.space, start, None, seen)
	known = begin.position if begin.snapshot is None else begin.snapshot
	if max(begin.position, known) > caller.position:
		raise RequestError("resync_required", reason="position_unknown")
	if max(begin.position, known) < caller.horizon:
		raise RequestError("resync_required", reason="position_too_old")
	return begin if begin.sight == seen else Cursor(caller.space, 0, known, seen)


def _after(begin, position):
	finished = begin.snapshot is not None and position >= begin.snapshot
	return replace(begin, position=position, snapshot=None if finished else begin.snapshot)


def _rows(caller, begin, entity_types, limit, everything):
	"""Rows of Sync Record in order. One ordered scan of an index for each entity type asked for, cut at the limit."""
	where = "space = %s AND sequence > %s"
	values = [caller.space, begin.position]
	if begin.snapshot is not None:
		where += " AND (deleted_at IS NULL OR sequence > %s)"
		values.append(begin.snapshot)
	if everything:
		return sql.select("Sync Record", COLUMNS, where, values, f"ORDER BY sequence LIMIT {int(limit)}")
	return _rows_by_type(where, values, entity_types, limit)


def _rows_by_type(where, values, entity_types, limit):
	part = (
		f"(SELECT {', '.join(COLUMNS)} FROM `tabSync Record` "  # noqa: S608
		f"WHERE {where} AND entity_type = %s ORDER BY sequence LIMIT {int(limit)})"
	)
	query = " UNION ALL ".join([part] * len(entity_types)) + f" ORDER BY sequence LIMIT {int(limit)}"
	return sql.ask(query, [value for name in entity_types for value in (*values, name)])


def _items(rows, caller):
	known = registry()
	values = _values([row for row in rows if row[6] is None], caller, known)
	names = wire.client_ids([(known.by_name[t], v) for (t, _), v in values.items()], caller.space, known)
	return [_item(row, values, names, known) for row in rows]


def _values(rows, caller, known):
	"""Canonical values of the documents that the caller may see, by (entity type, document name)."""
	by_type = {}
	for row in rows:
		if row[1] in known.by_name:
			by_type.setdefault(row[1], []).append(row[2])
	return {
		(entity_type, name): values
		for entity_type, wanted in by_type.items()
		for name, values in sight.visible(known.by_name[entity_type], wanted, caller).items()
	}


def _item(row, values, names, known):
	sequence, entity_type, name, client_id, doc_version, modified, deleted_at = row
	item = Item(sequence, entity_type, client_id, doc_version, modified, deleted_at)
	held = values.get((entity_type, name))
	if held is None:
		item.deleted_at = deleted_at or modified
	else:
		item.payload = wire.payload(known.by_name[entity_type], held, names, known)
	return item
