"""WatermelonDB's `synchronize`: pull and push, as its own examples call them. Source: docs/contracts/watermelon.md."""

from collections.abc import Iterable, Sequence
from typing import Any

from hisabi_sync.api.dialects import places as dialect_places
from hisabi_sync.api.dialects.values import apart
from hisabi_sync.api.protocol import body
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.push_and_pull import page_size
from hisabi_sync.api.site import items
from hisabi_sync.api.watermelon import models, places, pulls
from hisabi_sync.api.watermelon.changes import DELETED, ORDER, Present, Row, change
from hisabi_sync.api.watermelon.places import Place
from hisabi_sync.engine.model.change import CONFLICT, ERROR, Outcome
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError, item_message
from hisabi_sync.engine.model.wide_cursor import WideCursor

CONTRACT = "watermelon"
DEFAULT = 2000  # rows of a page
MOST_ROWS = 5000
NOTHING = ("", "null", "undefined")  # what the library's own example sends for no value
MAY_BE_EMPTY = ("last_pulled_at", "schema_version", "migration")


def _arguments() -> dict[str, Any]:
	given = body.arguments()
	return {name: value for name, value in given.items() if not (name in MAY_BE_EMPTY and value in NOTHING)}


@endpoint(CONTRACT, methods=("GET",), read=_arguments, takes=models.WmPull, gives=models.WmPulled)
def pull(request: models.WmPull) -> dict[str, Any]:
	"""What changed since `last_pulled_at`, by table; at first everything that lives. Call again until `has_more` is false.

	A number that the server does not know any more is answered with everything (`experimentalStrategy: "replacement"`).
	"""
	return pulls.answer(places.find(request), request, page_size(request.limit or DEFAULT))


@endpoint(CONTRACT, read=_arguments, takes=models.WmPush, gives=models.WmPushed)
def push(request: models.WmPush) -> dict[str, Any]:
	"""Apply the rows of the app, parents first, each by itself. Rows that were not applied stay as they are on the device.

	The next pull brings what the server has of them, and the library keeps the columns that the person changed.
	"""
	place = places.find(request)
	if len(request.rows) > MOST_ROWS:
		raise RequestError("too_many_rows", limit=MOST_ROWS)
	read = [row for one in request.rows if (row := _row(one, place))]
	known = [row for row in read if not row.problem]
	before = place.reached(request.last_pulled_at) or WideCursor()
	hopeless = [_rejection(row, *row.problem, None) for row in read if row.problem]
	if request.atomic and hopeless:
		return _answer([*hopeless, *(_rejection(row, "batch_rolled_back", None, None) for row in known)])
	known.sort(key=_order)
	parts = [known] if request.atomic else apart([(row.key, row) for row in known], items.limit())
	judged = [rejection for part in parts for rejection in _push(place, part, before, bool(request.atomic))]
	return _answer([*hopeless, *judged])


def _row(sent: Any, place: Place) -> Row | None:
	"""A Row of what was sent, or None of what is none: without an id, nobody could be told of it."""
	table, listed, raw = sent.get("table"), sent.get("list"), sent.get("row")
	raw = {"id": raw} if isinstance(raw, str) else raw
	if (
		not isinstance(listed, str)
		or listed not in ORDER
		or not isinstance(table, str)
		or not isinstance(raw, dict)
	):
		return None
	return Row(table, listed, raw, place.tables.get(table)) if isinstance(raw.get("id"), str) else None


def _order(row: Row) -> tuple[bool, int, int]:
	"""Parents before children, what is new first; deletes last, and children before parents."""
	rank = row.entity.rank if row.entity else 0
	is_delete = row.listed_in == DELETED
	return is_delete, -rank if is_delete else rank, ORDER[row.listed_in]


def _push(place: Place, rows: Sequence[Row], before: WideCursor, atomic: bool) -> list[dict[str, Any]]:
	"""What was rejected of some rows."""
	present = _present(place, rows, before)
	asked = [
		(row, made)
		for row in rows
		if (made := change(row, present.get((row.table, row.client_id), Present())))
	]
	changes = [made for _, made in asked]
	outcomes = dialect_places.applied(place.device, place.held, CONTRACT, changes, atomic)
	return [
		_of_outcome(row, outcome)
		for (row, _), outcome in zip(asked, outcomes, strict=True)
		if outcome.status in (CONFLICT, ERROR)
	]


def _present(place: Place, rows: Iterable[Row], before: WideCursor) -> dict[tuple[str, str], Present]:
	by_table: dict[str, tuple[EntityType, list[str]]] = {}
	for row in rows:
		assert row.entity is not None
		by_table.setdefault(row.table, (row.entity, []))[1].append(row.client_id)
	return {
		(table, client_id): found
		for table, (entity, client_ids) in by_table.items()
		for client_id, found in place.present(entity, client_ids, before).items()
	}


# --- the answer


def _of_outcome(row: Row, outcome: Outcome) -> dict[str, Any]:
	return _rejection(
		row,
		outcome.code or CONFLICT,
		outcome.detail or outcome.conflict_fields,
		outcome.conflict,
		outcome.message,
	)


def _rejection(
	row: Row, code: str, detail: Any, conflict: str | None, message: str | None = None
) -> dict[str, Any]:
	return {
		"table": row.table,
		"entity_id": row.client_id,
		"operation": row.listed_in,
		"error_code": code,
		"message": message or item_message(code, detail),
		"detail": detail,
		"conflict_id": conflict,
	}


def _answer(rejected: list[dict[str, Any]]) -> dict[str, Any]:
	by_table: dict[str, list[str]] = {}
	for one in rejected:
		by_table.setdefault(one["table"], []).append(one["entity_id"])
	return {"experimentalRejectedIds": by_table, "rejected": rejected}
