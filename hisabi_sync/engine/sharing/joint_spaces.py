"""Joint spaces in the database: they are made when a document needs one, and their members are those of their parts.

See `model.joint`. Members follow in the transaction in which those of a part change; a daily job finds the rest.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import frappe

from hisabi_sync.engine.database import background, sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.judge import memberships as judged
from hisabi_sync.engine.judge.memberships import ACTIVE, Desired, Existing
from hisabi_sync.engine.model import clock, ids, joint
from hisabi_sync.engine.model.joint import Parts
from hisabi_sync.engine.model.space_type import RANK
from hisabi_sync.engine.sharing import member_rows, spaces
from hisabi_sync.engine.sharing.member_rows import MEMBER
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.store import load
from hisabi_sync.engine.store.write import STANDARD

PART, SPACE = "Sync Space Part", "Sync Space"
RULE = "joint"  # in place of a rule's name in the rows of members
CHUNK = 100  # joint spaces at a time
JOB = "joint spaces"


def ensure(space_type: str, key: str, parts: Parts) -> str:
	"""Name of the joint space of the parts; it is made with its members if it does not exist."""
	name = ids.space(space_type, key)
	if frappe.db.exists(SPACE, name):
		return name
	spaces.open_space(space_type, key, joint.title(parts))
	_write_parts(name, parts)
	follow_spaces([name], load.LATEST)  # also who becomes a member of a part at this moment
	return name


def _write_parts(name: str, parts: Parts) -> None:
	spaces.open_missing((part.space_type, part.key) for part in parts)
	now, by = clock.now(), frappe.session.user
	columns = [*STANDARD, "parent", "parenttype", "parentfield", "idx", "part", "access"]
	rows = [
		(
			*(ids.new(), now, now, by, by, name, SPACE, "parts", idx),
			*(ids.space(part.space_type, part.key), part.access),
		)
		for idx, part in enumerate(sorted(parts), 1)
	]
	sql.insert(PART, columns, rows)


def may_write_by(space: str, part: str) -> bool:
	"""Whether a space is joint, and members of another one may write in it because that is one of its parts."""
	filters = {"parent": space, "part": part, "access": joint.WRITE}
	return bool(frappe.db.exists(PART, filters))


def parts_of(space: str) -> set[str]:
	"""The spaces that a joint space consists of; none for any other space."""
	return set(frappe.get_all(PART, {"parent": space}, pluck="part"))


def parts_held(names: Collection[str], held: Mapping[str, HeldSpace]) -> dict[str, list[str]]:
	"""{joint space: those of its parts that a user is a member of}, of those of the spaces that are joint; one statement at most.

	`held` are all spaces of the user.
	"""
	found = {name for name in names if name in held and joint.is_joint(held[name].caller.space_key)}
	parts: dict[str, list[str]] = {}
	for space, part in sql.select_in(PART, ["parent", "part"], "parent", sorted(found), tail="ORDER BY idx"):
		if part in held:
			parts.setdefault(space, []).append(part)
	return parts


def with_parts(names: Collection[str], held: Mapping[str, HeldSpace], parts: Collection[str]) -> set[str]:
	"""Those of the spaces that are joint and have one of the parts; one statement at most."""
	found = [name for name in names if name in held and joint.is_joint(held[name].caller.space_key)]
	if not found or not parts:
		return set()
	rows = sql.select_in(PART, ["parent"], "part", sorted(parts), "parent IN %s", [tuple(found)])
	return {row[0] for row in rows}


def follow_users(users: Collection[str]) -> Counter[str]:
	"""Bring the memberships of users in all joint spaces in line with those in the parts: {"joined": n, "left": n}."""
	if not users or not registry().has_shares:
		return Counter()
	return _follow("m.user", tuple(users), "m.user")


def follow_spaces(names: Collection[str], tail: str = "") -> Counter[str]:
	"""The same for all members of some joint spaces; `tail` may lock the members of their parts."""
	return _follow("p.parent", tuple(names), "m.space", tail) if names else Counter()


def follow_part(space: str) -> Counter[str]:
	"""The same for all joint spaces of which a space is a part."""
	names = frappe.get_all(PART, {"part": space}, pluck="parent", distinct=True)
	counts: Counter[str] = Counter()
	for at in range(0, len(names), CHUNK):
		counts += follow_spaces(names[at : at + CHUNK])
	return counts


def follow_type(space_type: str) -> Counter[str]:
	"""The same for all joint spaces that have a space of a type as a part."""
	rows = sql.ask(
		"""SELECT DISTINCT p.parent FROM `tabSync Space Part` p JOIN `tabSync Space` s ON s.name = p.part
		WHERE s.space_type = %s""",
		(space_type,),
	)
	return follow_spaces([row[0] for row in rows])


def _follow(desired_by: str, names: tuple[str, ...], existing_by: str, tail: str = "") -> Counter[str]:
	differs = judged.difference(_desired(desired_by, names, tail), _existing(existing_by, names))
	return member_rows.apply(differs, str)


def _desired(column: str, names: tuple[str, ...], tail: str) -> dict[judged.Place, Desired]:
	"""The highest role that each has in one of the parts; by a part that may only read, or is archived, it is that of a viewer.

	The status is read in an inner select, which `tail` does not lock: pushes to the parts count in the same rows.
	"""
	rows = sql.ask(
		f"""SELECT m.user, p.parent, IF(p.access = %s AND COALESCE(
			(SELECT s.status FROM `tabSync Space` s WHERE s.name = p.part), %s) = %s, m.role, 'viewer')
		FROM `tabSync Space Part` p JOIN `tabSync Space Member` m ON m.space = p.part
		WHERE m.status = %s AND {column} IN %s {tail}""",  # noqa: S608
		(joint.WRITE, spaces.OPEN, spaces.OPEN, ACTIVE, names),
	)
	best: dict[judged.Place, Desired] = {}
	for user, space, role in sorted(rows, key=lambda row: -RANK[row[2]]):
		best.setdefault((user, space), Desired(role, RULE))
	return best


def _existing(column: str, names: tuple[str, ...]) -> dict[judged.Place, Existing]:
	rows = sql.ask(
		f"""SELECT m.user, m.space, m.name, m.role, m.status, m.rule FROM `tabSync Space Member` m
		WHERE m.space IN (SELECT parent FROM `tabSync Space Part`) AND {column} IN %s""",  # noqa: S608
		(names,),
	)
	return {(user, space): Existing(*row) for user, space, *row in rows}


# --- all of them, daily


def run() -> dict[str, int]:
	"""Bring all members of joint spaces in line, and remove the spaces in which nothing lies any more.

	Returns {"joined": n, "left": n, "removed": n}. Each chunk is a transaction.
	"""
	done = background.each(JOB, "space", _chunks(), _do)
	counts: Counter[str] = sum(done.values(), Counter())
	return {word: counts[word] for word in ("joined", "left", "removed")}


def _chunks() -> Iterable[tuple[str, ...]]:
	after, tail = "", f"ORDER BY parent LIMIT {CHUNK}"
	while rows := sql.select(PART, ["DISTINCT parent"], "parent > %s", (after,), tail):
		yield tuple(row[0] for row in rows)
		after = rows[-1][0]


def _do(names: tuple[str, ...]) -> Counter[str]:
	empty = _empty(names)
	counts = follow_spaces([name for name in names if name not in empty])
	_remove(empty)
	frappe.db.commit()
	return counts + Counter(removed=len(empty))


def _empty(names: tuple[str, ...]) -> list[str]:
	"""Those without a record, also without one of what has left: devices have heard of that long ago. They are locked."""
	locked = sql.select_in(SPACE, ["name"], "name", names, tail="ORDER BY name FOR UPDATE")
	filled = {row[0] for row in sql.select_in("Sync Record", ["DISTINCT space"], "space", names)}
	return [row[0] for row in locked if row[0] not in filled]


def _remove(names: Collection[str]) -> None:
	for doctype, column in ((MEMBER, "space"), (PART, "parent"), (SPACE, "name")) if names else ():
		frappe.db.sql(f"DELETE FROM {sql.quote('tab' + doctype)} WHERE {column} IN %s", (tuple(names),))  # noqa: S608
