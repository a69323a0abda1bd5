"""One exchange with a device: what it pushes and what it gets, in one transaction. Source: contracts/batch.md."""

import json

import frappe

from hisabi_sync.api import batch_upserts
from hisabi_sync.engine import calls, cursor, device_facts, pull, push, retry, spaces

CONTRACT = "batch"


class Exchange:
	"""`changes` of a `caller`; afterwards `outcomes` in their order, the `page` that goes down, and the `batch`.

	`records` maps records that the changes name to their place in the order of the space before the call.
	"""

	def __init__(self, caller, call, changes, token, limit, facts):
		self.caller, self.call, self.changes = caller, call, changes
		self.token, self.limit, self.facts = token, limit, facts
		self.outcomes, self.batch, self.page, self.payload, self.records = [], None, None, None, {}
		self.seen = 0  # the position that the device's cursor stands for
		self.given_versions = {change.index: change.base_version for change in changes}

	def run(self, answer, dry_run=False):
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

	def _only_pull(self, dry_run):
		self._begin(self.caller, ())
		spaces.authorise(self.caller)
		self._end(None)
		frappe.db.rollback() if dry_run else frappe.db.commit()

	def _begin(self, caller, changes):
		calls.check(self.call)
		device_facts.describe(caller.device, *self.facts)
		self.seen = cursor.decode(self.token, caller.space).position if self.token else 0
		self.records.update(batch_upserts.choose(caller, changes, self.seen, self.given_versions))

	def _end(self, result):
		if result:
			self.outcomes, self.batch = result.outcomes, result.batch
		self.page = pull.pull(self.caller, self.token, self.limit, just_pushed=bool(self.changes))
		self.payload, counts = self.answer(self)
		text = json.dumps(self.payload, ensure_ascii=False, separators=(",", ":"), default=str)
		calls.save(self.call, self.caller, self.batch, counts, text)
