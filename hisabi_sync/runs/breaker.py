"""How long to wait after a failure, and when to stop: failures in a row pause a connection, a success opens it again."""

import random
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.utils import add_to_date

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.store import side_effects
from hisabi_sync.runs import records
from hisabi_sync.runs.errors import RemoteError

DOCTYPE = "Sync Connection"
READY, PAUSED = "Ready", "Paused"
COLUMNS = ["status", "paused_until", "failures_in_a_row", "breaker_failures", "parallel", "modified"]
STATE = ("status", "paused_reason", "paused_until", "failures_in_a_row", "last_success_at", "last_error")
FIRST, LONGEST = 2.0, 300.0  # seconds between attempts of a record
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0  # seconds that a connection is paused
MAX_SHIFT = 30


def of(connection: str) -> frappe._dict | None:
	"""The present state as a dict, or None when the connection is gone."""
	rows = sql.select(DOCTYPE, COLUMNS, "name = %s", (connection,))
	return frappe._dict(zip(COLUMNS, rows[0], strict=True)) if rows else None


def seconds_paused(state: frappe._dict) -> float:
	"""How long nothing is sent, in seconds; 0 when the connection is open."""
	if state.status != PAUSED or not state.paused_until:
		return 0
	return max((state.paused_until - clock.now()).total_seconds(), 0)


def is_trying(state: frappe._dict) -> bool:
	"""Whether the connection has failed so often that one record has to go first."""
	return bool(state.breaker_failures) and state.failures_in_a_row >= state.breaker_failures


def note_success(connection: str) -> None:
	"""An answer came; a connection that had failed is open again."""
	values = {"failures_in_a_row": 0, "status": READY, "paused_until": None, "paused_reason": None}
	now = clock.now()
	sql.update_in(DOCTYPE, {**values, "last_success_at": now}, [connection], "failures_in_a_row > 0")
	if records.affected():
		side_effects.refresh_form(DOCTYPE, connection)
	else:
		sql.update_in(DOCTYPE, {"last_success_at": now}, [connection])


def note_failure(connection: str, error: RemoteError) -> None:
	"""One more failure in a row; from the connection's limit on it is paused."""
	rows = sql.select(
		DOCTYPE, ["failures_in_a_row", "breaker_failures"], "name = %s", (connection,), "FOR UPDATE"
	)
	if not rows:
		return
	verdict = after_failure(*rows[0])
	values = {"failures_in_a_row": verdict.failures, "last_error": error.message}
	if verdict.pause:
		values.update(_pause(verdict.pause, error))
	sql.update_in(DOCTYPE, values, [connection])
	if verdict.pause:
		side_effects.refresh_form(DOCTYPE, connection)


def reopen(connection: str) -> None:
	"""The pause that the other side asked for is over."""
	values = {"status": READY, "paused_until": None, "paused_reason": None}
	where = "status = %s AND paused_until <= %s AND failures_in_a_row < GREATEST(breaker_failures, 1)"
	sql.update_in(DOCTYPE, values, [connection], where, (PAUSED, clock.now()))


def resume(connection: str) -> None:
	"""A person says that the other side is well again; after failures in a row, one record goes first."""
	values = {"status": READY, "paused_until": None, "paused_reason": None}
	sql.update_in(DOCTYPE, values, [connection], "status = %s", (PAUSED,))
	side_effects.refresh_form(DOCTYPE, connection)


def hold(connection: str, error: RemoteError) -> None:
	"""The other side asked us to wait."""
	sql.update_in(DOCTYPE, _pause(error.wait or 1, error), [connection])


def _pause(seconds: float, error: RemoteError) -> dict[str, Any]:
	until = add_to_date(clock.now(), seconds=seconds * (1 + random.random() / 10))
	return {"status": PAUSED, "paused_until": until, "paused_reason": error.message}


def backoff(attempts: int, chance: float, first: float = FIRST, longest: float = LONGEST) -> float:
	"""Seconds before the next attempt: doubles each time, and `chance` (0 to 1) spreads it over its upper half."""
	whole = min(longest, first * 2 ** min(max(attempts - 1, 0), MAX_SHIFT))
	return whole * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Breaker:
	"""What a connection's failures in a row lead to. `pause` is in seconds, 0 when the connection stays open."""

	failures: int
	pause: float


def after_failure(failures: int, limit: int) -> Breaker:
	"""One more failure. From `limit` on every further one pauses for twice as long; a limit of 0 never pauses."""
	count = failures + 1
	if not limit or count < limit:
		return Breaker(count, 0)
	return Breaker(count, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(count - limit, MAX_SHIFT)))
