"""Who is to be a member of which space, and what has to be changed for it. Pure.

Rows by hand, which no rule made, stay as they are, whatever the rules say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hisabi_sync.engine.model.space_type import RANK

Place = tuple[str, str]  # (user, key of the space)
ACTIVE = "active"


class Desired(NamedTuple):
	"""What a membership is to be: the role, and the rule that gives it."""

	role: str
	rule: str


class Existing(NamedTuple):
	"""What a membership is; `rule` is None for a row by hand."""

	name: str
	role: str
	status: str
	rule: str | None


@dataclass(slots=True)
class Difference:
	"""Memberships to write, new ones and others, and names of those that end."""

	write: dict[Place, Desired] = field(default_factory=dict)
	end: list[str] = field(default_factory=list)

	def __bool__(self) -> bool:
		return bool(self.write or self.end)


def choose(found: Iterable[tuple[str, str, str]], roles: Mapping[str, str]) -> dict[Place, Desired]:
	"""Of (user, key, rule) one membership for each user and key: that of the highest role, of equal ones the first.

	`roles` are those that the rules give, in the order of the rules.
	"""
	order = list(roles)
	best: dict[Place, Desired] = {}
	for user, key, rule in sorted(found, key=lambda row: (-RANK[roles[row[2]]], order.index(row[2]))):
		best.setdefault((user, key), Desired(roles[rule], rule))
	return best


def difference(desired: Mapping[Place, Desired], existing: Mapping[Place, Existing]) -> Difference:
	"""What has to be written so that rows of rules are as wanted."""
	found = Difference()
	for place, one in desired.items():
		row = existing.get(place)
		if row is None or (
			row.rule is not None and (row.role, row.status, row.rule) != (one.role, ACTIVE, one.rule)
		):
			found.write[place] = one
	for place, row in existing.items():
		if place not in desired and row.rule is not None and row.status == ACTIVE:
			found.end.append(row.name)
	return found
