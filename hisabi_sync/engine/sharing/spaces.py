"""Spaces: opening them, their members, and the space that a document belongs to."""

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller, Membership
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.engine.store import load
from hisabi_sync.engine.store.write import STANDARD

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


def ensure(space_type: str, key: str) -> str:
	"""Name of the space of a key; it is created without members if it does not exist."""
	name = ids.space(space_type, key)
	return name if frappe.db.exists("Sync Space", name) else open_space(space_type, key, key)


def of_document(doc: Document, entity: EntityType) -> str | None:
	"""Name of the space that a document belongs to by its entity type's path, or None. Creates the space if needed."""
	key = key_of(doc, entity)
	return ensure(entity.space_type, key) if key else None


def key_of(doc: Document, entity: EntityType) -> str | None:
	"""Key of the space that a document belongs to by its entity type's path, or None."""
	*links, last = entity.space_path.split(".")
	source = doc
	for link in links:
		if not source.get(link):
			return None
		source = frappe.get_cached_doc(source.meta.get_field(link).options, source.get(link))
	key = source.get(last)
	return str(key) if key else None


def keys_of(entity: EntityType, names: Collection[str]) -> dict[str, str]:
	"""{document name: key of its space} for documents that have one; one statement, whatever the path."""
	*links, last = entity.space_path.split(".")
	joins, alias, meta = "", "t0", frappe.get_meta(entity.doctype)
	for depth, link in enumerate(links, 1):
		target = meta.get_field(link).options
		joins += f" JOIN {sql.quote('tab' + target)} t{depth} ON t{depth}.name = {alias}.{sql.quote(link)}"
		alias, meta = f"t{depth}", frappe.get_meta(target)
	column = f"{alias}.{sql.quote(last)}"
	if not names:
		return {}
	rows = frappe.db.sql(
		f"SELECT t0.name, {column} FROM {sql.quote(entity.table)} t0{joins} "  # noqa: S608
		f"WHERE t0.name IN %s AND {column} IS NOT NULL AND {column} != ''",
		(tuple(names),),
	)
	return {str(name): str(key) for name, key in rows}
