"""What the checks of promises look at: ops and Desk writes beside what the server held in one snapshot. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import InvalidOperation
from typing import Any

from chaos.journal import Op, Said
from chaos.look import Entry, Held, number

# A write: the version that it made, None when no answer came; the values; who wrote.
Written = tuple[int | None, dict[str, Any], str]


@dataclass
class Evidence:
	"""Ops and Desk writes of a space, and what the server held in a snapshot taken after `asof`."""

	ops: dict
	writes: list
	held: Held
	asof: float = float("inf")
	by_key: dict = field(default_factory=lambda: defaultdict(list))
	entries: dict = field(default_factory=dict)
	others: dict = field(default_factory=lambda: defaultdict(list))

	def __post_init__(self) -> None:
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

	def answered(self) -> Iterator[tuple[Op, Said]]:
		"""(op, its verdict) of all that were answered before the snapshot and are still in the ledger's time."""
		for op in self.ops.values():
			if op.verdict and op.verdict.at < self.asof and not op.aged:
				yield op, op.verdict

	def written(self, key: tuple[str, str]) -> list[Written]:
		"""[(version, values, who)] of all that wrote to a record; a version is None when no answer came."""
		found = []
		for entry in self.by_key[key]:
			op = self.ops.get(entry.op_id)
			if entry.status == "accepted" and op:
				found.append((entry.version, op.payload, op.op_id))
		return found + self.others[key]

	def made(self, key: tuple[str, str], entries: Sequence[Entry]) -> bool:
		"""Whether one of the accepted changes made their version, and the others named values that the record already had.

		A change that names nothing new is accepted, and makes no version.
		"""
		held, ids = {}, [entry.op_id for entry in entries]
		for version, values, who in sorted(self.written(key), key=lambda one: one[0] or 0):
			if who not in ids and version and version <= (entries[0].version or 0):
				held.update(values)
		makers = (one for one in ids if one in self.ops)
		return any(self._explains({**held, **self.ops[one].payload}, one, ids) for one in makers)

	def _explains(self, held: Mapping[str, Any], maker: str, ids: Iterable[str]) -> bool:
		others = [self.ops[one] for one in ids if one in self.ops and one != maker]
		return all(
			op.operation == "update" and all(same(held.get(name), v) for name, v in op.payload.items())
			for op in others
		)


def same(left: Any, right: Any) -> bool:
	"""Whether two values are the same, however numbers are written."""
	try:
		return number(left) == number(right)
	except (InvalidOperation, ValueError):
		return (left or None) == (right or None)
