"""Finding what no hook saw: raw SQL, restored tables, documents that are older than their Sync Entity."""

import frappe

from hisabi_sync.engine import apply, capture, clock, ids, load, retry, spaces, sql, write
from hisabi_sync.engine.change import Caller
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
		known = {name: records.get((name, space)) for name in members if name in values}
		entered, changed = _entered(entity, space, known, values), _changed(entity, known, values)
		caller = Caller(frappe.session.user, space, "owner")
		write.write_records([*entered, *changed], registry(), caller, clock.now())
		counts["entered"] += len(entered)
		counts["changed"] += len(changed)
	return counts


def _by_space(keys):
	grouped = {}
	for name, key in keys.items():
		grouped.setdefault(key, []).append(name)
	return dict(sorted(grouped.items()))


def _entered(entity, space, known, values):
	"""Records for documents that have none in the space."""
	missing = [name for name, held in known.items() if held is None]
	entered = capture.records_for(entity, space, _client_ids(entity, missing)) if missing else {}
	for name, stored in entered.items():
		capture.enter(stored, values[name], clock.now())
	return list(entered.values())


def _client_ids(entity, names):
	if not entity.client_id_field:
		return dict.fromkeys(names)
	return dict(sql.select_in(entity.doctype, ["name", sql.quote(entity.client_id_field)], "name", names))


def _changed(entity, known, values):
	"""Records whose documents differ from what was numbered; the tombstone of a soft deleted one is right."""
	changed = []
	for name, (stored, digest) in ((n, held) for n, held in known.items() if held):
		soft = "is_deleted" in entity.stamps and not stored.live
		if soft or (stored.live and digest == apply.digest(values[name], entity)):
			continue
		stored.values, stored.deleted_at = values[name], None
		apply.touch_unknown(stored, entity, clock.now())
		changed.append(stored)
	return changed


def _find_orphans(entity, names):
	"""Records whose document is gone, or belongs to another space now, become tombstones."""
	rows = sql.select_in("Sync Record", ["name", "document_name", "space"], "name", names)
	keys = spaces.keys_of(entity, [row[1] for row in rows])
	gone = [row for row in rows if row[1] not in keys or ids.space(entity.space_type, keys[row[1]]) != row[2]]
	stored = load.records([row[0] for row in gone], lock=True)
	for name, _, space in gone:
		capture.leave(stored[name], entity, space)
	return {"left": len(gone)}
