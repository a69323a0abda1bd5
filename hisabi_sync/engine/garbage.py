"""Removing what is no longer needed: tombstones that all devices have seen, and old log rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import frappe

from hisabi_sync.engine.database import background, sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.entity_type import EntityType

CHUNK = 1000


def collect() -> None:
	"""Scheduled job: raise each space's horizon as far as its devices allow and remove the tombstones behind it."""
	rows = frappe.db.sql("SELECT DISTINCT space FROM `tabSync Record` WHERE deleted_at IS NOT NULL")
	background.each("garbage", "space", [space for (space,) in rows], collect_space)


def collect_space(space: str) -> int:
	"""Collect one space; returns how many tombstones were removed. Each chunk is a transaction of its own."""
	horizons = _horizons(space)
	if not horizons:
		return 0
	_raise(space, horizons)
	removed = 0
	position: int | None = 0
	while position is not None:
		gone, position = _remove(space, position, horizons)
		removed += gone
	return removed


def _horizons(space: str) -> dict[str, int]:
	"""{entity type: position up to which its tombstones may be removed}, where there are such tombstones.

	That is the position of the live device that is farthest behind, or the one of the retention limit if that is later.
	"""
	first, oldest, kept = _first_tombstones(space), _oldest_positions(space), _retention_position(space)
	limits = {name: max(oldest.get(name, 0), kept) for name in first}
	return {name: limit for name, limit in limits.items() if limit >= first[name]}


def _first_tombstones(space: str) -> dict[str, int]:
	where = "space = %s AND deleted_at IS NOT NULL"
	return dict(
		sql.select("Sync Record", ["entity_type", "MIN(sequence)"], where, (space,), "GROUP BY entity_type")
	)


def _oldest_positions(space: str) -> dict[str, int]:
	"""{entity type: the oldest position that a live device has acknowledged for it; 0 if any has acknowledged none}.

	A device may acknowledge one entity type by itself. A later acknowledgement of all of them counts for that one too.
	"""
	silence = frappe.get_cached_doc("Sync Settings").device_silence_days or 90
	rows = frappe.db.sql(
		"""SELECT t.entity_type, MIN(CASE
			WHEN own.modified < rest.modified THEN GREATEST(own.acknowledged, rest.acknowledged)
			ELSE COALESCE(own.acknowledged, rest.acknowledged, 0) END)
		FROM (SELECT DISTINCT entity_type FROM `tabSync Record` WHERE space = %(space)s AND deleted_at IS NOT NULL) t
		JOIN `tabSync Space Member` m ON m.space = %(space)s AND m.status = 'active'
		JOIN `tabSync Device` d ON d.user = m.user AND d.status = 'Active' AND d.last_seen > %(since)s
		LEFT JOIN `tabSync Device Position` rest
			ON rest.device = d.name AND rest.space = %(space)s AND rest.entity_type IS NULL
		LEFT JOIN `tabSync Device Position` own
			ON own.device = d.name AND own.space = %(space)s AND own.entity_type = t.entity_type
		GROUP BY t.entity_type""",
		{"space": space, "since": clock.now() - timedelta(days=silence)},
	)
	return {name: int(oldest) for name, oldest in rows}


def _raise(space: str, horizons: Mapping[str, int]) -> None:
	"""Raise the space's horizons, before the tombstones are removed, and commit."""
	sequence, horizons_text = sql.select(
		"Sync Space", ["sequence", "horizons"], "name = %s", (space,), "FOR UPDATE"
	)[0]
	present = json.loads(horizons_text or "{}")
	raised = {name: max(present.get(name, 0), min(limit, sequence)) for name, limit in horizons.items()}
	sql.update_in("Sync Space", {"horizons": json.dumps({**present, **raised}, sort_keys=True)}, [space])
	frappe.db.commit()


def _retention_position(space: str) -> int:
	days = frappe.get_cached_doc("Sync Settings").tombstone_retention_days or 180
	rows = sql.select(
		"Sync Record",
		["MAX(sequence)"],
		"space = %s AND deleted_at < %s",
		(space, clock.now() - timedelta(days=days)),
	)
	return rows[0][0] or 0


def _remove(space: str, after: int, horizons: Mapping[str, int]) -> tuple[int, int | None]:
	"""Remove the tombstones of the next chunk, with documents and versions; (how many, the position it ends at or None)."""
	rows = sql.select(
		"Sync Record",
		["entity_type", "document_name", "name", "sequence"],
		"space = %s AND deleted_at IS NOT NULL AND sequence > %s AND sequence <= %s AND entity_type IN %s",
		(space, after, max(horizons.values()), tuple(horizons)),
		f"ORDER BY sequence LIMIT {CHUNK}",
	)
	if not rows:
		return 0, None
	kept = _still_linked(space, rows)
	gone = [row for row in rows if row[3] <= horizons[row[0]] and row[:2] not in kept]
	_remove_rows(gone)
	return len(gone), rows[-1][3]


