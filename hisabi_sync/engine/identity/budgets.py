"""What each user and each device may use, so that nobody can make others pay.

What pushes use in a window of time is counted in Redis: two round trips for a push that leaves something behind, one for
any other. Without Redis pushes go on uncounted, because phones must be able to hand in their work; what is kept in the
database is counted there. A user has several times the budget of a device, because devices cost nothing to make.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import frappe
import redis
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Allowance, Caller
from hisabi_sync.engine.model.contract import MIB, Budget
from hisabi_sync.engine.model.errors import RequestError

QUARTER, DAY = 15 * 60, 24 * 3600
USER_SHARE = 5  # a user's budget is that of this many devices
PAUSE = 3600  # seconds after which the user may have made room

REDIS_PAUSE = 5.0  # seconds after which a Redis that did not answer is asked again
_silent: dict[str, float] = {}  # site -> when to ask again


# The engine's own. What else users hold belongs to the contract that lets them make it (`Contract.budgets`).
PUSHES = (
	Budget("pushed_items", "budget_items", 100_000, 1_000, 100_000_000, "item_budget_used", QUARTER),
	Budget("pushed_bytes", "budget_mib", 256, 16, 1_000_000, "byte_budget_used", QUARTER, MIB),
	Budget("new_conflicts", "budget_conflicts", 2_000, 10, 1_000_000, "conflict_budget_used", DAY),
	Budget("failed_items", "budget_failed_items", 5_000, 10, 1_000_000, "failed_budget_used", DAY),
	Budget("failed_bytes", "budget_failed_mib", 8, 1, 10_000, None, DAY, MIB),
)
WINDOWS = {row.name: row.window or 0 for row in PUSHES}


def _count_devices(user: str) -> int:
	"""Devices of a user that work or will work again when they sign in."""
	where = "user = %s AND status = 'Active' AND (expires_at IS NULL OR expires_at > %s)"
	return sql.select("Sync Device", ["COUNT(*)"], where, (user, clock.now()))[0][0]


DEVICES = Budget("devices", "max_devices", 100, 2, 10_000, "too_many_devices", count=_count_devices)


PRINTS = Budget("prints", "budget_prints", 300, 10, 1_000_000, "print_budget_used", QUARTER)


def rows() -> list[Budget]:
	"""All budgets: those of pushes, prints and devices, and those that the site's contracts bring."""
	return [*PUSHES, PRINTS, DEVICES, *contracts.budgets()]


# --- what is used in a window


def open_push(caller: Caller, items: int, size: int) -> Caller:
	"""The caller with the allowance for a push of `items` changes and `size` bytes.

	The push is counted before it is judged, so that many pushes at once cannot exceed the budget.
	Raises RequestError with the code of a budget that is used up, and `retry_after` in seconds.
	"""
	spent = {"pushed_items": items, "pushed_bytes": size}
	used = add_to_windows(
		(row.name, row.window or 0, holder, spent.get(row.name, 0))
		for row in PUSHES
		for holder in _holders(caller)
	)
	left = [_left(row, caller, used, spent) for row in PUSHES]
	return replace(caller, allowance=Allowance(left[-1]))


def spend(row: Budget, caller: Caller, amount: int = 1) -> None:
	"""Count something that a caller uses. Raises RequestError with the budget's code, and `retry_after` in seconds, if it is used up."""
	used = add_to_windows((row.name, row.window or 0, holder, amount) for holder in _holders(caller))
	_left(row, caller, used, {row.name: amount})


def _left(row: Budget, caller: Caller, used: Mapping[tuple[str, str], int], spent: Mapping[str, int]) -> int:
	"""What is left of a budget, the lesser of device and user. Raises RequestError if the push exceeds it."""
	limits = zip(_holders(caller), (row.limit, row.limit * USER_SHARE), strict=False)
	left = min(limit - used.get((row.name, holder), 0) + spent.get(row.name, 0) for holder, limit in limits)
	if row.code and (left < spent[row.name] if row.name in spent else left <= 0):
		raise RequestError(row.code, limit=row.limit, retry_after=seconds_left(row.window or 0))
	return left


