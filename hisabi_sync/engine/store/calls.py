"""Exactly once for whole calls: Sync Call keeps the answer of each, written in the transaction that the call made.

A call is identified by its device and its sync id, and by its idempotency key if it has one. While it is processed, its
keys are locks of the database connection, so they end with the connection at the latest.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.engine.store.write import STANDARD

DOCTYPE = "Sync Call"
COLUMNS = (
	"sync_id idempotency_key sync_key header_key fingerprint contract space device user batch requested_at accepted "
	"conflicts downstream response"
).split()


class Answered(Exception):
	"""Raised for a call that was answered before, to end the transaction that would process it again."""

	def __init__(self, space: str, response: str) -> None:
		self.space, self.response = space, response
		super().__init__("answered")


class Counts(NamedTuple):
	"""How many items a call had accepted, how many conflicts it has, and how many records it sent down."""

	accepted: int
	conflicts: int
	downstream: int


@dataclass(frozen=True, slots=True)
class Call:
	"""One call of a device. `fingerprint` is a hash of its whole body, `key` the idempotency key or None."""

	device: str
	sync_id: str
	key: str | None
	fingerprint: str
	contract: str
	requested_at: object = None

	@property
	def sync_key(self) -> str:
		"""The hash under which the call's `sync_id` is kept."""
		return ids.digest(self.sync_id, size=16)

	@property
	def header_key(self) -> str | None:
		"""The hash under which the call's idempotency key is kept, None without one."""
		return ids.digest(self.key, size=16) if self.key else None

	@property
	def locks(self) -> list[str]:
		"""Names of locks; one server may have several sites."""
		pairs = (("sync", self.sync_key), ("key", self.header_key))
		return sorted(
			"hisabi_call_" + ids.digest(frappe.conf.db_name, self.device, kind, key, size=16)
			for kind, key in pairs
			if key
		)


def fingerprint(body: Any) -> str:
	"""Hash of a JSON body that does not depend on the order of its names."""
	return ids.digest(json.dumps(body, sort_keys=True, separators=(",", ":"), default=str), size=16)


@contextmanager
def alone(call: Call) -> Iterator[None]:
	"""Lock the call for the block. Raises RequestError in_progress if it is being processed already."""
	locked = []
	try:
		for name in call.locks:
			if not frappe.db.sql("SELECT GET_LOCK(%s, 0)", (name,))[0][0]:
				raise RequestError("in_progress")
			locked.append(name)
		yield
	finally:
		for name in locked:
			frappe.db.sql("SELECT RELEASE_LOCK(%s)", (name,))


def check(call: Call) -> None:
	"""Raise Answered for a call that was processed, RequestError idempotency_key_reused if its keys belong to another call."""
	found = _find(call)
	if found is None:
		return
	fingerprint, space, response = found
	if fingerprint != call.fingerprint:
		raise RequestError("idempotency_key_reused")
	raise Answered(space, response)


def _find(call: Call) -> tuple[Any, ...] | None:
	for column, key in (("sync_key", call.sync_key), ("header_key", call.header_key)):
		where = f"device = %s AND {column} = %s"
		rows = key and sql.select(DOCTYPE, ["fingerprint", "space", "response"], where, (call.device, key))
		if rows:
			return rows[0]
	return None


def save(call: Call, caller: Caller, batch: str | None, counts: Counts, response: str) -> None:
	"""Write the answer of a call, a JSON text, with its Counts."""
	now = clock.now()
	row = (ids.new(), now, now, caller.user, caller.user, plain(call.sync_id), plain(call.key) or None)
	keys = (call.sync_key, call.header_key, call.fingerprint, call.contract)
	who = (caller.space, call.device, caller.user, batch, call.requested_at)
	sql.insert(DOCTYPE, [*STANDARD, *COLUMNS], [(*row, *keys, *who, *counts, response)])
