"""Runs with another system that loses, refuses and delays, while everything else goes on; and what runs promise."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from types import ModuleType
from typing import TYPE_CHECKING, Any

from chaos.line import Lost
from chaos.violations import Violation
from devtool.erp import Service

if TYPE_CHECKING:
	from chaos.lab import Lab

TENANT, SECRET = "chaos-tenant", "what the other side asks for"
EVERY = 3.0
ENDED = {"completed", "completed_with_errors", "failed", "cancelled"}
SETTLED = {"completed", "skipped", "failed", "dead"}
PATIENCE = 90


class Forgetful(dict):
	"""No idempotency keys: only our own look-up stands between a lost answer and a second record."""

	def __setitem__(self, key: object, value: object) -> None:
		pass


class OtherSide:
	"""Somebody's ERP in a thread of the lab. `bad` says whether it spoils requests."""

	def __init__(self, seed: int) -> None:
		self.rng, self.bad = Random(seed), True
		self.service = Service(("127.0.0.1", 0), SECRET)
		self.service.store.keys = Forgetful()
		self.service.interfere = self._interfere
		threading.Thread(target=self.service.serve_forever, daemon=True).start()

	def _interfere(self, handler: Any) -> bool:
		"""Refuse, be slow, or do it and say nothing."""
		lot = self.rng.random() if self.bad else 1.0
		time.sleep(0.02 if lot > 0.1 else 0.3)
		if lot < 0.06:
			handler.answer(503, {"message": "not now"})
		elif lot < 0.1:
			handler.answer(429, {"message": "slowly"}, Retry_After="1")
		elif lot < 0.2:
			handler.answer = lambda *_, **__: handler.connection.close()
			handler.handle_well()
			handler.close_connection = True
		return lot < 0.2

	def orders(self) -> Sequence[dict[str, Any]]:
		"""The orders that the other system holds."""
		return self.service.store.list("orders")


def prepare(frappe: ModuleType, user: str, url: str) -> str:
	"""A tenant whose owner may start runs, with a connection to the other side; its name."""
	from hisabi_sync import tenants
	from hisabi_sync.engine.sharing import spaces
	from hisabi_sync.hisabi_commerce import presets

	spaces.set_member(tenants.ensure(TENANT), user, "owner")
	given = {"connector": "json", "auth": "bearer", "auth_secret": SECRET, "base_url": url}
	more = {"parallel": 2, "max_attempts": 100, "breaker_failures": 0}
	doc = frappe.get_doc({"doctype": "Sync Connection", "title": "Chaos", "tenant": TENANT, **given, **more})
	doc.extend("entities", presets.service_rows(("orders",), "push"))
	return doc.insert().name


