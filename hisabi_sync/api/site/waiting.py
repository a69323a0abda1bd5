"""What a device asks for beside its pushes and pulls: one record, refused changes, open conflicts. Source: docs/contracts/site.md."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hisabi_sync.api.site import models, records, results, sides
from hisabi_sync.engine import ledger, wide_pull
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.change import ERROR, NOT_KEPT, Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.pull import Item
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.wide_places import Selection

NAME = re.compile(r"[0-9a-f]{1,40}")  # a cursor of these lists is the name of their last row
MOST_FIELDS, MOST_TYPES = 500, 500
COLUMNS = ["name", "space", *ledger.CHANGE, "modified", "attempts", "payload", *ledger.ANSWER]


def selection(types: Sequence[str] | None, fields: Mapping[str, Any]) -> Selection:
	"""What a pull asks for. Raises RequestError invalid_argument for lists of fields that are none."""
	if types is not None and len(types) > MOST_TYPES:
		raise RequestError("invalid_argument", argument="types", limit=MOST_TYPES)
	sound = len(fields) <= MOST_TYPES and all(_are_names(names) for names in fields.values())
	unknown = [name for name in fields if name not in registry().by_name]
	if not sound or unknown:
		raise RequestError("invalid_argument", argument="fields")
	present = {name: frozenset(_present(own, name)) for name, own in fields.items()}
	return Selection(None if types is None else frozenset(types), present)


def _present(names: Sequence[str], entity_type: str) -> list[str]:
	"""Names of fields as they are today; an old app asks for those that it has."""
	aliases = registry().by_name[entity_type].aliases
	return [aliases.get(name, name) for name in names]


def _are_names(names: Any) -> bool:
	return (
		isinstance(names, list) and len(names) <= MOST_FIELDS and all(isinstance(one, str) for one in names)
	)


def record(user: str, device: str | None, request: models.OfRecord) -> dict[str, Any]:
	"""One record. Raises RequestError: unsupported_entity_type, space_required, not_found."""
	return records.record(found(user, device, request), user)


def found(user: str, device: str | None, request: models.OfRecord) -> Item:
	"""The same as a pull has it."""
	if not registry().is_open(request.type):
		raise RequestError("unsupported_entity_type", entity_types=[request.type])
	there = wide_pull.one(user, device, request.type, request.id, request.space)
	if len(there) > 1:
		raise RequestError("space_required")
	if not there:
		raise RequestError("not_found")
	return there[0]


def _after(cursor: str | None) -> str:
	if cursor is not None and not NAME.fullmatch(cursor):
		raise RequestError("invalid_cursor")
	return cursor or ""


def refused(caller: Caller, cursor: str | None, limit: int) -> dict[str, Any]:
	"""A page of the device's refused changes; of one space, if the caller is in one."""
	where = "device = %s AND status = %s AND dismissed = 0 AND name > %s AND %s IN ('', space)"
	values, tail = (caller.device, ERROR, _after(cursor), caller.space), f"ORDER BY name LIMIT {limit + 1}"
	rows = sql.select("Sync Item", COLUMNS, where, values, tail)
	ledger.load_codes()
	return _page([_refusal(row) for row in rows[:limit]], rows, limit)


def _refusal(row: Sequence[Any]) -> dict[str, Any]:
	_, space, *rest = row
	change, outcome = ledger.as_answered(rest[:5], ledger.decode(rest[8:]))
	modified, attempts, payload = rest[5:8]
	sent = None if payload.startswith(NOT_KEPT) else json.loads(payload)
	return {
		**results.result(change, outcome, space, {}),
		"op": change.operation,
		"refused_at": clock.dump(modified),
		"attempts": attempts,
		"change": sent,
	}


def conflicts(user: str, cursor: str | None, limit: int) -> dict[str, Any]:
	"""A page of the user's open conflicts."""
	rows = sides.open_of(user, spaces.held_by(user), _after(cursor), limit + 1)
	by_field = sides.of_rows(rows[:limit], user)
	shown = [sides.shown(row, by_field[row["name"]]) for row in rows[:limit] if row["name"] in by_field]
	return _page(shown, [(row["name"],) for row in rows], limit)


def _page(shown: list[dict[str, Any]], rows: Sequence[Sequence[Any]], limit: int) -> dict[str, Any]:
	last = rows[min(limit, len(rows)) - 1][0] if rows else None
	return {"items": shown, "cursor": last, "has_more": len(rows) > limit}
