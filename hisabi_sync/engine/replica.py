"""Pulls that the site's read replica answers, where its configuration names one (`read_from_replica`).

The counter of a space identifies its state: each change of a record takes numbers in the same transaction, and a replica
commits in the order of the primary. So if the replica has the counter that the primary has just shown, it gives the answer
that the primary would give. If not, it is behind, or ahead by a moment, and the primary answers. What a caller may read is
always decided on the primary.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import frappe

from hisabi_sync import compat
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model.change import Caller

PAUSE = 10  # seconds that a replica is left alone after it failed; `sync_replica_pause` in the site's config
SETTINGS = {
	"connect_timeout": 1,  # seconds
	"read_timeout": 5,
	# One snapshot for all that is read; and nothing of ours is ever written to a replica.
	"init_command": "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
}
# Transactions of several GTID domains that are applied by several threads are committed in any order.
ANY_ORDER = "@@slave_parallel_threads > 1 AND LOCATE(',', @@gtid_slave_pos) > 0"
ORDER = f"SELECT {ANY_ORDER}"
SPACES = "SELECT name, sequence, horizon, horizons FROM `tabSync Space`"
STATE = f"""SELECT {ANY_ORDER}, s.sequence, s.horizon, s.horizons, COUNT(e.name), MAX(e.modified)
	FROM `tabSync Space` s LEFT JOIN `tabSync Entity` e ON e.enabled = 1 WHERE s.name = %s GROUP BY s.name"""  # noqa: S608

T = TypeVar("T")
_left_alone: dict[str, float] = {}  # {site: until when, in seconds of the process's clock}


class Unfit(Exception):
	"""The replica cannot answer."""


class Replica:
	"""A connection for one answer. Its `sql` works like that of a Frappe database, and raises Unfit for any error."""

	def __init__(self, database: Any) -> None:
		self.database = database

	def sql(self, query: str, values: Iterable[Any] = ()) -> Any:
		"""Run a select on the replica."""
		try:
			return self.database.sql(query, values)
		except Exception as error:
			raise Unfit(str(error)) from error

	def close(self) -> None:
		"""End the connection."""
		try:
			self.database.close()
		except Exception:
			self.database = None  # it was gone already

	def agrees(self, caller: Caller) -> bool:
		"""Whether the replica has the caller's space in the state that `authorise` found on the primary.

		The entity types must be the same too: when they change, records are sent again with the fields of the new ones.
		"""
		rows = self.sql(STATE, (caller.space,))
		_check_order(rows)
		here = (caller.position, caller.horizon, caller.horizons, *registry().stamp)
		return bool(rows) and (*rows[0][1:3], json.loads(rows[0][3] or "{}"), *rows[0][4:]) == here


def _check_order(rows: Sequence[tuple[Any, ...]]) -> None:
	if rows and rows[0][0]:
		raise Unfit("it applies transactions of several GTID domains in parallel, so in any order")


def answer(caller: Caller, read: Callable[[sql.Database], T]) -> T:
	"""What `read(database)` returns, from the replica if it agrees with the primary on the caller's space."""
	database = compat.replica_database(SETTINGS) if _is_in_use() else None
	if database is None:
		return read(frappe.db)
	replica = Replica(database)
	try:
		if replica.agrees(caller):
			return read(replica)
	except Unfit as error:
		_leave_alone(error)
	finally:
		replica.close()
	return read(frappe.db)


def behind() -> tuple[int, int]:
	"""(number of spaces, number of those that the replica has in another state). For operators; reads all spaces.

	Raises Unfit, also where the site names no replica.
	"""
	if not _is_named():
		raise Unfit("the site's configuration names none")
	replica = Replica(compat.replica_database(SETTINGS))
	try:
		_check_order(replica.sql(ORDER))
		rows = replica.sql(SPACES)
	finally:
		replica.close()
	here = frappe.db.sql(SPACES)
	return len(here), len(set(here) - set(rows))


def _is_named() -> bool:
	"""Whether the site's configuration names a read replica."""
	return bool(frappe.conf.read_from_replica and frappe.conf.replica_host)


def _is_in_use() -> bool:
	"""Whether pulls ask the replica: one that did not answer is left alone for a while."""
	return _is_named() and time.monotonic() >= _left_alone.get(frappe.local.site, 0)


def _leave_alone(error: Exception) -> None:
	"""Do not ask the replica for a while. Logs one line for each process and pause, however many devices pull."""
	pause = frappe.conf.get("sync_replica_pause") or PAUSE
	_left_alone[frappe.local.site] = time.monotonic() + pause
	# Frappe drops warnings on sites that are not for development.
	frappe.logger("hisabi_sync").error(f"The read replica is not asked for {pause} seconds: {error}")
