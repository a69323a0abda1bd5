"""What benchmarks share: a connection to the site, and a wallet to write into."""

import os
import uuid
from pathlib import Path

import frappe

from hisabi_sync.api import wallet_items
from hisabi_sync.engine import devices, ids, push
from hisabi_sync.engine.change import Caller
from hisabi_sync.hisabi_wallet import wallets

USER = "Administrator"


def connect():
	frappe.init(site=os.environ["HISABI_SITE"], sites_path=os.environ["SITES_PATH"])
	frappe.connect()
	frappe.set_user(USER)


class Wallet:
	"""A new wallet with an account and a device."""

	def __init__(self):
		self.id = wallets.create(USER, f"bench-{uuid.uuid4().hex}", "Benchmark")
		self.device_id = f"device-{uuid.uuid4().hex}"
		self.device, self.token = devices.register(USER, self.device_id)
		frappe.db.commit()
		self.known = {}  # client id -> version of records for updates, the ones used longest ago first
		self.account = self.push(
			[item("Hisabi Account", account_name="A", account_type="cash", currency="SAR")]
		)[0]
		self.account_name = frappe.db.get_value("Hisabi Account", {"client_id": self.account}, "name")

	def caller(self):
		space = ids.space("wallet", self.id)
		return Caller(USER, space, "viewer", self.device.name, "wallet", self.id)

	def push(self, items, answered=("accepted",)):
		"""Push items through the engine; returns the client ids. Raises when one is answered otherwise."""
		changes = wallet_items.read(items, self.id)
		result = push.push(self.caller(), changes, push.Options("wallet"))
		wrong = [outcome for outcome in result.outcomes if outcome.status not in answered]
		if wrong:
			raise RuntimeError(wrong[0])
		for change, outcome in zip(changes, result.outcomes, strict=True):
			if change.client_id in self.known:
				self.known[change.client_id] = outcome.doc_version
		return [change.client_id for change in changes]

	def some(self, count):
		"""{client id: version} of so many transactions, those first that were not taken for long."""
		if len(self.known) < count:
			self.known.update(dict.fromkeys(self.push(self.transactions(count - len(self.known))), 1))
		taken = {name: self.known.pop(name) for name in list(self.known)[:count]}
		self.known.update(taken)
		return taken

	def last(self, count):
		"""{client id: version} of those that were taken last."""
		return {name: self.known[name] for name in list(self.known)[-count:]}

	def transactions(self, count):
		return [
			item(
				"Hisabi Transaction",
				transaction_type="expense",
				date_time="2026-03-01T10:00:00Z",
				amount=12.5,
				currency="SAR",
				account=self.account,
				note="Lunch with the family",
			)
			for _ in range(count)
		]

	def fill(self, count, batch=500):
		"""Bring the wallet to so many transactions."""
		for start in range(0, count, batch):
			names = self.push(self.transactions(min(batch, count - start)))
			self.known.update(dict.fromkeys(names[:: max(1, count // 1000)], 1))


def item(entity_type, operation="create", client_id=None, base_version=None, **payload):
	given = {
		"op_id": uuid.uuid4().hex,
		"entity_type": entity_type,
		"entity_id": client_id or uuid.uuid4().hex,
		"operation": operation,
		"payload": payload,
	}
	return given if base_version is None else {**given, "base_version": base_version}


def peak_memory(pid="self"):
	"""Most memory that a process ever held, in MB. Of a new process, `getrusage` would tell what its parent held."""
	status = Path(f"/proc/{pid}/status").read_text()
	return int(status.partition("VmHWM:")[2].split()[0]) / 1024
