"""One exchange with a device: what it pushes and what it gets, in one transaction. Source: docs/contracts/batch.md."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.api.batch import upserts as batch_upserts
from hisabi_sync.engine import pull, push
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.identity import devices
from hisabi_sync.engine.model import cursor, strict_json
from hisabi_sync.engine.model.change import Caller, Change, Outcome
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.store import calls

CONTRACT = "batch"


class Exchange:
	"""`changes` of a `caller`; afterwards `outcomes` in their order, the `page` that goes down, and the `batch`.

	`page.caller` is the caller as a member of the space.
	`records` maps records that the changes name to their place in the order of the space before the call.
	"""

	# There when the call has run.
	page: pull.Page
	payload: dict[str, Any]

	def __init__(
		self,
		caller: Caller,
		call: calls.Call,
		changes: list[Change],
		token: str | None,
		limit: int,
		facts: tuple[dict[str, str], datetime],
	) -> None:
		self.caller, self.call, self.changes = caller, call, changes
		self.token, self.limit, self.facts = token, limit, facts
		self.outcomes: list[Outcome] = []
		self.batch: str | None = None
		self.records: dict[str, tuple[int, int]] = {}
		self.cursor: cursor.Cursor | None = None  # of the device
		self.given_versions = {change.index: change.base_version for change in changes}

	def run(
		self,
		answer: Callable[["Exchange"], tuple[dict[str, Any], tuple[int, int, int]]],
		dry_run: bool = False,
	) -> None:
		"""Run the transaction; `answer(exchange)` is called last in it and gives the answer and its counts.

		Raises calls.Answered for a call that was answered before, and RequestError.
		"""
		self.answer = answer
		with retry.latest_reads():
			if self.changes:
				options = push.Options(CONTRACT, dry_run=dry_run)
				push.push(self.caller, self.changes, options, self._begin, self._end)
			else:
				retry.run(lambda: self._only_pull(dry_run))

	def _only_pull(self, dry_run: bool) -> None:
		self._begin(self.caller, ())
		spaces.authorise(self.caller)
		self._end(None)
		frappe.db.rollback() if dry_run else frappe.db.commit()

	def _begin(self, caller: Caller, changes: Sequence[Change]) -> None:
		calls.check(self.call)
		devices.describe(self.call.device, *self.facts)
		self.cursor = cursor.decode(self.token, caller.space) if self.token else None
		self.records.update(batch_upserts.choose(caller, changes, self.seen, self.given_versions))

	def seen(self, entity_type: str) -> int:
		"""The position up to which the device's cursor has records of an entity type."""
		entity = registry().by_name[entity_type]
		held = self.cursor.of(entity.mark) if self.cursor else None
		return held.position if held else 0

	def _end(self, result: push.Result | None) -> None:
		if result:
			self.outcomes, self.batch = result.outcomes, result.batch
		self.page = pull.pull(self.caller, self.token, self.limit, just_pushed=bool(self.changes))
		self.payload, counts = self.answer(self)
		calls.save(self.call, self.page.caller, self.batch, counts, strict_json.kept(self.payload))
