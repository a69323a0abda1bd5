"""One step of a transaction on its own: what it raises is its own, unless the whole transaction went with it."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe

from hisabi_sync.engine.database import retry

NO_SAVEPOINT = 1305


@contextmanager
def step(name: str) -> Iterator[None]:
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
			_back(name, error)
		raise
	if not _stands(f"RELEASE SAVEPOINT {name}") and not committed:
		raise retry.Undone


def _back(name: str, error: Exception) -> None:
	if not _stands(f"ROLLBACK TO SAVEPOINT {name}"):
		raise retry.Undone from error


def _stands(statement: str) -> bool:
	"""Run a statement about a savepoint; False when there is none of that name any more."""
	try:
		frappe.db.sql(statement)
	except Exception as error:
		if retry.number_of(error) == NO_SAVEPOINT:
			return False
		raise
	return True
