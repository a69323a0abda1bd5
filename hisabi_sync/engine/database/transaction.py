"""The open transaction: its savepoints, state that ends with it, and the tables that cannot take part in it.

Frappe drops the callbacks of a transaction when a callback before the commit raises, or when a rollback does. So state
counts only as long as the callback that ends it is still in its list.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import frappe
from frappe.model.meta import Meta

from hisabi_sync import compat
from hisabi_sync.engine.database import retry

NO_SAVEPOINT = 1305
State = dict[str, Any]
SAFE = "InnoDB"


@contextmanager
def savepoint(name: str) -> Iterator[None]:
	"""Undo what the block did when it raises, and raise that again; what came before it in the transaction stays.

	Raises retry.Undone when the transaction itself is gone: MariaDB rolls all of it back for a deadlock, which a controller
	may have swallowed, and a controller may roll back itself. A commit inside of the block is no harm when the block ends well.
	"""
	committed = []
	frappe.db.after_commit.add(lambda: committed.append(True))
	frappe.db.savepoint(name)
	try:
		yield
	except Exception as error:
		if not retry.ends_transaction(error):
			_roll_back(name, error)
		raise
	if not _stands(f"RELEASE SAVEPOINT {name}") and not committed:
		raise retry.Undone


def _roll_back(name: str, error: Exception) -> None:
	if not _stands(f"ROLLBACK TO SAVEPOINT {name}"):
		raise retry.Undone from error


def _stands(statement: str) -> bool:
	"""Run a statement about a savepoint; False if there is none of that name any more."""
	try:
		frappe.db.sql(statement)
	except Exception as error:
		if retry.number_of(error) == NO_SAVEPOINT:
			return False
		raise
	return True


class Kept(NamedTuple):
	"""State, and the callback that ends it with the list of callbacks that it is in."""

	state: State
	database: Any
	line: str
	callback: Callable[[], None]


def state(key: str) -> State | None:
	"""The state under a key, or None if the open transaction has none."""
	found: Kept | None = getattr(frappe.local, key, None)
	if found is None or found.database is not frappe.db:
		return None
	return found.state if compat.waits(getattr(frappe.db, found.line), found.callback) else None


def keep(key: str, finish: Callable[[State], Any], line: str = "before_commit") -> State:
	"""New, empty state under a key. `finish(state)` is called once, from a line of callbacks of the transaction."""
	state: State = {}
	callback = partial(finish, state)
	getattr(frappe.db, line).add(callback)
	setattr(frappe.local, key, Kept(state, frappe.db, line, callback))
	return state


def postpone(key: str) -> None:
	"""Let the callback that ends a state run behind those that were added since."""
	kept: Kept | None = getattr(frappe.local, key, None)
	if kept is not None and state(key) is not None:
		compat.put_last(getattr(frappe.db, kept.line), kept.callback)


def unsafe_tables(doctypes: list[str]) -> dict[str, str]:
	"""{DocType: storage engine} of those whose changes MariaDB could not roll back."""
	tables = {f"tab{doctype}": doctype for doctype in doctypes}
	if not tables:
		return {}
	rows = frappe.db.sql(
		"""SELECT table_name, engine FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name IN %s AND engine != %s""",
		(tuple(tables), SAFE),
	)
	return {tables[name]: engine for name, engine in rows}


def tables_of(meta: Meta) -> list[str]:
	"""The DocType and those of its child tables."""
	return [meta.name, *(df.options for df in meta.get_table_fields())]
