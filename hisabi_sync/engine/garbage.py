"""Removing what nobody needs any more: tombstones behind every device's position, and old log rows."""

from datetime import timedelta

import frappe

from hisabi_sync.engine import clock, linked, sql
from hisabi_sync.engine.entities import registry

CHUNK = 1000


def collect():
	"""Scheduled job: raise each space's horizon as far as its devices allow and remove the tombstones behind it."""
	for (space,) in frappe.db.sql("SELECT DISTINCT space FROM `tabSync Record` WHERE deleted_at IS NOT NULL"):
		collect_space(space)


def collect_space(space):
	"""Collect one space; returns how many tombstones went. Each chunk is a transaction of its own."""
	horizon = _horizon(space)
	if not horizon:
		return 0
	frappe.db.sql(
		"UPDATE `tabSync Space` SET horizon = GREATEST(horizon, LEAST(sequence, %s)) WHERE name = %s",
		(horizon, space),
	)
	frappe.db.commit()
	removed, position = 0, 0
	while position is not None:
		gone, position = _remove(space, position, horizon)
		removed += gone
	return removed


def _horizon(space):
	"""The position behind which tombstones may go: the oldest of the live devices, or that of the retention limit."""
	return max(_oldest_position(space), _retention_position(space))


def _oldest_position(space):
	"""The oldest position that a live device has acknowledged; 0 while any has acknowledged none."""
	silence = frappe.get_cached_doc("Sync Settings").device_silence_days or 90
	rows = frappe.db.sql(
		"""SELECT COUNT(*), MIN(COALESCE(p.acknowledged, 0)) FROM `tabSync Space Member` m
		JOIN `tabSync Device` d ON d.user = m.user AND d.status = 'Active' AND d.last_seen > %s
		LEFT JOIN `tabSync Device Position` p ON p.device = d.name AND p.space = m.space
		WHERE m.space = %s AND m.status = 'active'""",
		(clock.now() - timedelta(days=silence), space),
	)
	devices, oldest = rows[0]
	return int(oldest) if devices else 0


def _retention_position(space):
	days = frappe.get_cached_doc("Sync Settings").tombstone_retention_days or 180
	rows = sql.select(
		"Sync Record",
		["MAX(sequence)"],
		"space = %s AND deleted_at < %s",
		(space, clock.now() - timedelta(days=days)),
	)
	return rows[0][0] or 0


def _remove(space, after, horizon):
	"""Remove tombstones of the next chunk, with their documents and versions: (how many, the chunk's end or None)."""
	rows = sql.select(
		"Sync Record",
		["entity_type", "document_name", "name", "sequence"],
		"space = %s AND deleted_at IS NOT NULL AND sequence > %s AND sequence <= %s",
		(space, after, horizon),
		f"ORDER BY sequence LIMIT {CHUNK}",
	)
	if not rows:
		return 0, None
	kept = linked.to(space, rows)
	gone = [row for row in rows if row[:2] not in kept]
	_remove_rows(gone)
	return len(gone), rows[-1][3]


def _remove_rows(rows):
	names = tuple(row[2] for row in rows)
	if not names:
		return
	_remove_documents(rows)
	frappe.db.sql("DELETE FROM `tabSync Version` WHERE record IN %s", (names,))
	frappe.db.sql("DELETE FROM `tabSync Record` WHERE name IN %s AND deleted_at IS NOT NULL", (names,))
	frappe.db.commit()


def _remove_documents(rows):
	"""Documents that a push deleted are still in their tables, marked `is_deleted`."""
	known = registry().by_name
	by_type = {}
	for entity_type, document_name, *_ in rows:
		by_type.setdefault(entity_type, []).append(document_name)
	for entity_type, names in by_type.items():
		entity = known.get(entity_type)
		if entity and "is_deleted" in entity.stamps:
			frappe.db.delete(entity.doctype, {"name": ["in", names], "is_deleted": 1})


def clear_log(doctype, days, where="1 = 1"):
	"""Remove rows of a log table that are older than so many days, chunk by chunk.

	Never younger than a device may stay silent: the ledger is what makes its repeats harmless.
	"""
	settings = frappe.get_cached_doc("Sync Settings")
	limit = clock.now() - timedelta(days=max(int(days), settings.device_silence_days or 90))
	tail = f"ORDER BY creation LIMIT {CHUNK}"
	while rows := sql.select(doctype, ["name"], f"creation < %s AND {where}", (limit,), tail):
		frappe.db.delete(doctype, {"name": ["in", [row[0] for row in rows]]})
		frappe.db.commit()
