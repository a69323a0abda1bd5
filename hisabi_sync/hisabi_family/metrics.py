"""Counting syncs per day and device, in one row each: how often, how long, how large, and how they went."""

from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine.database.sql import quote
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.store.write import STANDARD

DOCTYPE = "Family Sync Day"
CONFLICT_TARGET, ERROR_TARGET = 5, 1  # percent of the changes
ON_TARGET, OFF_TARGET = "On target", "Off target"
SIZES = ((0, "size_0"), (10, "size_10"), (50, "size_50"), (100, "size_100"))
BIGGEST = "size_500"
SUMS = "syncs changes applied conflicts errors server_changes duration_ms".split()
COUNTERS = [*SUMS, *(name for _, name in SIZES), BIGGEST]


def size_of(changes: int) -> str:
	"""The column that counts requests of this size."""
	return next((name for limit, name in SIZES if changes <= limit), BIGGEST)


def note(caller: Caller, duration_ms: int, **counts: int) -> None:
	"""Add one sync with its counts `changes`, `applied`, `conflicts`, `errors`, `server_changes`; to be committed."""
	now = clock.now()
	counts = {"syncs": 1, "duration_ms": duration_ms, size_of(counts["changes"]): 1, **counts}
	row = {
		**dict(zip(STANDARD, (_name(caller, now), now, now, caller.user, caller.user), strict=True)),
		"day": now.date(),
		"family": caller.space_key,
		"device": caller.device,
		"user": caller.user,
		"last_sync": now,
		"longest_ms": duration_ms,
		**{name: counts.get(name, 0) for name in COUNTERS},
	}
	_add(row)


def _name(caller: Caller, now: datetime) -> str:
	return ids.digest(now.date(), caller.device, caller.space)


def _add(row: dict[str, Any]) -> None:
	columns = [*row, "status"]
	# The database judges the sums; in an update each assignment sees those before it.
	added = [f"{quote(name)} = {quote(name)} + VALUES({quote(name)})" for name in COUNTERS]
	changes = [
		*added,
		"longest_ms = GREATEST(longest_ms, VALUES(longest_ms))",
		"last_sync = VALUES(last_sync)",
		"modified = VALUES(modified)",
		f"status = {_judged('conflicts', 'errors', 'changes')}",
	]
	marks = [*(f"%({name})s" for name in row), _judged("%(conflicts)s", "%(errors)s", "%(changes)s")]
	frappe.db.sql(
		f"""INSERT INTO `tabFamily Sync Day` ({", ".join(map(quote, columns))}) VALUES ({", ".join(marks)})
		ON DUPLICATE KEY UPDATE {", ".join(changes)}""",  # noqa: S608
		row,
	)


def _judged(conflicts: str, errors: str, changes: str) -> str:
	within = (
		f"{conflicts} * 100 <= {CONFLICT_TARGET} * {changes} AND {errors} * 100 <= {ERROR_TARGET} * {changes}"
	)
	return f"IF({within}, '{ON_TARGET}', '{OFF_TARGET}')"
