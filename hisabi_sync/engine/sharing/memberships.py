"""Memberships by rule: rows of Sync Space Member that follow the data of the site.

What a rule says of some users is asked with one statement for each rule, and what differs is written with three at most. A job
goes over all users, for what no hook saw.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial
from typing import NamedTuple

import frappe

from hisabi_sync.engine.database import background, retry, sql, wake
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.judge import memberships as judged
from hisabi_sync.engine.judge.memberships import ACTIVE, Desired, Existing, Place
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.space_type import SpaceType
from hisabi_sync.engine.sharing import joint_spaces, member_rows, rule_query, spaces
from hisabi_sync.engine.sharing.member_rows import MEMBER, REMOVED

CHUNK = 200  # users at a time
JOB = "memberships"


def follow(kind: SpaceType, users: Collection[str]) -> Counter[str]:
	"""Bring the memberships of users in spaces of a type in line with its rules: {"joined": n, "left": n}.

	Part of the caller's transaction.
	"""
	if not users or kind.problem:  # what cannot be read says nothing of members
		return Counter()
	differs = judged.difference(desired(kind, users), _existing(kind, users))
	spaces.open_missing((kind.name, key) for _, key in differs.write)
	counts = member_rows.apply(differs, partial(ids.space, kind.name))
	if differs:
		joint_spaces.follow_users(users)
		wake.users(users)
	return counts


def desired(kind: SpaceType, users: Collection[str]) -> dict[Place, Desired]:
	"""The memberships that the rules give to users; one statement for each rule."""
	return judged.choose(found(kind, users), kind.roles)


def found(kind: SpaceType, users: Collection[str]) -> list[tuple[str, str, str]]:
	"""[(user, key, rule)]: every rule that makes one of the users a member."""
	return [
		(str(user), str(key), rule.name)
		for rule in kind.rules
		for user, key in rule_query.wanted(rule, kind, users)
	]


def _existing(kind: SpaceType, users: Collection[str]) -> dict[Place, Existing]:
	rows = frappe.db.sql(
		"""SELECT m.user, s.space_key, m.name, m.role, m.status, m.rule FROM `tabSync Space Member` m
		JOIN `tabSync Space` s ON s.name = m.space WHERE m.user IN %s AND s.space_type = %s""",
		(tuple(users), kind.name),
	)
	return {(user, key): Existing(*row) for user, key, *row in rows}


# --- all users


class Chunk(NamedTuple):
	"""Some users, in the spaces of a type."""

	kind: str
	users: tuple[str, ...]

	def __str__(self) -> str:
		return f"{self.kind}, users from {self.users[0]}"


def run(space_type: str | None = None) -> dict[str, int]:
	"""Bring all memberships in line with the rules: {"joined": n, "left": n}. Each chunk of users is a transaction.

	Runs daily, after a Sync Space Type was saved, and by `bench --site S hisabi-memberships`.
	"""
	names = [name for name in registry().space_types if space_type in (None, name)]
	done = background.each(JOB, "space type", (chunk for name in names for chunk in _chunks(name)), _follow)
	counts: Counter[str] = sum(done.values(), Counter())
	return {"joined": counts["joined"], "left": counts["left"]}


def _chunks(kind: str) -> Iterator[Chunk]:
	after = ""
	while rows := sql.select("User", ["name"], "name > %s", (after,), f"ORDER BY name LIMIT {CHUNK}"):
		yield Chunk(kind, tuple(row[0] for row in rows))
		after = rows[-1][0]


def _follow(chunk: Chunk) -> Counter[str]:
	kind = registry().space_types.get(chunk.kind)  # people may have edited it since this began
	counts = follow(kind, chunk.users) if kind else Counter()
	joint_spaces.follow_users(chunk.users)  # also of a joint space that was made at the same moment
	frappe.db.commit()
	return counts


def follow_apart(space_type: str, users: Collection[str]) -> None:
	"""Bring the memberships of users in line, in transactions of their own."""
	every = sorted(users)
	for start in range(0, len(every), CHUNK):
		retry.run(partial(_follow, Chunk(space_type, tuple(every[start : start + CHUNK]))))


def soon(space_type: str) -> None:
	"""After the commit, have a worker do `run`. Without Redis this is left to the daily job."""
	background.enqueue_once("hisabi_sync.engine.sharing.memberships.run", JOB, space_type=space_type)


def end_all(space_type: str) -> None:
	"""End the memberships that rules made in spaces of a type that is about to be deleted; rows by hand stay."""
	now = clock.now()
	frappe.db.sql(
		"""UPDATE `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		SET m.status = %s, m.removed_at = %s, m.modified = %s
		WHERE s.space_type = %s AND m.rule IS NOT NULL AND m.status = %s""",
		(REMOVED, now, now, space_type, ACTIVE),
	)
	joint_spaces.follow_type(space_type)


def of_rules(names: Collection[str], limit: int) -> list[str]:
	"""Users whom rules made members of spaces, at most `limit`."""
	where, tail = "status = %s AND `rule` IS NOT NULL", f"LIMIT {int(limit)}"
	return [
		row[0] for row in sql.select_in(MEMBER, ["DISTINCT user"], "space", names, where, (ACTIVE,), tail)
	]
