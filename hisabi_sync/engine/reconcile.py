"""Finding what no hook saw: raw SQL, restored tables, documents that are older than their Sync Entity."""

import frappe

from hisabi_sync.engine import apply, capture, clock, ids, load, retry, spaces, sql, write
from hisabi_sync.engine.change import Caller, Stored
from hisabi_sync.engine.entities import registry

CHUNK = 500


def run(entity_type=None):
	"""Bring Sync Records in line with documents. Returns {"entered": n, "changed": n, "left": n}.

	Runs daily, when a Sync Entity is saved, and by `bench --site S hisabi-reconcile`. Chunks are transactions.
	"""
	counts = dict.fromkeys(("entered", "changed", "left"), 0)
	for entity in registry().by_name.values():
		if entity_type in (None, entity.name):
			_walk(entity, _documents, _compare, counts)
			_walk(entity, _live_records, _find_orphans, counts)
	return counts


def enqueue(entity_type):
	"""Have a worker reconcile one entity type after the commit."""
	frappe.enqueue(
		"hisabi_sync.engine.reconcile.run",
		queue="long",
		job_id=f"hisabi_sync_reconcile_{frappe.scrub(entity_type)}",
		deduplicate=True,
		enqueue_after_commit=True,
		entity_type=entity_type,
	)


def _walk(entity, read, work, counts):
	"""Go through all names in order, a chunk and a transaction at a time."""
	after = ""
	while True:
		names = read(entity, after)
		if not names:
			return
		for key, found in retry.run(lambda names=names: _committed(work, entity, names)).items():
			counts[key] += found
		after = names[-1]


def _committed(work, entity, names):
	found = work(entity, names)
	frappe.db.commit()
	return found


def _documents(entity, after):
	return _names(entity.doctype, "name > %s", (after,), "name")


def _live_records(entity, after):
	where = "name > %s AND entity_type = %s AND deleted_at IS NULL"
	return _names("Sync Record", where, (after, entity.name), "name")


def _names(doctype, where, values, column):
	rows = sql.select(doctype, [column], where, values, f"ORDER BY {column} LIMIT {CHUNK}")
	return [row[0] for row in rows]


def _compare(entity, names):
	"""Documents without a record get one; a record whose digest differs gets a version."""
	values = load.documents(entity, names, lock=True)
	keys = spaces.keys_of(entity, names)
	records = load.records_with_digest(entity, names)
	counts = {"entered": 0, "changed": 0}
	for space_key, members in _by_space(keys).items():
		space = spaces.ensure(entity.space_type, space_key)
		touched = [_bring_in_line(entity, space, name, values.get(name), records, counts) for name in members]
		caller = Caller(frappe.session.user, space, "owner")
		write.write_records([stored for stored in touched if stored], registry(), caller, clock.now())
	return counts


def _by_space(keys):
	grouped = {}
	for name, key in keys.items():
		grouped.setdefault(key, []).append(name)
	return dict(sorted(grouped.items()))


def _bring_in_line(entity, space, name, values, records, counts):
	"""The record to write for a document, or None when all is well."""
	if values is None or _is_deleted(entity, name, records, space):
		return None
	stored, digest = records.get((name, space), (None, None))
	if stored is None:
		counts["entered"] += 1
		return _enter(entity, space, name, values)
	if stored.live and digest == apply.digest(values, entity):
		return None
	counts["changed"] += 1
	stored.values = values
	stored.deleted_at = None
	apply.touch_unknown(stored, entity, clock.now())
	return stored


def _is_deleted(entity, name, records, space):
	"""A document that a push deleted stays in its table; its tombstone is right."""
	stored, _ = records.get((name, space), (None, None))
	return "is_deleted" in entity.stamps and stored is not None and not stored.live


def _enter(entity, space, name, values):
	client_id = values.get(entity.client_id_field) if entity.client_id_field else None
	client_id = next((c for c in (client_id, name) if ids.is_client_id(c)), ids.digest(name))
	stored = Stored(ids.record(space, entity.name, client_id), entity.name, client_id, name)
	apply.create(stored, {}, entity, clock.now())
	stored.values = values
	return stored


def _find_orphans(entity, names):
	"""Records whose document is gone, or belongs to another space now, become tombstones."""
	rows = sql.select_in("Sync Record", ["name", "document_name", "space"], "name", names)
	keys = spaces.keys_of(entity, [row[1] for row in rows])
	gone = [row for row in rows if row[1] not in keys or ids.space(entity.space_type, keys[row[1]]) != row[2]]
	stored = load.records([row[0] for row in gone], lock=True)
	for name, _, space in gone:
		capture.leave(stored[name], entity, space)
	return {"left": len(gone)}
