"""The outboxes of a household's phones: what is written on a phone is pushed in batches, as a client would do it."""

from collections import Counter, deque
from dataclasses import dataclass

import frappe

from hisabi_sync.api import wallet_items
from hisabi_sync.engine import push
from hisabi_sync.engine.errors import RequestError

BATCH = 200
LOCKED_OUT = ("space_access_denied", "space_read_only")


@dataclass(frozen=True, slots=True)
class Entry:
	"""An item in a phone's outbox; `then` are the entries that are written once the server has it."""

	phone: object
	item: dict
	then: tuple = ()


class Outboxes:
	"""`counts` has the outcomes by status, `batches` the names of the batches; `pushed` is told each batch."""

	def __init__(self, wallet_id, pushed=lambda entries: None):
		self.wallet_id, self.pushed = wallet_id, pushed
		self.waiting, self.counts, self.batches = {}, Counter(), []
		self.size = min(BATCH, frappe.get_cached_doc("Sync Settings").max_push_items or BATCH)

	def write(self, entry):
		"""Put an entry into its phone's outbox; a full outbox is pushed."""
		outbox = self.waiting.setdefault(entry.phone, deque())
		outbox.append(entry)
		if len(outbox) >= self.size:
			self._sync(entry.phone)

	def flush(self):
		"""Push until no phone has anything left."""
		while any(self.waiting.values()):
			for phone in [phone for phone, outbox in self.waiting.items() if outbox]:
				self._sync(phone)

	def _sync(self, phone):
		outbox = self.waiting[phone]
		entries = [outbox.popleft() for _ in range(min(self.size, len(outbox)))]
		self._push(phone, [entry.item for entry in entries])
		self.pushed(entries)
		for entry in entries:
			for following in entry.then:
				self.waiting.setdefault(following.phone, deque()).append(following)

	def _push(self, phone, items):
		"""What somebody wrote who may not write any more since an earlier run is left out."""
		try:
			self._send(phone, items)
		except RequestError as error:
			if error.code not in LOCKED_OUT:
				raise
			frappe.db.rollback()
			self.counts["refused"] += len(items)

	def _send(self, phone, items):
		frappe.set_user(phone.user)
		changes, options = wallet_items.read(items, self.wallet_id), push.Options("wallet")
		before = wallet_items.open_wallet(options)
		result = push.push(phone.caller(self.wallet_id), changes, options, before)
		self.batches.append(result.batch)
		for outcome in result.outcomes:
			self.counts["repeated" if outcome.repeated else outcome.status] += 1
