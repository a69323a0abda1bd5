"""What the checks of promises look at: ops and Desk writes beside what the server held in one snapshot. Pure."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import InvalidOperation

from chaos.look import number


@dataclass
class Evidence:
	"""Ops and Desk writes of a space, and what the server held in a snapshot taken after `asof`."""

	ops: dict
	writes: list
	held: object
	asof: float = float("inf")
	by_key: dict = field(default_factory=lambda: defaultdict(list))
	entries: dict = field(default_factory=dict)
	others: dict = field(default_factory=lambda: defaultdict(list))

	def __post_init__(self):
		for entry in self.held.ledger:
			self.entries[entry.op_id] = entry
			self.by_key[entry.key].append(entry)
		for write in self.writes:
			self.others[write.key].append((write.version, write.values, write.who))
		for name, conflict in self.held.conflicts.items():
			if conflict.resolved_version and conflict.status == "Resolved":
				self.others[conflict.key].append((conflict.resolved_version, conflict.resolved, name))
		self.aged = {op.key for op in self.ops.values() if op.aged}
		self.doomed = {op.key for op in self.ops.values() if op.operation == "delete"}
		self.doomed |= {write.key for write in self.writes if write.deletes}

	def answered(self):
		"""(op, its verdict) of all that were answered before the snapshot and are still in the ledger's time."""
		for op in self.ops.values():
			if op.verdict and op.verdict.at < self.asof and not op.aged:
				yield op, op.verdict

	def written(self, key):
		"""[(version, values, who)] of all that wrote to a record; a version is None when no answer came."""
		found = []
		for entry in self.by_key[key]:
			op = self.ops.get(entry.op_id)
			if entry.status == "accepted" and op:
				found.append((entry.version, op.payload, op.op_id))
		return found + self.others[key]


def same(left, right):
	"""Whether two values are the same, however numbers are written."""
	try:
		return number(left) == number(right)
	except (InvalidOperation, ValueError):
		return (left or None) == (right or None)
