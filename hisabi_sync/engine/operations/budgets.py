"""What every user and every device may use, so that nobody makes others pay: one table, a row for each budget.

What is used in a window of time is counted in Redis, two round trips for a push that leaves something behind and one for
any other. Without Redis pushes go on uncounted: phones must hand in their work, and what is kept in the database is
counted there. A user has several times what a device has, for devices are free to make.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import frappe
import redis
from frappe.model.document import Document

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Allowance, Caller
from hisabi_sync.engine.model.errors import RequestError

QUARTER, DAY = 15 * 60, 24 * 3600
MIB = 1024 * 1024
USER_SHARE = 5  # devices' worth of a budget that all devices of a user have together
PAUSE = 3600  # seconds after which somebody may have made room in what is held

REDIS_PAUSE = 5.0  # seconds in which a Redis that did not answer is not asked again
_silent: dict[str, float] = {}  # site -> when to ask again


@dataclass(frozen=True, slots=True)
class Budget:
	"""One row. `setting` is a field of Sync Settings in `unit`s; a `window` in seconds, none for what is held.

	Over it a call ends with `code`; without one nothing is refused, and less is kept.
	"""

	name: str
	setting: str
	default: int
	least: int
	most: int
	code: str | None
	window: int | None = None
	unit: int = 1

	@property
	def limit(self) -> int:
		"""Of a device, or of a user for what only users hold."""
		return int(frappe.get_cached_doc("Sync Settings").get(self.setting) or self.default) * self.unit


ROWS = (
	Budget("pushed_items", "budget_items", 100_000, 1_000, 100_000_000, "item_budget_used", QUARTER),
	Budget("pushed_bytes", "budget_mib", 256, 16, 1_000_000, "byte_budget_used", QUARTER, MIB),
	Budget("new_conflicts", "budget_conflicts", 2_000, 10, 1_000_000, "conflict_budget_used", DAY),
	Budget("failed_items", "budget_failed_items", 5_000, 10, 1_000_000, "failed_budget_used", DAY),
	Budget("failed_bytes", "budget_failed_mib", 8, 1, 10_000, None, DAY, MIB),
	Budget("devices", "max_devices", 100, 2, 10_000, "too_many_devices"),
	Budget("spaces", "max_spaces", 100, 1, 10_000, "too_many_spaces"),
	Budget("invites", "max_invites", 100, 1, 10_000, "too_many_invites"),
	Budget("waiting_uploads", "max_waiting_media", 500, 1, 100_000, "too_many_uploads"),
	Budget("waiting_bytes", "max_waiting_mib", 10_240, 1, 10_000_000, "upload_budget_used", unit=MIB),
	Budget("used_bytes", "max_used_media_mib", 51_200, 1, 100_000_000, "storage_budget_used", unit=MIB),
)
BY_NAME = {row.name: row for row in ROWS}
WINDOWED = [row for row in ROWS if row.window]


# --- what is used in a window


def open_push(caller: Caller, items: int, size: int) -> Caller:
	"""The caller with the allowance for a push of so many items and bytes.

	It is counted before it is judged, so that many at once are no way around it.
	Raises RequestError with the code of a budget that is used up, and `retry_after`.
	"""
	spent = {"pushed_items": items, "pushed_bytes": size}
	used = add_to_windows(
		(row.name, row.window or 0, holder, spent.get(row.name, 0))
		for row in WINDOWED
		for holder in _holders(caller)
	)
	left = [_left(row, caller, used, spent) for row in WINDOWED]
	return replace(caller, allowance=Allowance(left[-1]))


def _left(row: Budget, caller: Caller, used: Mapping[tuple[str, str], int], spent: Mapping[str, int]) -> int:
	"""What is left of a budget, of the device and of the user. Raises RequestError where nothing was left before."""
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
			(name, BY_NAME[name].window or 0, holder, amount)
			for name, amount in left_behind.items()
			for holder in _holders(caller)
		)


# --- what is held


def require(name: str, user: str, more: int = 1, used: int | None = None) -> None:
	"""Raise RequestError when the user would hold more than their budget with `more` of it."""
	row = BY_NAME[name]
	held = count(name, user) if used is None else used
	if held + more > row.limit:
		raise RequestError(str(row.code), limit=row.limit, used=held, retry_after=PAUSE)


def count(name: str, user: str) -> int:
	"""What a user holds, by the function that an app names under the hook `sync_budget_counts`."""
	paths = frappe.get_hooks("sync_budget_counts", default={}).get(name)
	return int(frappe.get_attr(paths[-1])(user) or 0) if paths else 0


# --- for people


def table(user: str, device: str) -> list[dict[str, Any]]:
	"""What is used of what: `{name, label, limit, used, of_user, of_user_limit, unit, window}`, None where nobody knows."""
	return [_shown(row, user, device) for row in ROWS]


def _shown(row: Budget, user: str, device: str) -> dict[str, Any]:
	label = frappe.get_meta("Sync Settings").get_label(row.setting)
	shown = {"name": row.name, "label": label, "unit": row.unit, "window": row.window}
	if not row.window:
		return {
			**shown,
			"used": None,
			"limit": None,
			"of_user": count(row.name, user),
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
	"""(field, least, most) of those settings that are out of their bounds; 0 stands for the default."""
	for row in ROWS:
		value = int(settings.get(row.setting) or 0)
		if value and not row.least <= value <= row.most:
			yield row.setting, row.least, row.most


def add_to_windows(amounts: Iterable[tuple[str, int, str, int]]) -> dict[tuple[str, str], int]:
	"""Add (name, window in seconds, holder, amount) in one round trip; `{(name, holder): count}` afterwards.

	An empty dict while Redis is away: what cannot be counted is not held up.
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
