"""How far each device has come in each space, and which position a time stands for."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.judge.standing import BLIND, UNSEEN
from hisabi_sync.engine.model import clock, cursor, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.cursor import Standing
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store.write import STANDARD

# A change may be numbered this long before it is committed and seen, and clocks of several servers differ.
MARGIN = timedelta(minutes=5)
# The visibility hash (column `sight`) belongs to the position, which only moves forward. MariaDB evaluates from left to right.
FURTHER = """sight = IF(VALUES(acknowledged) >= acknowledged, VALUES(sight), sight),
	acknowledged = GREATEST(acknowledged, VALUES(acknowledged)), modified = VALUES(modified)"""


def name_of(caller: Caller, entity_type: str | None = None) -> str:
	"""Name of the Sync Device Position of a device in a space, for all entity types or for one."""
	parts = (
		(caller.device, caller.space) if entity_type is None else (caller.device, caller.space, entity_type)
	)
	return ids.digest(*parts)


def _held(caller: Caller) -> tuple[Standing | None, dict[str, Standing]]:
	"""(Standing for all entity types together or None, {entity type: its own}). A later acknowledgement of all counts for each."""
	columns = ["entity_type", "acknowledged", "sight", "modified"]
	rows = sql.select(
		"Sync Device Position", columns, "device = %s AND space = %s", (caller.device, caller.space)
	)
	standings = {row[0] or "": Standing(row[1], visibility=row[2] or UNSEEN) for row in rows}
	said = {row[0] or "": row[3] for row in rows}
	of_all = standings.pop("", None)
	later = {name for name in standings if of_all and said[name] < said[""]}
	return of_all, {
		name: max(standing, of_all, key=_position) if of_all and name in later else standing
		for name, standing in standings.items()
	}


def _position(standing: Standing) -> int:
	return standing.position


def acknowledge(caller: Caller, reached: cursor.Cursor) -> None:
	"""Move the device's positions forward to the positions of a Cursor, never back. Raises RequestError invalid_cursor."""
	acknowledge_all([(caller, reached)])


def acknowledge_all(reached: Iterable[tuple[Caller, cursor.Cursor]]) -> None:
	"""The same for several spaces, [(the caller in a space, its Cursor)]."""
	now = clock.now()
	rows = [row for caller, reached_cursor in reached for row in _rows(caller, reached_cursor, now)]
	columns = [*STANDARD, "device", "space", "entity_type", "acknowledged", "sight"]
	sql.insert_or("Sync Device Position", columns, rows, FURTHER)


def _rows(caller: Caller, reached: cursor.Cursor, now: datetime) -> list[tuple[Any, ...]]:
	if any(max(reach.position, reach.deletes_until) > caller.position for reach in reached.standings):
		raise RequestError("invalid_cursor")
	names = {entity.mark: entity.name for entity in registry().of_space_type(caller.space_type)}
	standings: dict[str | None, Standing | None] = {
		None: reached.rest,
		**{names[mark]: own_standing for mark, own_standing in reached.named.items() if mark in names},
	}
	return [
		(
			*(name_of(caller, name), now, now, caller.user, caller.user),
			*(
				caller.device,
				caller.space,
				name,
				_complete(standing),
				standing.visibility if standing else UNSEEN,
			),
		)
		for name, standing in standings.items()
		if _complete(standing) or (name and reached.rest)
	]


def _complete(standing: Standing | None) -> int:
	"""The position up to which the device holds everything; 0 until its first pull is complete."""
	return standing.position if standing and standing.snapshot is None else 0


def after_push(caller: Caller) -> str:
	"""The cursor from which a device pulls after a push: the position that it last acknowledged.

	It is not the position of the device's own changes: the server may have completed those with values that the device
	still has to pull.
	"""
	seen, own = _held(caller)
	by_name = registry().by_name
	mark, visibilities = visibility.marks(caller)
	named: dict[str, Standing | None] = {
		by_name[name].mark: _acknowledged_standing(standing, visibilities[by_name[name].mark])
		for name, standing in own.items()
		if name in by_name and by_name[name].mark in visibilities and _is_apart(standing, seen)
	}
	return cursor.encode(cursor.build(caller.space, _acknowledged_standing(seen, mark), named))


def _is_apart(standing: Standing, rest: Standing | None) -> bool:
	return rest is None or standing.position != rest.position or standing.visibility == BLIND


def _acknowledged_standing(standing: Standing | None, mark: str) -> Standing:
	"""A device that has acknowledged nothing may still hold records, so it gets all deletes from the beginning."""
	return standing if standing and standing.position else Standing(0, 0, mark)


def before(caller: Caller, moment: datetime | None) -> int | None:
	"""A position before everything that was committed since a time; None without a time.

	It is the position before the newest batch that is older than the time by MARGIN. So no change is missed, and some may be
	sent again.
	"""
	if moment is None:
		return None
	rows = frappe.db.sql(
		"""SELECT first_sequence FROM `tabSync Batch` WHERE space = %s AND creation < %s AND first_sequence > 0
		ORDER BY creation DESC LIMIT 1""",
		(caller.space, clock.shifted(clock.before_repeat(moment), -MARGIN)),
	)
	return rows[0][0] - 1 if rows else 0
