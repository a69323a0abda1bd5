"""Both sides of conflicts by field, as the caller may see them. Source: docs/contracts/site.md, Conflicts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from hisabi_sync.api.site.records import rows_out
from hisabi_sync.engine import wire
from hisabi_sync.engine.conflicts.conflict_rows import OPEN, SEPARATOR, SIDES
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store import load, stored_json

WORDS = {
	"base": "base",
	"server": "server",
	"client": "device",
}  # a side in the engine's words: in the contract's
COLUMNS = (
	"name entity_type client_id space record kind action fields server_version creation base_values server_values client_values"
).split()
Row = Mapping[str, Any]


def by_conflict(names: Collection[str], user: str, spaces: Collection[str]) -> dict[str, dict[str, Any]]:
	"""{conflict: {field: {side: value}}} of those in these spaces; one about a record that the user may not read is left out."""
	rows = _rows(sql.select_in("Sync Conflict", map(sql.quote, COLUMNS), "name", sorted(names)))
	return of_rows([row for row in rows if row["space"] in spaces], user)


def open_of(user: str, spaces: Collection[str], after: str, limit: int) -> list[Row]:
	"""Rows of the open conflicts about changes of a user in these spaces, the oldest first, behind the one named `after`."""
	if not spaces:
		return []
	where = "user = %s AND status = %s AND name > %s AND space IN %s"
	values, tail = (user, OPEN, after, tuple(spaces)), f"ORDER BY name LIMIT {int(limit)}"
	return _rows(sql.select("Sync Conflict", map(sql.quote, COLUMNS), where, values, tail))


def _rows(found: sql.Rows) -> list[Row]:
	return [dict(zip(COLUMNS, row, strict=True)) for row in found]


def of_rows(rows: Sequence[Row], user: str) -> dict[str, dict[str, Any]]:
	"""The same for rows of conflicts, in a number of statements that does not depend on theirs."""
	registry = entity_types.registry()
	rows = [row for row in rows if row["entity_type"] in registry.by_name]
	stored = load.records([row["record"] for row in rows if row["record"]])
	hidden = visibility.hidden(stored.values(), registry, [user])
	shown = [row for row in rows if row["record"] not in hidden]
	by_side = {row["name"]: _sides(row, registry.by_name[row["entity_type"]], user) for row in shown}
	names = _names(shown, by_side, user)
	return {row["name"]: _by_field(row, by_side[row["name"]], names[row["space"]]) for row in shown}


def _sides(row: Row, entity: EntityType, user: str) -> dict[str, dict[str, Any]]:
	"""{side: canonical values} of the fields that the user may read."""
	return {
		word: visibility.cut(entity, stored_json.decode_values(row[SIDES[side]], entity.fields), user)
		for side, word in WORDS.items()
	}


def _names(rows: Iterable[Row], by_side: Mapping[str, Mapping[str, Any]], user: str) -> dict[str, Any]:
	pairs: dict[str, list[Any]] = {}
	for row in rows:
		entity = entity_types.registry().by_name[row["entity_type"]]
		pairs.setdefault(row["space"], []).extend(
			(entity, values) for values in by_side[row["name"]].values()
		)
	return wire.client_ids_in(pairs, entity_types.registry(), user)


def _by_field(row: Row, by_side: Mapping[str, Mapping[str, Any]], names: Any) -> dict[str, Any]:
	"""{field: {side: value}} of the fields in conflict."""
	entity = entity_types.registry().by_name[row["entity_type"]]
	shown = {
		side: wire.payload(entity, dict(values), names, entity_types.registry())
		for side, values in by_side.items()
	}
	asked = [name for name in (row["fields"] or "").split(SEPARATOR) if name in entity.readable]
	found = {
		entity.outward(name): {
			side: rows_out(values[name], entity, name) for side, values in shown.items() if name in values
		}
		for name in asked
	}
	return {name: sides for name, sides in found.items() if sides}


def shown(row: Row, fields: Mapping[str, Any]) -> dict[str, Any]:
	"""An open conflict as a list has it."""
	return {
		"type": row["entity_type"],
		"id": ids.decode(row["client_id"]),
		"space": row["space"],
		"op": "action" if row["action"] else row["kind"],
		"action": row["action"],
		"version": row["server_version"] or 0,
		"conflict": {"id": row["name"], "fields": fields},
		"opened_at": clock.dump(row["creation"]),
	}
