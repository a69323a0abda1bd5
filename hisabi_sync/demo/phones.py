"""The outboxes of a household's phones: what is written on a phone is pushed in batches, as a client would do it."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import frappe

from hisabi_sync.api.wallet import items as wallet_items
from hisabi_sync.demo.people import Phone
from hisabi_sync.engine import push
from hisabi_sync.engine.model.errors import RequestError

BATCH = 200
LOCKED_OUT = ("space_access_denied", "space_read_only")


@dataclass(frozen=True, slots=True)
class Entry:
	"""An item in a phone's outbox; `then` are the entries that are written once the server has it."""

	phone: Phone
	item: dict
	then: tuple = ()


class Outboxes:
	"""`counts` has the outcomes by status, `batches` the names of the batches; `pushed` is called with each batch."""

	def __init__(self, wallet_id: str, pushed: Callable[[list[Entry]], None] = lambda entries: None) -> None:
		self.wallet_id, self.pushed = wallet_id, pushed
		self.waiting: dict[Phone, deque[Entry]] = {}
		self.counts: Counter[str] = Counter()
		self.batches: list[str] = []
		self.size = min(BATCH, frappe.get_cached_doc("Sync Settings").max_push_items or BATCH)

	def write(self, entry: Entry) -> None:
		"""Put an entry into its phone's outbox; a full outbox is pushed."""
		outbox = self.waiting.setdefault(entry.phone, deque())
		outbox.append(entry)
		if len(outbox) >= self.size:
			self._sync(entry.phone)

	def flush(self) -> None:
		"""Push until no phone has anything left."""
		while any(self.waiting.values()):
			for phone in [phone for phone, outbox in self.waiting.items() if outbox]:
				self._sync(phone)

	def _sync(self, phone: Phone) -> None:
		outbox = self.waiting[phone]
		entries = [outbox.popleft() for _ in range(min(self.size, len(outbox)))]
		self._push(phone, [entry.item for entry in entries])
		self.pushed(entries)
		for entry in entries:
			for following in entry.then:
				self.waiting.setdefault(following.phone, deque()).append(following)

	def _push(self, phone: Phone, items: list[dict[str, Any]]) -> None:
		"""Leave out what people wrote who lost their right to write in an earlier run."""
		try:
			self._send(phone, items)
		except RequestError as error:
			if error.code not in LOCKED_OUT:
				raise
			frappe.db.rollback()
			self.counts["refused"] += len(items)

	def _send(self, phone: Phone, items: list[dict[str, Any]]) -> None:
		frappe.set_user(phone.user)
		changes, options = wallet_items.read(items, self.wallet_id), push.Options("wallet")
		result = push.push(phone.caller(self.wallet_id), changes, options, wallet_items.open_wallet)
		self.batches.append(result.batch)
		for outcome in result.outcomes:
			self.counts["repeated" if outcome.repeated else outcome.status] += 1
