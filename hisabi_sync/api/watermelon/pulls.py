"""The answer of a WatermelonDB pull. Source: docs/contracts/watermelon.md, Pull.

A number is all that the library keeps, so the server keeps what it stands for. Where it does not any more, the answer is everything
at once, and replaces what the app has.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from hisabi_sync.api.dialects.values import is_empty
from hisabi_sync.api.watermelon import models, raws
from hisabi_sync.api.watermelon.places import Place
from hisabi_sync.engine import kept_cursors
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.wide_cursor import WideCursor
from hisabi_sync.engine.pull import Item

MOST_ROWS = 50_000  # of one answer that has to be whole
AT_ONCE = 2000  # records that are read at once for it
REPLACEMENT = "replacement"
Migration = Mapping[str, Any]
Changes = dict[str, dict[str, list[Any]]]


def answer(place: Place, request: models.WmPull, limit: int) -> dict[str, Any]:
	"""What changed since the app's number, or everything."""
	before, in_ms = place.reached(request.last_pulled_at), request.dates == "ms"
	migration = _migration(request.migration, place)
	if before is None:
		return _replacement(place, request, in_ms)
	try:
		page = place.page(before, limit)
	except RequestError as error:
		if error.code != "resync_required":
			raise
		return _replacement(place, request, in_ms)
	items = [*_migrated(place, migration), *page.items]
	number = _number(place, page.reached, before, request.last_pulled_at or 0)
	return {"changes": _changes(place, items, in_ms), "timestamp": number, "has_more": page.has_more}


def _number(place: Place, reached: WideCursor, before: WideCursor, since: int) -> int:
	"""The app's next number; the same where nothing moved."""
	if since and reached.is_as_far_as(before):
		return since
	return kept_cursors.number(reached, place.holder, since)


def _replacement(place: Place, request: models.WmPull, in_ms: bool) -> dict[str, Any]:
	"""All rows of all tables: what is not among them, the library removes."""
	items, reached = _everything(place)
	number = kept_cursors.number(reached, place.holder, request.last_pulled_at or 0)
	changes = {name: _table() for name in place.tables} | _changes(place, items, in_ms)
	return {"changes": changes, "timestamp": number, "has_more": False, "experimentalStrategy": REPLACEMENT}


def _everything(place: Place, types: Iterable[str] | None = None) -> tuple[list[Item], WideCursor]:
	"""All records of all tables, or of some types, and where a device stands that has them. Raises RequestError too_many_rows."""
	items: list[Item] = []
	reached, going = WideCursor(), True
	while going:
		page = place.page(reached, AT_ONCE, None if types is None else list(types))
		items, reached, going = items + page.items, page.reached, page.has_more
		if len(items) > MOST_ROWS:
			raise RequestError("too_many_rows", limit=MOST_ROWS)
	return items, reached


# --- rows


def _table() -> dict[str, list[Any]]:
	return {"created": [], "updated": [], "deleted": []}


def _changes(place: Place, items: Iterable[Item], in_ms: bool) -> Changes:
	"""Rows by table. Of a record that comes twice, the last is right; none is in two lists."""
	last = {(item.entity_type, item.client_id): item for item in items}
	changes: Changes = {}
	for item in last.values():
		name = place.table_of.get(item.entity_type)
		if name is None:
			continue
		table = changes.setdefault(name, _table())
		if item.reason:
			table["deleted"].append(item.client_id)
		else:
			table["updated"].append(raws.of_item(item, place.tables[name], in_ms))
	return changes


# --- a new schema of the app


def _migration(text: str | None, place: Place) -> dict[str, set[str]]:
	"""{table: its columns that are new to the app, empty if the table itself is} of what the library says."""
	if text is None:
		return {}
	try:
		said = json.loads(text)
		new = {name: set[str]() for name in said["tables"]}
		old = {one["table"]: set(one["columns"]) for one in said["columns"]}
	except (ValueError, TypeError, KeyError, RecursionError):
		raise RequestError("invalid_argument", argument="migration") from None
	return {name: columns for name, columns in {**old, **new}.items() if name in place.tables}


def _migrated(place: Place, migration: Mapping[str, set[str]]) -> list[Item]:
	"""Live records of new tables, and those of others that have something in a new column: all at once, for they are asked for once."""
	if not migration:
		return []
	columns = {place.tables[name].name: names for name, names in migration.items()}
	items, _ = _everything(place, columns)
	return [item for item in items if not item.reason and _says(item, columns[item.entity_type])]


def _says(item: Item, columns: set[str]) -> bool:
	return not columns or any(not is_empty(item.payload.get(name)) for name in columns)
