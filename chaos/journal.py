"""What was sent, what was answered and what was lost: in memory for the checks, and line by line in a file."""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

APPLIED = ("accepted", "duplicate")


@dataclass
class Said:
	"""One answer to an op. `seen` says whether the device got it; a status may be `refused` for a whole request."""

	at: float
	status: str
	version: int | None = None
	code: str | None = None
	repeated: bool = False
	seen: bool = True
	conflict: str | None = None
	sent: float = 0.0
	detail: object = None


@dataclass
class Op:
	"""One change of a device with everything that became of it."""

	op_id: str
	space: str
	key: tuple
	operation: str
	base: int | None
	payload: dict
	device: str
	person: int
	rest: dict = field(default_factory=dict)  # what is sent beside the payload, as the device has it anyway
	seen: dict = field(default_factory=dict)  # values that it was made on, sent in the place of the version
	resolves: str | None = None
	atomic: str | None = None
	sent: list = field(default_factory=list)
	said: list = field(default_factory=list)
	lost: list = field(default_factory=list)
	aged: bool = False

	@property
	def revives(self) -> bool:
		"""Whether it makes a record that was deleted again."""
		return self.operation == "create" and self.base is not None

	@property
	def verdict(self) -> Said | None:
		"""The first answer that was no error, or None."""
		return next((said for said in self.said if said.status in (*APPLIED, "conflict")), None)


@dataclass
class Write:
	"""A change that somebody made in the Desk; its version is unknown while no answer came."""

	space: str
	key: tuple
	values: dict
	who: str
	sent: float
	version: int | None = None
	answered: float | None = None
	deletes: bool = False


@dataclass
class Call:
	"""One request to a contract and what came back; status 0 is no answer."""

	started: float
	ended: float
	device: str
	person: int
	space: str
	path: str
	status: int
	code: str | None = None
	trace: bool = False
	text: str = ""
	patience: bool = False  # it said when to come again


@dataclass
class Known:
	"""What was answered as committed of a space: the newest version of each record, which may be deleted, and which are."""

	versions: dict = field(default_factory=dict)
	doomed: set = field(default_factory=set)
	deleted: set = field(default_factory=set)
	revived: set = field(default_factory=set)  # may be there again


