"""Spaces: opening them, and their members."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import frappe

from hisabi_sync.engine.database import sql, wake
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller, Membership
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.engine.store import load
from hisabi_sync.engine.store.write import STANDARD

OPEN = "Active"  # status of a space that may be changed
MOST_KEYS = 10_000
_keys: dict[tuple[str, str], str] = {}  # {(site, space): key}
ROLE_RANK = {"viewer": 0, "member": 1, "admin": 2, "owner": 3, "nobody": 4}


def authorise(caller: Caller, write: bool = False) -> Caller:
	"""A copy of the caller with their membership and the present position of the space.

	Raises RequestError: space_access_denied for all who are no active members, whether or not the space exists;
	space_read_only if `write` is asked for and the role or the space does not allow it.
	"""
	row = load.space_and_role(caller.space, caller.user)
	if not row or row[4] != "active":
		left: dict[str, Any] = {"purge": True} if row and row[4] == "removed" else {}
		raise RequestError("space_access_denied", **left)
	status, position, horizon, role, _, space_type, key, horizons, version = row
	entity_types.use_version(version or "")
	if write and (role == "viewer" or status != OPEN):
		raise RequestError("space_read_only")
	membership = Membership(
		role, space_type, key, position, horizon, json.loads(horizons) if horizons else {}
	)
	return replace(caller, space_type=space_type, space_key=key, membership=membership)


@dataclass(frozen=True, slots=True)
class HeldSpace:
	"""A space that a user is an active member of, with what people call it. `caller` is the user in it."""

	caller: Caller
	title: str | None
	status: str

	@property
	def is_writable(self) -> bool:
		"""Whether the user may push to it, as far as the space decides."""
		return self.caller.role != "viewer" and self.status == OPEN


Held = Mapping[str, HeldSpace]  # {space: HeldSpace}


def held_by(user: str, device: str | None = None) -> dict[str, HeldSpace]:
	"""{space: HeldSpace} of all spaces that a user is an active member of, with their present positions; one statement."""
	found: dict[str, HeldSpace] = {}
	for name, status, position, horizon, role, space_type, key, horizons, title, version in load.spaces_of(
		user
	):
		entity_types.use_version(version or "")
		membership = Membership(
			role, space_type, key, position, horizon, json.loads(horizons) if horizons else {}
		)
		caller = Caller(user, name, device, space_type, key, membership=membership)
		found[name] = HeldSpace(caller, title, status)
	return found


def exists(space_type: str, key: str) -> bool:
	"""Whether there is a space of this type and key."""
	return bool(frappe.db.exists("Sync Space", ids.space(space_type, key)))


def open_space(
	space_type: str,
	key: str,
	title: str,
	reference_doctype: str | None = None,
	reference_name: str | None = None,
) -> str:
	"""Create a space. Its name is computed from type and key, so there cannot be two of them."""
	space = ids.space(space_type, key)
	doc = frappe.get_doc(
		{
			"doctype": "Sync Space",
			"space_type": space_type,
			"space_key": key,
			"title": plain(title),
			"status": OPEN,
			"sequence": 0,
			"horizon": 0,
			"reference_doctype": reference_doctype,
			"reference_name": reference_name,
		}
	)
	doc.flags.ignore_permissions = doc.flags.ignore_links = True
	doc.insert(set_name=space)
	return space


def set_member(space: str, user: str, role: str, status: str = "active") -> None:
	"""Make a user a member with a role, or change either; `removed` closes the space to them."""
	now = clock.now()
	columns = [*STANDARD, "space", "user", "role", "status", "joined_at", "removed_at"]
	name = ids.member(space, user)
	joined, removed = (now, None) if status == "active" else (None, now if status == "removed" else None)
	row = (
		name,
		now,
		now,
		frappe.session.user,
		frappe.session.user,
		space,
		user,
		role,
		status,
		joined,
		removed,
	)
	sql.upsert("Sync Space Member", columns, [row])
	wake.users([user])


def memberships(user: str, space_type: str) -> list[str]:
	"""Keys of the spaces of a type that the user is an active member of, the oldest membership first."""
	rows = frappe.db.sql(
		"""SELECT s.space_key FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		WHERE m.user = %s AND m.status = 'active' AND s.space_type = %s ORDER BY m.creation, s.name""",
		(user, space_type),
	)
	return [row[0] for row in rows]


def key_by_name(space: str) -> str:
	"""The key of a space, which never changes; "" if there is no such space."""
	site = (frappe.local.site, space)
	if site not in _keys:
		key = frappe.db.get_value("Sync Space", space, "space_key")
		if not key:
			return ""
		if len(_keys) >= MOST_KEYS:
			_keys.clear()
		_keys[site] = key
	return _keys[site]


def joined(user: str, space_types: Collection[str]) -> list[tuple[str, str, str, str, str]]:
	"""[(space type, key, title, the user's role, status of the space)] of the spaces that a user is an active member of."""
	if not space_types:
		return []
	rows = frappe.db.sql(
		"""SELECT s.space_type, s.space_key, s.title, m.role, s.status FROM `tabSync Space Member` m
		JOIN `tabSync Space` s ON s.name = m.space
		WHERE m.user = %s AND m.status = 'active' AND s.space_type IN %s ORDER BY s.space_type, s.space_key""",
		(user, tuple(space_types)),
	)
	return list(rows)


def ensure(space_type: str, key: str) -> str:
	"""Name of the space of a key; it is created without members if it does not exist."""
	name = ids.space(space_type, key)
	return name if frappe.db.exists("Sync Space", name) else open_space(space_type, key, key)


def open_missing(wanted: Iterable[tuple[str, str]]) -> None:
	"""Open those of the spaces {(type, key)} that do not exist, without members, by two statements at most.

	Those that exist are not locked: pushes into them go on.
	"""
	names = {ids.space(space_type, key): (space_type, key) for space_type, key in wanted}
	there = {row[0] for row in sql.select_in("Sync Space", ["name"], "name", sorted(names))}
	now, by = clock.now(), frappe.session.user
	columns = [*STANDARD, "space_type", "space_key", "title", "status", "sequence", "horizon"]
	rows = [
		(name, now, now, by, by, *names[name], _title(*names[name]), OPEN, 0, 0)
		for name in sorted(names.keys() - there)
	]
	sql.insert_missing("Sync Space", columns, rows)


def _title(space_type: str, key: str) -> str:
	"""What people call a new space: its key, or the title of its type if there is one space for the whole site."""
	kind = entity_types.registry().space_types.get(space_type)
	return plain(kind.title if kind and not kind.key_doctype else key)
