"""The order of a space: every transaction that touched records takes numbers just before it commits.

A touched Sync Record is first written with a provisional number: negative, and counted within its transaction.
The last statements of the transaction lock the counter of the space until the commit, so the order of numbers is the order
of commits. A push writes foreseen numbers instead, those that it gets if no other transaction takes numbers first. If one
did, the push moves its numbers once it has the counter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import frappe

from hisabi_sync import compat
from hisabi_sync.engine.database import transaction
from hisabi_sync.engine.store import announcing
from hisabi_sync.engine.store.announcing import EVENT as EVENT

PENDING = "hisabi_sync_pending"
EPOCH, EPOCH_KEPT = "hisabi_sync_epoch", 60  # in Redis, for so many seconds
CHUNK = 1000
# A row that a savepoint took back has no negative sequence and is left alone.
FROM_PROVISIONAL = "UPDATE `tabSync Record` SET sequence = %s - sequence WHERE name IN %s AND sequence < 0"
FROM_FORESEEN = "UPDATE `tabSync Record` SET sequence = sequence + %s WHERE name IN %s"
LEAP = (
	2**36
)  # more than a space ever numbers between a backup and its loss; 53 bits have room for 100,000 of them


@dataclass(slots=True)
class Touched:
	"""Records of one space that the open transaction touched: {record: the last number that it foresaw from, or None}."""

	space_type: str
	count: int = 0
	lasts: dict[str, int | None] = field(default_factory=dict)

	def add(self, name: str, last: int | None) -> int:
		"""How many were touched up to this record. A record that is touched again counts again, so no count is given twice."""
		self.count += 1
		self.lasts[name] = last
		return self.count

	def by_last(self) -> dict[int | None, list[str]]:
		"""{last number or None: names of the records}."""
		found: dict[int | None, list[str]] = {}
		for name, last in self.lasts.items():
			found.setdefault(last, []).append(name)
		return found


def provisional(space: str, space_type: str, names: Iterable[str], last: int | None = None) -> list[int]:
	"""The numbers to write into touched records for now; `number`, or the commit, corrects them.

	Without `last` they are negative. With `last`, the last number of the space as the transaction knows it, they are
	the foreseen numbers. Never give `last` if a savepoint may undo the rows: their earlier numbers would be moved then.
	"""
	touched = _pending().setdefault(space, Touched(space_type))
	counts = [touched.add(name, last) for name in names]
	return [-count if last is None else last + count for count in counts]


def _pending() -> transaction.State:
	"""{space: Touched} of the open transaction."""
	pending = transaction.state(PENDING)
	return transaction.keep(PENDING, _number) if pending is None else pending


def number() -> dict[str, tuple[int, int]]:
	"""Give every pending record its number now; returns {space: (last number before, last number)}."""
	pending = transaction.state(PENDING)
	return _number(pending) if pending else {}


def _number(pending: transaction.State) -> dict[str, tuple[int, int]]:
	"""Number the spaces in a fixed order, so that two transactions cannot deadlock."""
	touched = sorted(pending.items())
	pending.clear()
	numbered = {}
	for space, records in touched:
		last = take(space, records.count)
		before = last - records.count
		numbered[space] = (before, last)
		for written_for, names in records.by_last().items():
			_assign(names, before, written_for)
		announcing.announce(space, records.space_type, last)
	return numbered


def take(space: str, count: int) -> int:
	"""Take `count` numbers of the space; returns the last one. Locks the counter until the commit."""
	query = "UPDATE `tabSync Space` SET sequence = LAST_INSERT_ID(sequence + %s) WHERE name = %s"
	frappe.db.sql(query, (count, space))
	return compat.last_insert_id() or _last(space)


def _last(space: str) -> int:
	"""The counter as this transaction left it, where Frappe's recorder has asked something since."""
	return int(frappe.db.sql("SELECT sequence FROM `tabSync Space` WHERE name = %s", (space,))[0][0])


def _assign(names: Sequence[str], before: int, written_for: int | None) -> None:
	"""Replace provisional numbers, and move foreseen numbers if the last number was not `before`."""
	if written_for is None:
		_update(FROM_PROVISIONAL, before, names)
	elif written_for != before:
		_update(FROM_FORESEEN, before - written_for, names)


def _update(query: str, value: int, names: Sequence[str]) -> None:
	for start in range(0, len(names), CHUNK):
		frappe.db.sql(query, (value, tuple(names[start : start + CHUNK])))


def leap() -> int:
	"""After a backup was restored, make all positions that devices hold too old. Returns the number of spaces.

	The counters are those of the backup. Numbers of changes that were lost would be given to other changes, and a device
	whose position is past them would miss those. A position below the horizon makes it start over.
	"""
	# MariaDB evaluates from left to right: the horizon is the new sequence.
	frappe.db.sql("UPDATE `tabSync Space` SET sequence = sequence + %s, horizon = sequence", (LEAP,))
	frappe.cache.delete_value(EPOCH)
	frappe.db.after_commit.add(lambda: frappe.cache.delete_value(EPOCH))
	return frappe.db.count("Sync Space")


def epoch() -> int:
	"""How often a backup was restored here, as far as devices of the spaces of today can have seen it.

	It is kept in Redis for a moment, for it takes a look at all spaces.
	"""
	known = frappe.cache.get_value(EPOCH, expires=True)
	if known is None:
		known = int(frappe.db.sql("SELECT COALESCE(MAX(sequence), 0) FROM `tabSync Space`")[0][0]) // LEAP
		frappe.cache.set_value(EPOCH, known, expires_in_sec=EPOCH_KEPT)
	return int(known)
