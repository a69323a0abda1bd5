"""Rows of Sync Space Member that follow from rules: a difference is written with two statements. Rows by hand stay as they are."""

from collections import Counter
from collections.abc import Callable, Mapping

import frappe

from hisabi_sync.engine.database import sql, wake
from hisabi_sync.engine.judge.memberships import ACTIVE, Desired, Difference, Place
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.store.write import STANDARD

MEMBER = "Sync Space Member"
REMOVED = "removed"
COLUMNS = [*STANDARD, "space", "user", "role", "status", "joined_at", "removed_at", "rule"]
# A row by hand that somebody made meanwhile stays as it is.
KEEP_BY_HAND = ", ".join(
	f"{column} = IF(`rule` IS NULL, {column}, VALUES({column}))"
	for column in ("`role`", "`status`", "joined_at", "removed_at", "modified", "`rule`")
)


def apply(differs: Difference, space_of: Callable[[str], str]) -> Counter[str]:
	"""Write memberships and end others: {"joined": n, "left": n}. `space_of` gives the name of the space that a Place names."""
	if differs.write:
		_write(differs.write, space_of)
		wake.users({user for user, _ in differs.write})
	now = clock.now()
	ended = {"status": REMOVED, "removed_at": now, "modified": now}
	sql.update_in(MEMBER, ended, differs.end, "`rule` IS NOT NULL")
	return Counter(joined=len(differs.write), left=len(differs.end))


def _write(memberships: Mapping[Place, Desired], space_of: Callable[[str], str]) -> None:
	now, by = clock.now(), frappe.session.user
	rows = []
	for (user, key), one in sorted(memberships.items()):
		space = space_of(key)
		standard = (ids.member(space, user), now, now, by, by)
		rows.append((*standard, space, user, one.role, ACTIVE, now, None, one.rule))
	sql.insert_or(MEMBER, COLUMNS, rows, KEEP_BY_HAND)
