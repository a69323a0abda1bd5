"""Simulated devices of the wallet contract: an outbox, a replica and a cursor, as docs/clients.md has them."""

import time
from random import Random

from chaos import work
from chaos.caller import Caller, is_temporary
from chaos.journal import Said
from chaos.line import Lost
from chaos.promises import Violation

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

	def __init__(self, lab, life):
		self.life, self.space = life, life.space.key
		super().__init__(lab, f"d{life.number}", life.person, lab.key_of(life.person), Random(life.seed))
		self.outbox, self.batches, self.replica, self.cursor = [], [], {}, None
		self.versions, self.count, self.snags = {}, 0, []

	def register(self):
		"""Get a token of one's own, over a good line: a copy that came late would renew it once more."""
		body = {"device_id": self.name, "platform": "android"}
		for pause in self.pauses():
			answer = self.insist(REGISTER, body, sure=True)
			if answer.status == 200:
				self.credential = {"Authorization": f"Bearer {answer.message['device_token']}"}
				return
			said = f"{answer.status} {answer.code or answer.text[:200]}"
			self.lab.tell(Violation("errors", f"{self.name} has an account and gets no token: {said}"))
			time.sleep(pause)

	def live(self):
		"""All of a life but its end."""
		self.register()
		for _ in range(self.life.exchanges):
			if self.lab.closing:
				return
			self.exchange()
			time.sleep(self.rng.random() * self.lab.nap)

	def exchange(self):
		"""One sync as an app does it, now and then with something that an app should not do."""
		self.outbox += work.write(self)
		if self.rng.random() < 0.85:
			self.push()
		if self.rng.random() < 0.85:
			self.pull()
		for share, odd in ((0.5, self.acknowledge), (0.2, self.push_again), (0.1, self.ask)):
			if self.rng.random() < share:
				odd()

	def settle(self):
		"""Send all and fetch all."""
		self.push()
		self.pull()

	def retire(self):
		"""Sign out; tombstones need not wait for this device any more."""
		self.insist(REVOKE, {"device_id": self.name})

	# --- push

	def push(self):
		while self.outbox:
			batch = self.outbox[: self.rng.randint(1, 12)]
			atomic = f"{self.name}-{len(self.batches)}" if self.rng.random() < 0.15 else None
			for op in batch:
				op.atomic = atomic
			self.batches.append(batch)
			if not self.send(batch):
				return self.purge()
			self.outbox = self.outbox[len(batch) :] + work.decide(self, batch)

	def push_again(self):
		"""A batch that was answered long ago comes once more, as networks and impatient people have it."""
		if self.batches:
			self.send(self.rng.choice(self.batches))

	def send(self, batch):
		"""Send until there is an answer; whether the server took the batch on."""
		body = {"device_id": self.name, "wallet_id": self.space, "items": [work.item(op) for op in batch]}
		body.update(client_time=self.clock(), atomic=batch[0].atomic is not None)
		for pause in self.pauses():
			answer = self.attempt(batch, body)
			if answer is not None and not is_temporary(answer):
				return answer.status == 200
			time.sleep(pause)

	def attempt(self, batch, body):
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

	def learn(self, ops, answer, seen=True):
		"""Write down what the server said of each op."""
		results = (answer.message or {}).get(RESULTS) if answer.status == 200 else None
		for index, op in enumerate(ops):
			said = _said(results[index], seen) if results else Said(0, "refused", code=answer.code, seen=seen)
			said.at, said.sent = self.lab.journal.now(), op.sent[-1]
			self.lab.journal.answered(op, said)
			if seen and said.version and said.status != "error":
				self.versions[op.key] = max(said.version, self.versions.get(op.key, 0))

	def clock(self):
		"""The time that this device believes it is, as epoch milliseconds."""
		return int(time.time() * 1000) + self.life.skew_ms

	# --- pull

	def pull(self):
		"""Pull to the end; what it missed of what was committed before goes to the lab."""
		known = self.lab.journal.committed(self.space)
		began = self.lab.journal.now()
		while (page := self.page()) is not None:
			for item in page["items"]:
				self.take(item)
			self.cursor = page["next_cursor"]
			if not page["has_more"]:
				known.doomed = self.lab.journal.doomed(self.space)
				return self.lab.pulled(self, known, began)

	def page(self):
		"""A page, or None when this device may not read here."""
		position = {"cursor": self.cursor} if self.cursor else {}
		body = {"device_id": self.name, "wallet_id": self.space, "limit": self.rng.choice((7, 50, 500))}
		answer = self.insist(PULL, {**body, **position}, self.space)
		if answer.status == 200:
			return answer.message
		if answer.code in START_OVER and self.cursor:
			self.replica, self.cursor = {}, None
			return self.page()
		self.snags.append(answer.code)
		return self.purge()

	def take(self, item):
		self.lab.saw(self, item)
		key = (item["entity_type"], item["client_id"])
		if item["is_deleted"]:
			self.replica.pop(key, None)
		else:
			self.replica[key] = (item["doc_version"], item["payload"])

	def purge(self):
		"""The space is closed to this device: nothing of it stays."""
		self.replica, self.cursor, self.outbox = {}, None, []

	# --- more calls

	def acknowledge(self):
		if self.cursor:
			body = {"device_id": self.name, "wallet_id": self.space, "cursor": self.cursor}
			self.insist(ACK, body, self.space)

	def ask(self):
		"""What became of the ops of a batch; stored answers are answers too."""
		if not self.batches:
			return
		batch = self.rng.choice(self.batches)
		body = {"device_id": self.name, "wallet_id": self.space, "op_ids": [op.op_id for op in batch]}
		answer = self.insist(STATUS, body, self.space)
		results = answer.message[RESULTS] if answer.status == 200 else []
		for op, result in zip(batch, results, strict=False):
			if result.get("found") and result["status"] != "error":
				said = _said({**result, "already_applied": True}, True)
				said.at = said.sent = self.lab.journal.now()
				self.lab.journal.answered(self.lab.journal.ops[op.op_id], said)


def _said(result, seen):
	return Said(
		0,
		result["status"],
		result.get("doc_version"),
		result.get("error_code"),
		bool(result.get("already_applied")),
		seen,
		result.get("conflict_id"),
	)
