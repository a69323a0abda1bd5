"""Spaces: opening them, their members, and the space that a document belongs to."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller, Membership
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.paths import Way
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.engine.store import load
from hisabi_sync.engine.store.path_queries import Tables
from hisabi_sync.engine.store.write import STANDARD

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
	if write and (role == "viewer" or status != "Active"):
		raise RequestError("space_read_only")
	held = Membership(role, space_type, key, position, horizon, json.loads(horizons) if horizons else {})
	return replace(caller, space_type=space_type, space_key=key, membership=held)


@dataclass(frozen=True, slots=True)
class HeldSpace:
	"""A space that a user is an active member of, with what people call it. `caller` is the user in it."""

	caller: Caller
	title: str | None
	status: str

	@property
	def is_writable(self) -> bool:
		"""Whether the user may push to it, as far as the space decides."""
		return self.caller.role != "viewer" and self.status == "Active"


def held_by(user: str, device: str | None = None) -> dict[str, HeldSpace]:
	"""{space: HeldSpace} of all spaces that a user is an active member of, with their present positions; one statement."""
	found: dict[str, HeldSpace] = {}
	for name, status, position, horizon, role, space_type, key, horizons, title, version in load.spaces_of(
		user
	):
		entity_types.use_version(version or "")
		held = Membership(role, space_type, key, position, horizon, json.loads(horizons) if horizons else {})
		caller = Caller(user, name, device, space_type, key, membership=held)
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
			"status": "Active",
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


def of_document(doc: Document, entity: EntityType, known: Collection[str] = ()) -> str | None:
	"""Name of the space that a saved document belongs to by its entity type's path, or None. Creates the space if needed.

	`known` are spaces where it lies already. It comes into another one only by what leads there as it is now (see `of_documents`).
	"""
	for tail in ("", load.LATEST) if entity.leads_through else (None,):
		key = key_of(doc, entity) if tail is None else keys_of(entity, [doc.name], tail).get(str(doc.name))
		space = ids.space(entity.space_type, key) if key else None
		if space in known:
			return space
	return ensure(entity.space_type, key) if key else None


def of_documents(entity: EntityType, names: Collection[str]) -> dict[str, str]:
	"""{document name: its space} of locked documents that lie in one. Creates spaces if needed.

	Documents that come into a space lock what leads there, so that it cannot go elsewhere at the same moment without them.
	"""
	keys = keys_of(entity, names, "" if entity.leads_through else load.LATEST)
	if entity.leads_through and (new := _not_there_yet(entity, names, keys)):
		latest = keys_of(entity, new, load.LATEST)
		keys = {**{name: key for name, key in keys.items() if name not in new}, **latest}
	known = {key: ensure(entity.space_type, key) for key in sorted(set(keys.values()))}
	return {name: known[key] for name, key in keys.items()}


def _not_there_yet(entity: EntityType, names: Collection[str], keys: Mapping[str, str]) -> set[str]:
	where, values = "document_type = %s AND deleted_at IS NULL", (entity.doctype,)
	rows = sql.select_in("Sync Record", ["document_name", "space"], "document_name", names, where, values)
	there = set(map(tuple, rows))
	return {name for name in names if (name, ids.space(entity.space_type, keys.get(name, ""))) not in there}


def key_of(doc: Document, entity: EntityType) -> str | None:
	"""Key of the space that a document belongs to by its entity type's path, or None."""
	return next((key for way in entity.ways if (key := along(doc, way))), None)


def along(doc: Document, way: Way) -> str:
	"""The key to which a way leads from a document as it is in memory, or ""."""
	source = doc
	for step in way.path[:-1]:
		if not source.get(step.field) or (step.typed_by and source.get(step.typed_by) != step.target):
			return ""
		source = frappe.get_cached_doc(step.target, source.get(step.field))
	return way.constant or str(source.get(way.path[-1].field) or "")


def keys_of(entity: EntityType, names: Collection[str], tail: str = "") -> dict[str, str]:
	"""{document name: key of its space} for documents that have one; one statement, whatever the path."""
	if not names:
		return {}
	tables = Tables(entity.doctype)
	columns = [tables.column(way.path) if way.path else frappe.db.escape(way.constant) for way in entity.ways]
	first = ", ".join(f"NULLIF({column}, '')" for column in columns)
	key = columns[0] if len(columns) == 1 else f"COALESCE({first})"
	rows = frappe.db.sql(
		f"SELECT t0.name, {key} FROM {tables.text} "  # noqa: S608
		f"WHERE t0.name IN %s AND {key} IS NOT NULL AND {key} != '' {tail}",
		(*tables.values, tuple(names)),
	)
	return {str(name): str(key) for name, key in rows}
