"""Exactly once: which changes of a batch were answered before, by the ledger or by an earlier item of the batch.

An op is identified by its device and op id. Its fingerprint shows whether the op id is used for another change.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from hisabi_sync.engine import ledger
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import ACCEPTED, DUPLICATE, ERROR, Caller, Change, Outcome
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.sharing import visibility

SEEN = "name op_key fingerprint attempts space batch position".split()


class Seen:
	"""An op in the ledger. If it is `answered`, a repeat gets the first answer; a failed one has the `size` of its raw item."""

	name: str
	op_key: str
	fingerprint: str
	attempts: int
	space: str
	batch: str
	position: int

	def __init__(self, row: Sequence[Any], size: int = 0) -> None:
		self.size = size
		for name, value in zip(SEEN, row, strict=False):
			setattr(self, name, value)
		self._answer = row[len(SEEN) :]
		self.answered = self._answer[0] != ERROR

	def outcome(self) -> Outcome:
		"""The stored outcome of the earlier change, as a repeat."""
		return ledger.decode(self._answer, repeated=True)


def load_seen(device: str | None, op_ids: Iterable[str]) -> dict[str, Seen]:
	"""{op key: Seen} of the ops of a device. Failed ones are locked, because they are judged again."""
	columns = [*SEEN, *ledger.ANSWER]
	keys = sorted({ids.op_key(op_id) for op_id in op_ids})
	rows = sql.select_in("Sync Item", columns, "op_key", keys, "device = %s", (device,))
	seen = [Seen(row) for row in rows]
	failed = sorted(op.name for op in seen if not op.answered)
	columns.append("LENGTH(payload)")
	again = sql.select_in("Sync Item", columns, "name", failed, tail="ORDER BY name FOR UPDATE")
	return {op.op_key: op for op in (*seen, *(Seen(row[:-1], row[-1]) for row in again))}


class Repeats:
	"""The repeats of one batch. `seen` is what the ledger holds, `again` maps a second use of an op id to its first."""

	def __init__(self, caller: Caller, changes: Sequence[Change]) -> None:
		self.changes, self.space, self.user = changes, caller.space, caller.user
		named = [op_id for change in changes for op_id in (change.op_id, change.other_op_id) if op_id]
		self.seen = load_seen(caller.device, named)
		for change in changes:
			self._tell_apart(change)
		self.again: dict[int, int] = {}
		self.answered: set[int] = set()
		self._find_second_uses()

	def _tell_apart(self, change: Change) -> None:
		"""Give a change its other op id if the first one was used for a change that left the record in the version it names."""
		earlier = self._answered_earlier(change) if change.other_op_id else None
		if earlier is None or earlier.space != self.space or earlier.fingerprint == change.fingerprint:
			return
		outcome = earlier.outcome()
		if outcome.status in (ACCEPTED, DUPLICATE) and outcome.doc_version == change.base_version:
			change.op_id = change.other_op_id

	def _find_second_uses(self) -> None:
		first: dict[str, int] = {}
		for i, change in enumerate(self.changes):
			if change.op_id and not self._answered_earlier(change):
				if first.setdefault(change.op_id, i) != i:
					self.again[i] = first[change.op_id]

	def _answered_earlier(self, change: Change) -> Seen | None:
		earlier = self.seen.get(ids.op_key(change.op_id)) if change.op_id else None
		return earlier if earlier and earlier.answered else None

	def earlier_failure(self, change: Change) -> Outcome | None:
		"""The outcome of a change that failed before, or None."""
		earlier = self.seen.get(ids.op_key(change.op_id)) if change.op_id else None
		return earlier.outcome() if earlier and not earlier.answered else None

	def failures(self, change: Change) -> int:
		"""How often in succession the change has met a mistake of the server before."""
		earlier = self.earlier_failure(change)
		return earlier.failures if earlier else 0

	def is_new(self, i: int) -> bool:
		"""Whether the change is to be judged and written to the ledger."""
		return i not in self.again and i not in self.answered

	def answer_repeats(self, outcomes: list[Any]) -> None:
		"""Answer the changes that the ledger has answers for."""
		for i, change in enumerate(self.changes):
			earlier = self._answered_earlier(change)
			if earlier:
				self.answered.add(i)
				# The answer of another space is not shown here, not even to the same device.
				said = earlier.fingerprint if earlier.space == self.space else None
				outcomes[i] = self._repeat(change, said, earlier.outcome())
		visibility.cut_answers([outcomes[i] for i in self.answered], self.user)

	def answer_second_uses(self, outcomes: list[Any]) -> None:
		"""Answer second uses of an op id in the batch with the answer of the first use."""
		for i, first in self.again.items():
			kept = {name: getattr(outcomes[first], name) for name in ledger.DEFAULTS}
			kept["repeated"] = outcomes[first].status != ERROR
			outcomes[i] = self._repeat(self.changes[i], self.changes[first].fingerprint, Outcome(**kept))

	def _repeat(self, change: Change, fingerprint: str | None, outcome: Outcome) -> Outcome:
		if fingerprint == change.fingerprint:
			return outcome
		return Outcome.of_error(change, ItemError("op_id_reused"))