class Journal:
	"""What was sent, answered and broken, in memory and as lines of JSON in a file. Threads share it."""

	def __init__(self, folder: Path) -> None:
		self.started, self.lock = time.monotonic(), threading.RLock()
		self.file = (folder / "journal.jsonl").open("a", buffering=1)
		self.ops: dict[str, Op] = {}
		self.calls: list[Call] = []
		self.writes: list[Write] = []
		self.faults: list[list[Any]] = []
		self.edits: list[list[Any]] = []  # of DocTypes; until one is whole its pushes are `unavailable`
		self.by_space: defaultdict[str, dict[str, Op]] = defaultdict(dict)
		self.known: defaultdict[str, Known] = defaultdict(Known)
		# (space, person) -> [(time, "out" | "reads", whether that is over again)]
		self.standing: defaultdict[tuple[str, int], list[tuple[float, str, bool]]] = defaultdict(list)
		self.devices, self.losses = 0, 0

	def now(self) -> float:
		"""Seconds since the journal began."""
		return time.monotonic() - self.started

	def note(self, kind: str, **facts: Any) -> None:
		"""Append a line to the file."""
		line = json.dumps({"t": round(self.now(), 3), "kind": kind, **facts}, default=str)
		with self.lock:
			self.file.write(line + "\n")

	# --- ops

	def sending(self, op: Op) -> Op:
		"""An op leaves a device; the op as the journal knows it."""
		with self.lock:
			known = self.ops.setdefault(op.op_id, op)
			self.by_space[op.space][op.op_id] = known
			known.sent.append(self.now())
			if op.operation == "delete":
				self.known[op.space].doomed.add(op.key)
			if op.revives:
				self.known[op.space].revived.add(op.key)
		facts = {"operation": op.operation, "base": op.base, "payload": op.payload}
		facts.update(rest=op.rest, seen=op.seen, resolves=op.resolves)
		self.note("sent", op=op.op_id, device=op.device, space=op.space, record=op.key, **facts)
		return known

	def answered(self, op: Op, said: Said) -> None:
		"""Note an item's answer, and what it proves to be committed."""
		with self.lock:
			op.said.append(said)
			if said.status in APPLIED and said.version:
				self.commit(op.space, op.key, said.version)
			if said.status in APPLIED and op.operation == "delete":
				self.known[op.space].deleted.add(op.key)
		self.note("answered", op=op.op_id, **vars(said))

	def lose(self, op: Op, fate: str) -> None:
		"""Note that the answer to an item was lost, and how."""
		with self.lock:
			op.lost.append((self.now(), fate))
			self.losses += 1
		self.note("lost", op=op.op_id, fate=fate)

	def commit(self, space: str, key: tuple[str, str], version: int) -> None:
		"""Somebody was told that a record has this version."""
		with self.lock:
			versions = self.known[space].versions
			versions[key] = max(version, versions.get(key, 0))

	def committed(self, space: str) -> Known:
		"""What a pull that begins now must bring at least: a copy of Known."""
		with self.lock:
			return Known(dict(self.known[space].versions), set(), set(self.known[space].deleted))

	def complete(self, known: Known, space: str) -> None:
		"""Add to a copy of Known what a pull that has just ended may have found deleted, or there again."""
		with self.lock:
			known.doomed = set(self.known[space].doomed)
			known.revived = set(self.known[space].revived)

	# --- what is no op

	def writing(self, write: Write) -> None:
		"""A change is about to be made in the Desk."""
		with self.lock:
			self.writes.append(write)
			if write.deletes:
				self.known[write.space].doomed.add(write.key)
		self.note("desk", record=write.key, space=write.space, values=write.values, deletes=write.deletes)

	def written(self, write: Write, version: int | None) -> None:
		"""Note the answer to a write in the Desk; `version` is None if it was refused."""
		with self.lock:
			write.version, write.answered = version, self.now()
			if version:
				self.commit(write.space, write.key, version)
			if write.deletes:
				self.known[write.space].deleted.add(write.key)
		self.note("desk answered", record=write.key, version=version)

	def unwrite(self, write: Write) -> None:
		"""The Desk refused it."""
		with self.lock:
			self.writes.remove(write)
		self.note("desk refused", record=write.key)

	def age(self, device: str) -> None:
		"""The ops of a device that is gone are from long ago now."""
		with self.lock:
			for op in self.ops.values():
				op.aged = op.aged or op.device == device
		self.note("aged", device=device)

	def called(self, call: Call) -> None:
		"""Note a call."""
		with self.lock:
			self.calls.append(call)

	def stands(self, space: str, person: int, what: str, over: bool = False) -> None:
		"""A membership was lost (`out`) or may only read (`reads`), or is about to be given back."""
		with self.lock:
			self.standing[space, person].append((self.now(), what, over))
		self.note("standing", space=space, person=person, what=what, over=over)

	# --- faults

	def fault(self, name: str) -> list[Any]:
		"""A fault opens; returns a mutable [name, from, until]."""
		window = [name, self.now(), None]
		with self.lock:
			self.faults.append(window)
		self.note("fault", name=name)
		return window

	def healed(self, window: list[Any]) -> None:
		"""Note that a fault is over."""
		window[2] = self.now()
		self.note("healed", name=window[0])

	def edit_begins(self) -> list[Any]:
		"""Somebody saves a DocType; a mutable [name, from, until]."""
		window = ["an edit of a DocType", self.now(), None]
		with self.lock:
			self.edits.append(window)
		return window

	def edit_ends(self, window: list[Any]) -> None:
		"""Note that the edit of a DocType is over."""
		window[2] = self.now()

	def freeze(self, space: str) -> tuple[list[Op], list[Write]]:
		"""Copies of the ops and Desk writes of a space, as they are now."""
		with self.lock:
			ops = [_copy(op) for op in self.by_space[space].values()]
			return ops, [Write(**vars(write)) for write in self.writes if write.space == space]

	def counts(self) -> dict[str, int]:
		"""{what: how many} of devices, changes, lost answers and faults so far."""
		with self.lock:
			return {
				"devices": self.devices,
				"ops": len(self.ops),
				"losses": self.losses,
				"faults": len(self.faults),
			}


def _copy(op: Op) -> Op:
	return Op(**{**vars(op), "sent": list(op.sent), "said": list(op.said), "lost": list(op.lost)})
