"""The rate limit of a connection, shared by all jobs of the site: a window of one second each, counted in Redis."""

import math
import time

import frappe
import redis

PATIENCE = 300  # seconds


def wait(name: str, per_minute: int, patience: float = PATIENCE) -> bool:
	"""Return whether one more request fits into the rate within `patience` seconds; 0 is no limit.

	Without Redis nobody waits.
	"""
	deadline = time.monotonic() + patience
	while per_minute:
		pause = _taken(name, per_minute, time.time())
		if not pause:
			break
		if time.monotonic() + pause > deadline:
			return False
		time.sleep(pause)
	return True


def _taken(name: str, per_minute: int, now: float) -> float:
	"""Take a place in the present window; 0.0, or the seconds until the next one. Slow rates have longer windows."""
	length = max(1.0, 60.0 / per_minute)
	room = max(1, math.floor(per_minute * length / 60))
	window = int(now / length)
	key = frappe.cache.make_key(f"hisabi_sync_rate:{name}:{window}")
	try:
		taken = frappe.cache.incrby(key, 1)
		if taken == 1:
			frappe.cache.expire(key, int(length) + 5)
	except redis.exceptions.ConnectionError:
		return 0.0
	return 0.0 if taken <= room else (window + 1) * length - now + 0.001
