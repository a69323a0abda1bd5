"""What benchmarks share: a wallet to write into, counting of statements, medians, and a table of results."""

import json
import os
import resource
import statistics
import time
import uuid

import frappe

from hisabi_sync.api import wallet_items
from hisabi_sync.engine import devices, ids, push
from hisabi_sync.engine.change import Caller
from hisabi_sync.hisabi_wallet import wallets

ROUNDS = 5
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
		self.account = self.push(
			[item("Hisabi Account", account_name="A", account_type="cash", currency="SAR")]
		)[0]

	def caller(self):
		space = ids.space("wallet", self.id)
		return Caller(USER, space, "viewer", self.device.name, "wallet", self.id)

	def push(self, items):
		"""Push items through the engine; returns the client ids. Raises when one is not accepted."""
		changes = wallet_items.read(items, self.id)
		result = push.push(self.caller(), changes, push.Options("wallet"))
		wrong = [outcome for outcome in result.outcomes if outcome.status != "accepted"]
		if wrong:
			raise RuntimeError(wrong[0])
		return [change.client_id for change in changes]

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

	def fill(self, count, batch=200):
		"""Bring the wallet to so many transactions."""
		for start in range(0, count, batch):
			self.push(self.transactions(min(batch, count - start)))


def item(entity_type, operation="create", client_id=None, **payload):
	return {
		"op_id": uuid.uuid4().hex,
		"entity_type": entity_type,
		"entity_id": client_id or uuid.uuid4().hex,
		"operation": operation,
		"payload": payload,
	}


def median(function, rounds=ROUNDS, prepare=lambda: None):
	"""Median seconds of `function(prepared)` over some rounds, after one round that does not count."""
	times = []
	for _ in range(rounds + 1):
		times.append(seconds(function, prepare()))
	return statistics.median(times[1:])


def seconds(function, *arguments):
	start = time.perf_counter()
	function(*arguments)
	return time.perf_counter() - start


def peak_memory():
	"""Most memory that this process ever held, in MB."""
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(rows):
	"""Print rows of (what, value, goal) and return them as JSON text."""
	width = max(len(what) for what, _, _ in rows)
	for what, value, goal in rows:
		print(f"{what:<{width}}  {value:>12,.2f}  {goal}")
	return json.dumps([{"what": what, "value": value, "goal": goal} for what, value, goal in rows])