def _holders(caller: Caller) -> tuple[str, str]:
	return f"device {caller.device}", f"user {caller.user}"


def close_push(caller: Caller) -> None:
	"""Count what a push left behind."""
	left_behind = caller.allowance.kept
	if any(left_behind.values()):
		add_to_windows(
			(name, WINDOWS[name], holder, amount)
			for name, amount in left_behind.items()
			for holder in _holders(caller)
		)


# --- what is held


def require(name: str, user: str, more: int = 1, used: int | None = None) -> None:
	"""Raise RequestError with the budget's code if the user would hold more than it allows with `more` of it.

	`used` is what they hold already, for a caller that has counted it.
	"""
	row = next(row for row in rows() if row.name == name)
	in_use = row.held_by(user) if used is None else used
	if in_use + more > row.limit:
		raise RequestError(str(row.code), limit=row.limit, used=in_use, retry_after=PAUSE)


# --- for people


def table(user: str, device: str) -> list[dict[str, Any]]:
	"""`{name, label, limit, used, of_user, of_user_limit, unit, window}` of each budget; None for what is not counted."""
	return [_shown(row, user, device) for row in rows()]


def _shown(row: Budget, user: str, device: str) -> dict[str, Any]:
	label = frappe.get_meta("Sync Settings").get_label(row.setting)
	shown = {"name": row.name, "label": label, "unit": row.unit, "window": row.window}
	if not row.window:
		return {
			**shown,
			"used": None,
			"limit": None,
			"of_user": row.held_by(user),
			"of_user_limit": row.limit,
		}
	holders = (f"device {device}", f"user {user}")
	used = add_to_windows((row.name, row.window, holder, 0) for holder in holders)
	mine, all_of_his = (used.get((row.name, holder)) for holder in holders)
	return {
		**shown,
		"used": mine,
		"limit": row.limit,
		"of_user": all_of_his,
		"of_user_limit": row.limit * USER_SHARE,
	}


def wrong_settings(settings: Document) -> Iterable[tuple[str, int, int]]:
	"""(field, least, most) of settings that are out of their bounds; 0 means the default."""
	for row in rows():
		value = int(settings.get(row.setting) or 0)
		if value and not row.least <= value <= row.most:
			yield row.setting, row.least, row.most


def add_to_windows(amounts: Iterable[tuple[str, int, str, int]]) -> dict[tuple[str, str], int]:
	"""Add (name, window in seconds, holder, amount) in one round trip; `{(name, holder): count}` afterwards.

	An empty dict while Redis is away: what cannot be counted is not refused.
	"""
	amounts = list(amounts)
	if _silent.get(frappe.local.site, 0) > time.monotonic():
		return {}
	try:
		counts = _ask_redis(amounts)
	except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
		_silent[frappe.local.site] = time.monotonic() + REDIS_PAUSE
		return {}
	return {(name, holder): int(n or 0) for (name, _, holder, _), n in zip(amounts, counts, strict=True)}


def _ask_redis(amounts: list[tuple[str, int, str, int]]) -> list[Any]:
	pipeline = frappe.cache.pipeline(transaction=False)
	answers = []
	for name, window, holder, amount in amounts:
		key = frappe.cache.make_key(
			f"hisabi_sync_used:{name}:{int(time.time() // window)}:{ids.digest(holder)}"
		)
		answers.append(len(pipeline))
		if amount:
			pipeline.incrby(key, amount)
			pipeline.expire(key, window)
		else:
			pipeline.get(key)
	found = pipeline.execute()
	return [found[place] for place in answers]


def seconds_left(window: int) -> int:
	"""Seconds until the window ends."""
	return window - int(time.time() % window)
