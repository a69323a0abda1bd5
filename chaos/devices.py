"""Simulated devices of the wallet contract: an outbox, a replica and a cursor, as docs/clients.md has them."""

import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from chaos import albums, work
from chaos.caller import Caller, is_temporary
from chaos.journal import Op, Said
from chaos.line import Answer, Lost
from chaos.plan import Life
from chaos.violations import Violation

if TYPE_CHECKING:
	from chaos.lab import Lab

PUSH, PULL, ACK = (
	"/api/method/hisabi.sync_push",
	"/api/method/hisabi.sync_pull",
	"/api/method/hisabi.sync_ack",
)
STATUS = "/api/method/hisabi.sync_op_status"
REGISTER, REVOKE = "/api/method/hisabi.register_device", "/api/method/hisabi.revoke_device"
RESULTS = "results"
START_OVER = ("resync_required", "invalid_cursor")


class Device(Caller):
	"""`replica` maps records to (version, payload); `outbox` has ops that the server has not answered yet."""

	def __init__(self, lab: "Lab", life: Life) -> None:
		self.life, self.space = life, life.space.key
		super().__init__(lab, f"d{life.number}", life.person, lab.key_of(life.person), Random(life.seed))
		self.outbox: list[Op] = []
		self.batches: list[list[Op]] = []
		self.replica: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
		self.cursor: str | None = None
		self.versions: dict[tuple[str, str], int] = {}
		self.count = 0
		self.snags: list[str | None] = []
		# What a record was before the last change; versions of tombstones.
		self.before: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
		self.tombs: dict[tuple[str, str], int] = {}

	def register(self) -> None:
		"""Get a token for the device, over a good line: a late copy of the request would replace the token."""
		body = {"device_id": self.name, "platform": "android"}
		for pause in self.pauses():
			answer = self.insist(REGISTER, body, sure=True)
			if answer.status == 200:
				self.credential = {"Authorization": f"Bearer {answer.message['device_token']}"}
				return
			said = f"{answer.status} {answer.code or answer.text[:200]}"
			self.lab.tell(Violation("errors", f"{self.name} has an account and gets no token: {said}"))
			time.sleep(pause)

	def live(self) -> None:
		"""All of a life but its end."""
		self.register()
		for _ in range(self.life.exchanges):
			if self.lab.closing:
				return
			self.exchange()
			time.sleep(self.rng.random() * self.lab.nap)

	def exchange(self) -> None:
		"""One sync as an app does it, now and then with something that an app should not do."""
		self.outbox += work.write(self)
		if self.rng.random() < 0.85:
			self.push()
		if self.rng.random() < 0.85:
			self.pull()
		due = self.lab.shares.due(ODDITIES)
		for name, (odd, share) in ODDITIES.items():
			if (name in due or self.rng.random() < share) and odd(self):
				self.lab.shares.did(name)

	def settle(self) -> None:
		"""Send all and fetch all."""
		self.push()
		self.pull()

	def retire(self) -> None:
		"""Sign out; tombstones need not wait for this device any more."""
		self.insist(REVOKE, {"device_id": self.name})

	# --- push

	def push(self) -> None:
		"""Send what waits, in batches; some are atomic."""
		while self.outbox:
			batch = self.outbox[: self.rng.randint(1, 12)]
			atomic = f"{self.name}-{len(self.batches)}" if self.rng.random() < 0.15 else None
			for op in batch:
				op.atomic = atomic
			self.batches.append(batch)
			if not self.send(batch):
				return self.purge()
			self.outbox = self.outbox[len(batch) :] + work.decide(self, batch)

	def push_again(self) -> object:
		"""A batch that was answered long ago comes once more, as networks and impatient people have it."""
		return self.batches and self.send(self.rng.choice(self.batches))

	def restart(self) -> list[Op]:
		"""The app is killed and forgets which of its work was answered."""
		again = work.restart(self, self.rng.choice(self.batches)) if self.batches else []
		self.outbox += again
		return again

	def send(self, batch: list[Op]) -> bool:  # type: ignore[return]  # pauses() end with Over only
		"""Send until there is an answer; whether the server took the batch on."""
		body = self.body(batch)
		for pause in self.pauses():
			answer = self.attempt(batch, body)
			if answer is not None and not is_temporary(answer):
				return answer.status == 200
			time.sleep(pause)

	def body(self, batch: list[Op]) -> dict[str, Any]:
		"""The body of a push."""
		items = [work.item(op) for op in batch]
		atomic = batch[0].atomic is not None
		clock = self.clock()
		return {
			"device_id": self.name,
			"wallet_id": self.space,
			"items": items,
			"client_time": clock,
			"atomic": atomic,
		}

	def try_once(self, batch: list[Op]) -> Answer | None:
		"""The Answer to one try, or None."""
		return self.attempt(batch, self.body(batch))

	def attempt(self, batch: list[Op], body: dict[str, Any]) -> Answer | None:
		"""Send a batch once; None if the answer was lost. The journal notes either."""
		ops = [self.lab.journal.sending(op) for op in batch]
		try:
			answer = self.call(PUSH, body, self.space)
		except Lost as lost:
			for op in ops:
				self.lab.journal.lose(op, lost.fate)
			for answer in lost.answers:
				self.learn(ops, answer, seen=False)
			return None
		for given in (answer, *answer.others):
			self.learn(ops, given)
		return answer

	def learn(self, ops: Sequence[Op], answer: Answer, seen: bool = True) -> None:
		"""Write down what the server said of each op."""
		results = (answer.message or {}).get(RESULTS) if answer.status == 200 else None
		for index, op in enumerate(ops):
			said = _said(results[index], seen) if results else Said(0, "refused", code=answer.code, seen=seen)
			said.at, said.sent = self.lab.journal.now(), op.sent[-1]
			self.lab.journal.answered(op, said)
			if seen and said.version and said.status != "error":
				self.versions[op.key] = max(said.version, self.versions.get(op.key, 0))
				if op.operation == "delete" and said.status == "accepted":
					self.tombs[op.key] = said.version

	def clock(self) -> int:
		"""The time that this device believes it is, as epoch milliseconds."""
		return int(time.time() * 1000) + self.life.skew_ms

	# --- pull

	def pull(self) -> None:
		"""Pull to the end; what it missed of what was committed before goes to the lab."""
		known = self.lab.journal.committed(self.space)
		began = self.lab.journal.now()
		if self.rng.random() < 0.2 and not self.walk([self.rng.choice(sorted(work.EDITED))]):
			return  # one type of records first, and all with the cursor behind them
		if self.walk():
			self.lab.journal.complete(known, self.space)
			self.lab.pulled(self, known, began)

	def walk(self, kinds: list[str] | None = None) -> bool:
		"""Pull to the end, of some types only when they are named; whether this device may read here."""
		while (page := self.page(kinds)) is not None:
			for item in page["items"]:
				self.take(item)
			self.cursor = page["next_cursor"]
			if not page["has_more"]:
				return True
		return False

	def page(self, kinds: list[str] | None = None) -> dict[str, Any] | None:
		"""A page, or None when this device may not read here."""
		position: dict[str, Any] = {"cursor": self.cursor} if self.cursor else {}
		if kinds:
			position["entity_types"] = kinds
		body = {"device_id": self.name, "wallet_id": self.space, "limit": self.rng.choice((7, 50, 500))}
		answer = self.insist(PULL, {**body, **position}, self.space)
		if answer.status == 200:
			return answer.message
		if answer.code in START_OVER and self.cursor:
			self.replica, self.cursor = {}, None
			return self.page(kinds)
		self.snags.append(answer.code)
		self.purge()
		return None

	def take(self, item: dict[str, Any]) -> None:
		"""Put a pulled record into the replica."""
		self.lab.saw(self, item)
		key = (item["entity_type"], item["client_id"])
		if item["is_deleted"]:
			self.replica.pop(key, None)
			self.tombs[key] = item["doc_version"]
		else:
			if key in self.replica:
				self.before[key] = self.replica[key]
			self.tombs.pop(key, None)
			self.replica[key] = (item["doc_version"], item["payload"])

	def purge(self) -> None:
		"""The space is closed to this device: nothing of it stays."""
		self.replica, self.cursor, self.outbox = {}, None, []
		self.before, self.tombs = {}, {}

	# --- more calls

	def acknowledge(self) -> object:
		"""Confirm the cursor, if there is one."""
		body = {"device_id": self.name, "wallet_id": self.space, "cursor": self.cursor}
		return self.cursor and self.insist(ACK, body, self.space)

	def ask(self) -> bool:
		"""What became of the ops of a batch; stored answers are answers too."""
		if not self.batches:
			return False
		batch = self.rng.choice(self.batches)
		body = {"device_id": self.name, "wallet_id": self.space, "op_ids": [op.op_id for op in batch]}
		answer = self.insist(STATUS, body, self.space)
		results = answer.message[RESULTS] if answer.status == 200 else []
		for op, result in zip(batch, results, strict=False):
			if result.get("found") and result["status"] != "error":
				said = _said({**result, "already_applied": True}, True)
				said.at = said.sent = self.lab.journal.now()
				self.lab.journal.answered(self.lab.journal.ops[op.op_id], said)
		return True


# What an app does beside its syncs: name -> how, and in which share of them. Each says whether it did so.
ODDITIES = {
	"acknowledge": (Device.acknowledge, 0.5),
	"push again": (Device.push_again, 0.2),
	"ask": (Device.ask, 0.1),
	"restart": (Device.restart, 0.15),
	"look at a photo": (albums.look, 0.3),
}


def _said(result: Mapping[str, Any], seen: bool) -> Said:
	return Said(
		0,
		result["status"],
		result.get("doc_version"),
		result.get("error_code"),
		bool(result.get("already_applied")),
		seen,
		result.get("conflict_id"),
		detail=result.get("detail"),
	)
