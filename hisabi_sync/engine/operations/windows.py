"""Counters in Redis for windows of time that begin and end for everybody at once."""

import time
from collections.abc import Iterable
from typing import Any

import frappe
import redis

from hisabi_sync.engine.model import ids

REST = 5.0  # seconds in which a Redis that did not answer is not asked again
_silent: dict[str, float] = {}  # site -> when to ask again


def add(amounts: Iterable[tuple[str, int, str, int]]) -> dict[tuple[str, str], int]:
	"""Add (name, window in seconds, holder, amount) in one round trip; `{(name, holder): count}` afterwards.

	An empty dict while Redis is away: what cannot be counted is not held up.
	"""
	amounts = list(amounts)
	if _silent.get(frappe.local.site, 0) > time.monotonic():
		return {}
	try:
		counts = _ask(amounts)
	except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
		_silent[frappe.local.site] = time.monotonic() + REST
		return {}
	return {(name, holder): int(n or 0) for (name, _, holder, _), n in zip(amounts, counts, strict=True)}


def _ask(amounts: list[tuple[str, int, str, int]]) -> list[Any]:
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


def rest(window: int) -> int:
	"""Seconds until the window ends."""
	return window - int(time.time() % window)
