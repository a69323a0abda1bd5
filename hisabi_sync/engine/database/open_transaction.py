"""State of the open transaction, which ends with it, however that ends.

Frappe forgets what was to be done before a commit or after a rollback when a callback before the commit raises, or when the
rollback does. So state counts only as long as the callback that ends it waits in its line: whoever empties the line ends it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import frappe

from hisabi_sync import compat

State = dict[str, Any]


class Held(NamedTuple):
	"""State, and where the callback waits that ends it."""

	state: State
	database: Any
	line: str
	callback: Callable[[], None]


def held(key: str) -> State | None:
	"""The state under a key, None where the open transaction has none."""
	found: Held | None = getattr(frappe.local, key, None)
	if found is None or found.database is not frappe.db:
		return None
	return found.state if compat.waits(getattr(frappe.db, found.line), found.callback) else None


def begin(key: str, finish: Callable[[State], Any], line: str = "before_commit") -> State:
	"""New, empty state under a key. `finish(state)` is called once, from a line of callbacks of the transaction."""
	state: State = {}
	callback = partial(finish, state)
	getattr(frappe.db, line).add(callback)
	setattr(frappe.local, key, Held(state, frappe.db, line, callback))
	return state
