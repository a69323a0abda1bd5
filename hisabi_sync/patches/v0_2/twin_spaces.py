"""Sync Spaces made in the Desk had a random name, so that neither records nor calls found them.

Their members move to the space that the engine uses, which is made where there is none. Running it again changes nothing.
"""

from collections.abc import Mapping

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.patches import chunks

PATCH = chunks.Patch("v0_2.twin_spaces")
MEMBER = "user role status joined_at removed_at".split()


def execute() -> None:
	"""Move members of spaces with a random name to the space that the engine uses."""
	PATCH.walk("Sync Space", ["space_type", "space_key", "title", "status"], _mend)
	PATCH.finish()


def _mend(rows: chunks.Rows) -> None:
	"""Rows are (name, space type, key, title, status)."""
	twins = {row[0]: ids.space(row[1], row[2]) for row in rows if row[1] and row[2]}
	twins = {name: real for name, real in twins.items() if name != real}
	_open([(twins[row[0]], *row[1:]) for row in rows if row[0] in twins])
	while members := _members(twins):
		_move(members, twins)
	names = _without_records(list(twins))
	if names:
		frappe.db.delete("Sync Space", {"name": ["in", names]})


def _open(spaces: chunks.Rows) -> None:
	now, columns = clock.now(), ["space_type", "space_key", "title", "status", "sequence", "horizon"]
	rows = [(name, now, now, "Administrator", "Administrator", *more, 0, 0) for name, *more in spaces]
	sql.insert_missing("Sync Space", [*STANDARD, *columns], rows)


def _members(twins: Mapping[str, str]) -> chunks.Rows:
	return sql.select_in(
		"Sync Space Member", ["name", "space", *MEMBER], "space", list(twins), tail=f"LIMIT {chunks.CHUNK}"
	)


def _move(members: chunks.Rows, twins: Mapping[str, str]) -> None:
	"""Make them members of the space that is used, unless they are or were; what that says of them stays."""
	now, by = clock.now(), ("Administrator", "Administrator")
	rows = [
		(ids.member(twins[space], user), now, now, *by, twins[space], user, *more)
		for _name, space, user, *more in members
	]
	sql.insert_missing("Sync Space Member", [*STANDARD, "space", *MEMBER], rows)
	frappe.db.delete("Sync Space Member", {"name": ["in", [row[0] for row in members]]})


def _without_records(names: list[str]) -> list[str]:
	filled = {row[0] for row in sql.select_in("Sync Record", ["DISTINCT space"], "space", names)}
	return [name for name in names if name not in filled]
