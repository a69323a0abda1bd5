"""Phones of the stateful machine: an outbox, a replica, a cursor, and a network that loses, doubles and delays."""

import frappe

from hisabi_sync.engine import positions
from hisabi_sync.engine.model import cursor as cursors
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces
from tests.engine.inside import Device
from tests.support.phone import create


class Phone:
	"""`pending` is what it has still to send, `sent` every request that left it, `late` pages on their way."""

	def __init__(self, number, user, wallet):
		self.number, self.user = number, user
		self.device = Device(user, wallet, f"household-{number}")
		self.pending, self.sent, self.late = [], [], []
		self.answers = {}
		self.forget()

	def __repr__(self):
		return f"phone {self.number} of {self.user.partition('@')[0]}"

	def forget(self):
		"""Start over: the replica goes, what was not sent stays."""
		self.cursor, self.replica, self.late = None, {}, []

	def live(self, kind=None):
		return sorted(key for key in self.replica if kind in (None, key[0]))

	# --- writing

	def write(self, kind, client_id=None, **payload):
		"""Queue a create, or an update of a record that the phone holds."""
		item = create(kind, client_id, **payload)
		if client_id:
			item.update(operation="update", base_version=self.replica[kind, client_id][0])
		self.pending.append(item)
		return item

	def delete(self, kind, client_id):
		item = create(kind, client_id)
		self.pending.append({**item, "operation": "delete", "base_version": self.replica[kind, client_id][0]})

	def send(self, items, atomic=False):
		"""Send items; the outcomes, or the RequestError's code. Repeats must get their first answers."""
		self.sent.append(items)
		frappe.set_user(self.user)
		try:
			outcomes = self.device.push(*items, atomic=atomic)
		except RequestError as error:
			return error.code
		finally:
			frappe.set_user("Administrator")
		for item, outcome in zip(items, outcomes, strict=True):
			self._remember(item, outcome)
		return outcomes

	def _remember(self, item, outcome):
		known, answer = self.answers.get(item["op_id"]), (outcome.status, outcome.doc_version)
		if outcome.status == "error":
			assert known is None, f"{item['op_id']} had the answer {known} and is now {outcome.code}"
			return
		assert outcome.repeated == (known is not None), f"{item['op_id']} was judged twice"
		assert known in (None, answer), f"{item['op_id']}: first {known}, then {answer}"
		self.answers[item["op_id"]] = answer

	def settle(self, items):
		"""The answer arrived: what was sent need not be sent again."""
		done = {item["op_id"] for item in items}
		self.pending = [item for item in self.pending if item["op_id"] not in done]

	# --- reading

	def fetch(self, limit):
		"""One page from the server as (items, next cursor, has more), or the code of the refusal."""
		frappe.set_user(self.user)
		try:
			page = self.device.page(self.cursor, limit)
		except RequestError as error:
			return self._refused(error)
		finally:
			frappe.set_user("Administrator")
		assert len(page.items) <= limit
		return page.items, page.next_cursor, page.has_more

	def _refused(self, error):
		if error.code == "space_access_denied":
			assert error.extra == {"purge": True}
		self.forget()
		return error.code

	def apply(self, page):
		"""A page arrives, now or late: its items and its cursor belong together."""
		items, self.cursor, _ = page
		for item in items:
			key = (item.entity_type, item.client_id)
			if item.deleted_at:
				self.replica.pop(key, None)
			else:
				self.replica[key] = (item.doc_version, item.payload)

	def pull(self, limit):
		"""Pull to the end; the code of a refusal, if there was one that is not settled by starting over."""
		code = None
		for _ in range(500):
			page = self.fetch(limit)
			if isinstance(page, str):
				if page != "resync_required" or code == page:
					return page
				code = page
				continue
			self.apply(page)
			if not page[2]:
				return None
		raise AssertionError("the pull does not end")

	def acknowledge(self):
		"""Tell the server how far this phone has come."""
		try:
			caller = spaces.authorise(self.device.caller())
			positions.acknowledge(caller, cursors.decode(self.cursor, caller.space))
			frappe.db.commit()
		except RequestError as error:
			assert error.code == "space_access_denied"
