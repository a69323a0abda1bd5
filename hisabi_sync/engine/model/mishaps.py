"""What nobody expected is logged once for each place where it comes from, and without values, which may be secrets."""

import time
import traceback

import frappe
from redis.exceptions import RedisError

from hisabi_sync.engine.model import ids

QUIET = 24 * 3600  # seconds for which the same mistake is not logged again
FRAMES = 20
_noted: dict[str, float] = {}  # {key: when, by the process's own clock}, for when Redis is away


def note(title: str, error: BaseException) -> str:
	"""Write an Error Log row for an exception unless one was written in the last day; returns its kind, a short text.

	The same mistake is one of the same type that was raised at the same line under the same title.
	"""
	kind, trace = kind_of(error), traceback.extract_tb(error.__traceback__)
	where = [(frame.filename, frame.lineno) for frame in trace[-1:]]
	if _is_new(ids.digest(title, kind, repr(where), size=12)):
		frames = "".join(traceback.format_list(trace[-FRAMES:]))
		frappe.log_error(f"Hisabi Sync: {title}"[:140], f"{frames}{kind}")
	return kind


def kind_of(error: BaseException) -> str:
	"""`KeyError`, or `OperationalError 1213` for an error of the database; what an exception says may hold values."""
	number = error.args[0] if error.args and type(error.args[0]) is int else None
	name = type(error).__name__
	return f"{name} {number}" if number is not None and name.endswith("Error") else name


def _is_new(key: str) -> bool:
	now = time.monotonic()
	if now - _noted.get(key, -QUIET) < QUIET:
		return False
	_noted[key] = now
	try:
		name = frappe.cache.make_key(f"hisabi_sync_mishap:{key}")
		return bool(frappe.cache.set(name, 1, nx=True, ex=QUIET))
	except RedisError:
		return True