def _remove_rows(rows: Sequence[tuple[Any, ...]]) -> None:
	names = tuple(row[2] for row in rows)
	if not names:
		return
	_remove_documents(rows)
	frappe.db.sql("DELETE FROM `tabSync Version` WHERE record IN %s", (names,))
	frappe.db.sql("DELETE FROM `tabSync Record` WHERE name IN %s AND deleted_at IS NOT NULL", (names,))
	frappe.db.commit()


def _remove_documents(rows: Sequence[tuple[Any, ...]]) -> None:
	"""Documents that a push deleted are still in their tables, marked `is_deleted`."""
	by_name = entity_types.registry().by_name
	by_type: dict[str, list[str]] = {}
	for entity_type, document_name, *_ in rows:
		by_type.setdefault(entity_type, []).append(document_name)
	for entity_type, names in by_type.items():
		entity = by_name.get(entity_type)
		if entity and "is_deleted" in entity.stamps:
			frappe.db.delete(entity.doctype, {"name": ["in", names], "is_deleted": 1})


def clear_log(doctype: str, days: int, where: str = "1 = 1") -> None:
	"""Remove rows of a log table that are older than `days`, chunk by chunk.

	Rows stay at least as long as a device may be silent, because the ledger makes its repeats harmless. An error is kept for
	Sync Health, so that Frappe goes on with the next log.
	"""
	background.each("logs", "log", [doctype], lambda _: _clear(doctype, days, where))


def _clear(doctype: str, days: int, where: str) -> None:
	settings = frappe.get_cached_doc("Sync Settings")
	limit = clock.now() - timedelta(days=max(int(days), settings.device_silence_days or 90))
	tail = f"ORDER BY creation LIMIT {CHUNK}"
	while rows := sql.select(doctype, ["name"], f"creation < %s AND {where}", (limit,), tail):
		frappe.db.delete(doctype, {"name": ["in", [row[0] for row in rows]]})
		frappe.db.commit()


def _still_linked(space: str, rows: Iterable[tuple[Any, ...]]) -> set[tuple[str, str]]:
	"""{(entity type, document name)} of those rows `(entity type, document name, ...)` that a live document links to.

	Their tombstones stay, because Frappe saves no document whose links lead nowhere.
	"""
	space_type, key = frappe.db.get_value("Sync Space", space, ["space_type", "space_key"])
	by_type: dict[str, list[str]] = {}
	found: set[tuple[str, str]] = set()
	for entity_type, document_name, *_ in rows:
		by_type.setdefault(entity_type, []).append(document_name)
	for entity_type, names in by_type.items():
		for query in _link_queries(entity_type, space_type):
			found.update((entity_type, name) for (name,) in frappe.db.sql(query, (tuple(names), key)))
	return found


def _link_queries(entity_type: str, space_type: str) -> list[str]:
	"""A select for each link to documents that pushes mark as deleted. Frappe itself checks links to those that it deletes."""
	registry = entity_types.registry()
	target = registry.by_name.get(entity_type)
	if target is None or "is_deleted" not in target.stamps:
		return []
	others = [entity for entity in registry.of_space_type(space_type) if _is_marked(entity)]
	return [
		_link_query(other, *source) for other in others for source in _link_sources(other, target.doctype)
	]


def _is_marked(entity: EntityType) -> bool:
	return "is_deleted" in entity.stamps and bool(entity.key_field)


def _link_sources(entity: EntityType, doctype: str) -> list[tuple[str, str]]:
	"""[(column, join)] of the links of an entity type, and of its child tables, to a DocType."""
	own = [(f"t.{sql.quote(name)}", "") for name, target in entity.links.items() if target == doctype]
	for table in entity.tables:
		join = f"JOIN {sql.quote('tab' + table.options)} c ON c.parent = t.name"
		fields = frappe.get_meta(table.options).get_link_fields()
		own += [(f"c.{sql.quote(df.fieldname)}", join) for df in fields if df.options == doctype]
	return own


def _link_query(entity: EntityType, column: str, join: str) -> str:
	return (
		f"SELECT DISTINCT {column} FROM {sql.quote(entity.table)} t {join} "  # noqa: S608
		f"WHERE {column} IN %s AND t.is_deleted = 0 AND t.{sql.quote(entity.key_field)} = %s"
	)
