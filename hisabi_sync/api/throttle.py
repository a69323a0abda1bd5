"""Counting tries by who makes them, not by address: behind a mobile operator's NAT thousands share one."""

import frappe
import redis

from hisabi_sync.engine import ids
from hisabi_sync.engine.errors import RequestError

WINDOW = 15 * 60  # seconds


def count(action, whom, limit):
	"""Note one try for each of the texts in `whom`. Raises RequestError rate_limited, or unavailable without Redis.

	Tries are counted before they are judged, so that many at once are no way around the limit.
	"""
	try:
		waits = [_count(key, limit) for key in _keys(action, whom)]
	except redis.exceptions.ConnectionError:
		raise RequestError("unavailable") from None
	if any(waits):
		raise RequestError("rate_limited", retry_after=max(waits))


def _count(key, limit):
	"""Seconds to wait, 0 when the try is within the limit."""
	tries = frappe.cache.incrby(key, 1)
	if frappe.cache.ttl(key) < 0:
		frappe.cache.expire(key, WINDOW)
	return 0 if tries <= limit else max(frappe.cache.ttl(key), 1)


def take_back(action, whom):
	"""The try was a good one and does not count."""
	for key in _keys(action, whom):
		if frappe.cache.ttl(key) > 0:
			frappe.cache.incrby(key, -1)


def forget(action, whom):
	"""Start counting anew."""
	for key in _keys(action, whom):
		frappe.cache.delete(key)


def _keys(action, whom):
	return [frappe.cache.make_key(f"hisabi_sync_tries:{action}:{ids.digest(text)}") for text in whom]
