"""What a user or a device gets: spaces with role and rule, and how many records of each type Frappe lets the user read."""

from collections.abc import Mapping
from typing import Any

import frappe

from hisabi_sync import document_clauses
from hisabi_sync.desk.insight import reasons
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.sharing import joint_spaces

MOST = 100  # spaces of one answer


def person(user: str) -> dict[str, Any]:
	"""`{user, full_name, enabled, roles}` of a user that exists, with the names of their roles in order."""
	full_name, enabled = frappe.db.get_value("User", user, ["full_name", "enabled"])
	roles = frappe.get_all("Has Role", {"parent": user, "parenttype": "User"}, pluck="role", order_by="role")
	return {"user": user, "full_name": full_name, "enabled": bool(enabled), "roles": roles}


def device(name: str | None) -> dict[str, Any] | None:
	"""`{name, title, status, last_seen}` of a device that exists; None without a name."""
	if not name:
		return None
	fields = ["device_name", "device_id", "status", "last_seen"]
	title, device_id, status, last_seen = frappe.db.get_value("Sync Device", name, fields)
	return {"name": name, "title": title or device_id, "status": status, "last_seen": clock.dump(last_seen)}


def types() -> list[dict[str, str]]:
	"""The types that are switched on and whose documents the reader may read."""
	enabled = (entity for entity in entity_types.registry().by_name.values() if entity.enabled)
	return [
		{"entity_type": entity.wire_name, "doctype": entity.doctype, "space_type": entity.space_type}
		for entity in enabled
		if frappe.has_permission(entity.doctype, "read")
	]


def spaces(user: str, device: str | None) -> tuple[list[dict[str, Any]], bool]:
	"""(spaces of a user, active ones first, whether there are more); five statements at most, whatever their number."""
	rows = frappe.db.sql(
		"""SELECT s.name, s.space_type, s.space_key, s.title, s.status space_status, m.role, m.status, m.rule,
			COALESCE(m.removed_at, m.joined_at, m.creation) since, s.sequence position
		FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space WHERE m.user = %s
		ORDER BY m.status != 'active', s.space_type, s.space_key LIKE 'joint:%%', s.space_key LIMIT %s""",
		(user, MOST + 1),
		as_dict=True,
	)
	shown = rows[:MOST]
	names = [row.name for row in shown if row.status == "active"]
	counted, reached, registry = counts(user, names), _confirmed(device, names), entity_types.registry()
	parts = reasons.parts_of(user, [row.name for row in shown if row.rule == joint_spaces.RULE])
	for row in shown:
		row.rule = _why(row, parts, registry)
		row.since = clock.dump(row.since)
		row.confirmed = reached.get(row.name)
		row.counts = counted.get(row.name, [])
	return shown, len(rows) > MOST


def _why(row: frappe._dict, parts: Mapping[str, list[str]], registry: Registry) -> str | None:
	if row.rule == joint_spaces.RULE:
		return reasons.by_parts(parts.get(row.name, ()))
	return reasons.rule_of(row, registry.space_types.get(row.space_type))


def counts(user: str, spaces: list[str]) -> dict[str, list[dict[str, Any]]]:
	"""{space: [{entity type, records, seen}]} of the live records of types that are switched on; one statement."""
	registry = entity_types.registry()
	if not spaces:
		return {}
	query = f"""SELECT space, entity_type, COUNT(*), SUM({_seen(user, registry)}) FROM `tabSync Record`
		WHERE space IN %(spaces)s AND deleted_at IS NULL GROUP BY space, entity_type"""  # noqa: S608
	found: dict[str, list[dict[str, Any]]] = {}
	for space, name, records, seen in sql.ask(query, {"spaces": tuple(spaces)}):
		if registry.is_open(name):
			row = {"entity_type": registry.wire_name(name), "records": records, "seen": int(seen)}
			found.setdefault(space, []).append(row)
	return {space: sorted(rows, key=lambda row: row["entity_type"]) for space, rows in found.items()}


def _seen(user: str, registry: Registry) -> str:
	"""An expression that is 1 for a record whose document the user may read."""
	cases = [
		f"WHEN {frappe.db.escape(entity.name)} THEN document_name IN ({rows.replace('%', '%%')})"
		for entity in registry.by_name.values()
		if entity.check_permissions
		and (rows := document_clauses.readable_rows(entity.doctype, user)) is not None
	]
	return f"CASE entity_type {' '.join(cases)} ELSE 1 END" if cases else "1"


def _confirmed(device: str | None, spaces: list[str]) -> Mapping[str, int]:
	"""{space: position that a device has confirmed}."""
	where = "device = %s AND entity_type IS NULL"
	rows = sql.select_in("Sync Device Position", ["space", "acknowledged"], "space", spaces, where, [device])
	return dict(rows)