class Trade:
	"""Makes orders in the Desk and starts runs, again and again."""

	def __init__(self, lab: "Lab", side: OtherSide) -> None:
		self.lab, self.side, self.rng = lab, side, Random(f"{lab.plan.seed} trade")
		self.operator = lab.desk("operator")
		self.operator.credential = {**lab.people[0][1], "X-Tenant-ID": TENANT}
		self.count = 0
		self.started: list[str] = []

	def work(self) -> None:
		"""Make orders and start runs until the lab closes."""
		while not self.lab.closing:
			for _ in range(self.rng.randint(1, 4)):
				self._order()
			self.start()
			until = time.monotonic() + EVERY
			while time.monotonic() < until and not self.lab.closing:
				time.sleep(0.1)

	def _order(self) -> None:
		"""One try. Without an answer it is unknown whether the order is there, and that is fine."""
		self.count += 1
		rows = [{"product": "TEA", "quantity": 1, "rate": self.rng.randint(1, 90)}]
		values = {"tenant": TENANT, "order_number": f"SO-{self.count}", "customer": "Al-Noor", "items": rows}
		values.update(status="processing", order_date="2026-01-10")
		try:
			self.lab.desk(self.count).call("/api/resource/Hisabi%20Order", values, sure=True)
		except Lost:
			pass

	def start(self) -> None:
		"""Preview and start a run of all orders; one that is refused because things changed is no loss."""
		body = {"mode": "full"}
		seen = self.operator.insist("/api/sync/orders/preview", {**body, "limit": 0})
		confirm = {"confirm": seen.body.get("confirm")} if seen.status == 200 else {}
		answer = self.operator.insist("/api/sync/orders", {**body, **confirm})
		if answer.status == 202:
			self.started.append(answer.body["sync_id"])
		self.lab.journal.note("run", status=answer.status, code=answer.code, run=answer.body.get("sync_id"))

	def finish(self) -> None:
		"""With everything healed, a last run brings over what is missing; then the promises are checked."""
		self.side.bad = False
		self.start()
		deadline = time.monotonic() + PATIENCE
		while self._open() and time.monotonic() < deadline:
			time.sleep(0.5)
		self.lab.tell_all(check(self._ours(), self.side.orders(), self._identities(), self._runs()))

	def _open(self) -> Sequence[tuple[Any, ...]]:
		return self.lab.query("SELECT name FROM `tabSync Run` WHERE status IN ('queued', 'running') LIMIT 1")

	def _ours(self) -> list[str]:
		return [row[0] for row in self.lab.query("SELECT order_number FROM `tabHisabi Order`")]

	def _identities(self) -> Sequence[tuple[Any, ...]]:
		return self.lab.query("SELECT document_name, remote_id, state FROM `tabSync Identity`")

	def _runs(self) -> list[tuple[str, str, dict[str, Any], Counter[str]]]:
		"""[(run, its state, counts that its status tells, {state of a record: number})]."""
		found = []
		for name, state in self.lab.query("SELECT name, status FROM `tabSync Run`"):
			told = self.operator.insist(f"/api/sync/status/{name}", verb="GET").body
			query = "SELECT status FROM `tabSync Run Record` WHERE run = %s"
			found.append((name, state, told, Counter(row[0] for row in self.lab.query(query, (name,)))))
		return found


def check(
	ours: Iterable[str],
	theirs: Sequence[Mapping[str, Any]],
	identities: Sequence[tuple[Any, ...]],
	runs: Iterable[tuple[str, str, Mapping[str, Any], Counter[str]]],
) -> Iterator[Violation]:
	"""Each order is there once and linked once; all runs have ended and tell the truth. Pure."""
	says = [*_sides(ours, theirs), *_links(theirs, identities)]
	for run in runs:
		says += _run(*run)
	yield from (Violation("runs", text, TENANT) for text in says)


def _sides(ours: Iterable[str], theirs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
	there = Counter(record["order_number"] for record in theirs)
	yield from (f"{number} is there {times} times" for number, times in there.items() if times > 1)
	yield from (f"{number} is not there" for number in ours if not there[number])
	yield from (f"{number} is there, and not here" for number in there.keys() - set(ours))


def _links(theirs: Iterable[Mapping[str, Any]], identities: Sequence[tuple[Any, ...]]) -> Iterator[str]:
	yield from (f"{name} is not linked but {state}" for name, _, state in identities if state != "linked")
	for place in (0, 1):
		for value, times in Counter(row[place] for row in identities).items():
			if times > 1:
				yield f"{value} is linked {times} times"
	for identity in {record["id"] for record in theirs} - {row[1] for row in identities}:
		yield f"{identity} is linked with nothing"


def _run(name: str, state: str, told: Mapping[str, Any], records: Counter[str]) -> Iterator[str]:
	if state not in ENDED:
		yield f"run {name} has not ended: {state}"
	elif set(records) - SETTLED:
		yield f"run {name} is {state} and has records that are {sorted(set(records) - SETTLED)}"
	counts = (sum(records.values()), records["completed"], records["skipped"])
	given = tuple(told.get(name) for name in ("total_records", "records_completed", "records_skipped"))
	if counts != given:
		yield f"run {name} tells {given}, its records are {counts}"
