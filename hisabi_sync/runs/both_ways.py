"""Both directions of one entity: what has changed on which side since the two were last the same. Pure.

A base is `{here, there}`: our values by the mapping of the push, and the other side's by that of the pull, each before links
are exchanged. A change goes over field by field; what both sides changed to different values is a clash.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from hisabi_sync.runs import mapping

HERE, THERE = "here", "there"
# Which side a run reads, by its direction.
READS = {"push": HERE, "pull": THERE}


@dataclass(frozen=True, slots=True)
class Sides:
	"""Names of fields on the side that is written to: changed on the side that is read, changed there, and different now."""

	read: Set[str]
	written: Set[str]
	differing: Set[str]

	@property
	def clashes(self) -> Set[str]:
		"""Fields that both sides have changed to different values."""
		return self.read & self.written & self.differing

	def carried(self, wins: bool) -> Set[str]:
		"""What is written: the changes of the side that is read, those that clash only where it `wins`."""
		return (self.read & self.differing) - (set() if wins else self.clashes)

	def pending(self, wins: bool) -> Set[str]:
		"""Changes of the side that is written to which a run in the other direction has to carry."""
		return self.written - self.carried(wins) - (self.read - self.differing)


def changed(now: Mapping[str, Any], before: Mapping[str, Any] | None, is_newer: bool) -> set[str]:
	"""Names of values that are not what they were. Without a base all may be, if the side has a newer version."""
	if before is None:
		return set(now) if is_newer else set()
	return {name for name, value in now.items() if not mapping.same(value, before.get(name))}


def differing(new: Mapping[str, Any], present: Mapping[str, Any]) -> set[str]:
	"""Names of new values that differ from the present ones."""
	found = mapping.differences(new, present)
	return {change["field"].partition(".")[0] for change in found}


def names_there(rows: Iterable[mapping.Row], names: Set[str]) -> set[str]:
	"""The other side's names of our fields, by the mapping of a pull."""
	return {_top(row.remote) for row in rows if row.local in names and row.remote}


def names_here(rows: Iterable[mapping.Row], names: Set[str]) -> set[str]:
	"""Our names of the other side's fields, by the mapping of a push."""
	return {row.local for row in rows if row.local and _top(row.remote) in names}


def _top(path: str | None) -> str:
	return (path or "").partition(".")[0]


def kept(now: Mapping[str, Any], before: Mapping[str, Any] | None, pending: Set[str]) -> dict[str, Any]:
	"""The base of one side: its values now, but of what is pending those from before, so that it still counts as changed."""
	return {name: value if name not in pending else (before or {}).get(name) for name, value in now.items()}
