"""What benchmarks share: a connection to the site, and a wallet to write into."""

import os
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import frappe

from hisabi_sync.api.protocol import scopes
from hisabi_sync.api.wallet import items as wallet_items
from hisabi_sync.engine import push
from hisabi_sync.engine.identity import device_tokens, devices
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.hisabi_wallet import wallets

USER = "Administrator"


def connect() -> None:
	"""Connect this process to the site, as the user of the benchmarks."""
	frappe.init(site=os.environ["HISABI_SITE"], sites_path=os.environ["SITES_PATH"])
	frappe.connect()
	frappe.set_user(USER)


class Wallet:
	"""A new wallet with an account and a device, and another one that changes records too."""

	def __init__(self) -> None:
		self.id = wallets.create(USER, f"bench-{uuid.uuid4().hex}", "Benchmark")
		self.device_id = f"device-{uuid.uuid4().hex}"
		self.device, self.token = device_tokens.register(USER, self.device_id, scopes=(scopes.WALLET,))
		self.other, _ = device_tokens.register(USER, f"device-{uuid.uuid4().hex}", scopes=(scopes.WALLET,))
		frappe.db.commit()
		self.known: dict[
			str, int
		] = {}  # client id -> version of records for updates, the ones used longest ago first
		self.account = self.push(
			[item("Hisabi Account", account_name="A", account_type="cash", currency="SAR")]
		)[0]
		self.account_name = frappe.db.get_value("Hisabi Account", {"client_id": self.account}, "name")

	def caller(self, device: devices.Device | None = None) -> Caller:
		"""The Caller of a device in the wallet, before it is authorised."""
		space = ids.space("wallet", self.id)
		return Caller(USER, space, (device or self.device).name, "wallet", self.id)

	def push(
		self,
		items: Sequence[dict[str, Any]],
		answered: Collection[str] = ("accepted",),
		device: devices.Device | None = None,
	) -> list[str]:
		"""Push items through the engine; returns the client ids. Raises when one is answered otherwise."""
		changes = wallet_items.read(items, self.id)
		result = push.push(self.caller(device), changes, push.Options("wallet"))
		wrong = [outcome for outcome in result.outcomes if outcome.status not in answered]
		if wrong:
			raise RuntimeError(wrong[0])
		for change, outcome in zip(changes, result.outcomes, strict=True):
			if change.client_id in self.known:
				self.known[change.client_id] = outcome.doc_version
		return [change.client_id for change in changes]

	def some(self, count: int) -> dict[str, int]:
		"""{client id: version} of a number of transactions; the ones that were not used for the longest time come first."""
		if len(self.known) < count:
			self.known.update(dict.fromkeys(self.push(self.transactions(count - len(self.known))), 1))
		taken = {name: self.known.pop(name) for name in list(self.known)[:count]}
		self.known.update(taken)
		return taken

	def last(self, count: int) -> dict[str, int]:
		"""{client id: version} of those that were taken last."""
		return {name: self.known[name] for name in list(self.known)[-count:]}

	def transactions(self, count: int) -> list[dict[str, Any]]:
		"""Items that create transactions of an account of the wallet."""
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

	def fill(self, count: int, batch: int = 500) -> None:
		"""Add transactions until the wallet has this many."""
		for start in range(0, count, batch):
			names = self.push(self.transactions(min(batch, count - start)))
			self.known.update(dict.fromkeys(names[:: max(1, count // 1000)], 1))


def item(
	entity_type: str,
	operation: str = "create",
	client_id: str | None = None,
	base_version: int | None = None,
	**payload: Any,
) -> dict[str, Any]:
	"""An item of a push; its ids are new unless given."""
	given = {
		"op_id": uuid.uuid4().hex,
		"entity_type": entity_type,
		"entity_id": client_id or uuid.uuid4().hex,
		"operation": operation,
		"payload": payload,
	}
	return given if base_version is None else {**given, "base_version": base_version}


def peak_memory(pid: int | str = "self") -> float:
	"""Most memory that a process ever held, in MB. Of a new process, `getrusage` would tell what its parent held."""
	status = Path(f"/proc/{pid}/status").read_text()
	return int(status.partition("VmHWM:")[2].split()[0]) / 1024
