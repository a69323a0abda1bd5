"""Counting tries by who makes them: behind a mobile operator's NAT thousands share an address.

Frappe's own rate limiter counts by the address that the client names, and by a call's argument as it was typed.
"""

from collections.abc import Iterable

import frappe
import redis

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError

WINDOW = 15 * 60  # seconds


def count(action: str, whom: Iterable[str], limit: int) -> None:
	"""Note one try for each of the texts in `whom`. Raises RequestError rate_limited, or unavailable without Redis.

	Tries are counted before they are judged, so that many at once are no way around the limit.
	"""
	if wait := waits(action, dict.fromkeys(whom, limit)):
		raise RequestError("rate_limited", retry_after=wait)


def waits(action: str, limits: dict[str, int]) -> int:
	"""Note one try for each text; seconds to wait, 0 while all are within their limits. Raises RequestError unavailable."""
	try:
		return max(
			_count(key, limit) for key, limit in zip(_keys(action, limits), limits.values(), strict=True)
		)
	except redis.exceptions.ConnectionError:
		raise RequestError("unavailable") from None


def note(action: str, text: str) -> None:
	"""Count something that has no limit of its own."""
	_count(_keys(action, (text,))[0], 0)


def noted(action: str, text: str) -> int:
	"""How often something was counted in the last WINDOW. Raises RequestError unavailable without Redis."""
	try:
		return int(frappe.cache.get(*_keys(action, (text,))) or 0)
	except redis.exceptions.ConnectionError:
		raise RequestError("unavailable") from None


def _count(key: bytes, limit: int) -> int:
	"""Seconds to wait, 0 when the try is within the limit."""
	tries = frappe.cache.incrby(key, 1)
	if frappe.cache.ttl(key) < 0:
		frappe.cache.expire(key, WINDOW)
	return 0 if tries <= limit else max(frappe.cache.ttl(key), 1)


def take_back(action: str, whom: Iterable[str]) -> None:
	"""The try was a good one and does not count."""
	for key in _keys(action, whom):
		if frappe.cache.ttl(key) > 0:
			frappe.cache.incrby(key, -1)


def forget(action: str, whom: Iterable[str]) -> None:
	"""Start counting anew."""
	for key in _keys(action, whom):
		frappe.cache.delete(key)


def _keys(action: str, whom: Iterable[str]) -> list[bytes]:
	return [frappe.cache.make_key(f"hisabi_sync_tries:{action}:{ids.digest(text)}") for text in whom]
