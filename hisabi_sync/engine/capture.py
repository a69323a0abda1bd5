"""Changes made outside of a push: the Desk, REST, imports, jobs, other apps. Hooks number them like any other."""

from contextlib import contextmanager

import frappe

from hisabi_sync.engine import apply, clock, derive, ids, jobs, load, spaces, sql, write
from hisabi_sync.engine.change import Caller, Stored
from hisabi_sync.engine.entities import registry


@contextmanager
def as_caller(caller, change=None, stored=None):
	"""While a push saves a document: who it is and which record the document stands for."""
	previous = getattr(frappe.local, "hisabi_sync_push", None)
	frappe.local.hisabi_sync_push = (caller, change, stored)
	try:
		yield
	finally:
		frappe.local.hisabi_sync_push = previous


def _push():
	return getattr(frappe.local, "hisabi_sync_push", None) or (None, None, None)


def pushed():
	"""(Caller, Change) of the push that is saving a document right now, or (None, None)."""
	return _push()[:2]


def on_change(doc, method=None):
	"""Hook: a document was inserted, saved, submitted, cancelled, or set in the database with `db_set`."""
	entity = registry().by_doctype.get(doc.doctype)
	_follow_paths(doc)
	if entity is None or doc.flags.in_delete or doc.meta.issingle:
		return
	if "is_deleted" in entity.stamps and doc.get("is_deleted"):
		return  # its tombstone stands
	space = spaces.of_document(doc, entity)
	known = _records(entity, doc.name)
	for stored, held_space in known:
		if stored.live and held_space != space:
			leave(stored, entity, held_space)
	if space:
		_record(doc, entity, space, next((s for s, held in known if held == space), None))


def _follow_paths(doc):
	"""Documents whose space is found through this one move along when it moves."""
	for field, entity_types in registry().on_paths.get(doc.doctype, {}).items():
		if doc.get_doc_before_save() and doc.has_value_changed(field):
			for entity_type in entity_types:
				jobs.reconcile(entity_type)


def on_trash(doc, method=None):
	"""Hook: a document is about to go. Who deletes it may have loaded it before others changed it."""
	entity = registry().by_doctype.get(doc.doctype)
	if entity and _records(entity, doc.name):
		doc.flags.hisabi_sync_last = load.documents(entity, [doc.name], lock=True).get(doc.name)


def after_delete(doc, method=None):
	"""Hook: a document is gone."""
	entity = registry().by_doctype.get(doc.doctype)
	if entity is None:
		return
	for stored, space in _records(entity, doc.name):
		stored.document_name = None  # the name is free for another document now
		if stored.live:
			leave(stored, entity, space, doc.flags.hisabi_sync_last or entity.canonical(doc))


def before_rename(doc, method=None, old=None, new=None, merge=False):
	"""Hook: a document is about to go into another one. Afterwards the records of both name the one that stays."""
	entity = registry().by_doctype.get(doc.doctype)
	if entity and merge:
		frappe.local.hisabi_sync_merged = {stored.name for stored, _ in _records(entity, old)}


def after_rename(doc, method=None, old=None, new=None, merge=False):
	"""Hook: the record keeps its client id under the document's new name; a merged one is gone."""
	entity = registry().by_doctype.get(doc.doctype)
	if entity is None or not old:
		return
	# Frappe has renamed the record's link by now, unless it is an older version that renames later.
	records = _records(entity, old) or _records(entity, new)
	if merge:
		_leave_merged(records, entity)
		return
	for stored, space in records:
		stored.document_name = new
		stored.values = load.documents(entity, [new]).get(new, {})
		stored.doc_version += 1
		stored.modified = clock.now()
		_write(stored, entity, space)


def _leave_merged(records, entity):
	"""Tombstones for the merged document; what pointed to it points to another record now, which no hook saw."""
	merged = getattr(frappe.local, "hisabi_sync_merged", ())
	for stored, space in records:
		if stored.name in merged:
			stored.document_name = None
			leave(stored, entity, space)
	for other in registry().by_name.values():
		if entity.doctype in other.targets:
			jobs.reconcile(other.name)


def tombstone(stored, entity, caller):
	"""Delete a record whose document stays in its table with `is_deleted`."""
	leave(stored, entity, caller.space)
	write.stamp_document(stored, entity, caller.user)


def set_space(doc, entity):
	"""Put a new document of a push into the caller's space; paths of links are left to what the device sent."""
	caller, _, _ = _push()
	if caller and "." not in entity.space_path and entity.space_path != "name":
		doc.set(entity.space_path, caller.space_key)


def _records(entity, name):
	"""[(Stored, space)] of a document, locked, without values."""
	rows = sql.select(
		"Sync Record", ["name", "space"], "document_type = %s AND document_name = %s", (entity.doctype, name)
	)
	held = dict(rows)
	return [(stored, held[key]) for key, stored in load.records(held, lock=True).items()]


def _record(doc, entity, space, stored):
	after, before, now = entity.canonical(doc), None, clock.now()
	if stored is None:
		stored = _new_record(doc, entity, space)
	if not stored.live:
		enter(stored, after, now)
	else:
		before = stored.values = _before(doc, entity, after)
		_, change, _ = _push()
		if not apply.update(stored, after, entity, now, change.client_time if change else None):
			return
	_write(stored, entity, space, before, after)
	doc.flags.hisabi_sync_seen = (doc.get_doc_before_save(), stored.values)
	_show_on(doc, stored, entity)
	_tell_push(stored)


def _show_on(doc, stored, entity):
	"""Set the engine's columns in the table, and those and the computed fields on the document at hand."""
	stamps = write.stamp_document(stored, entity, frappe.session.user)
	computed = {name: stored.values[name] for name in entity.computed}
	for name, value in {**stamps, **computed}.items():
		doc.set(name, value)


def enter(stored, values, now):
	"""A document comes into the space, for the first time or again."""
	stored.values = values
	stored.doc_version += 1
	stored.content_version = stored.doc_version
	stored.field_versions = dict.fromkeys(values, stored.doc_version) if stored.doc_version > 1 else {}
	stored.deleted_at, stored.modified = None, now


def leave(stored, entity, space, values=None):
	"""The record's tombstone in a space; `values` is what it held, as far as that is known."""
	apply.delete(stored, clock.now())
	_write(stored, entity, space, values, None)
	_tell_push(stored)


def _before(doc, entity, after):
	"""Values before this change. A `db_set` after a save still carries what was there before that save."""
	previous = doc.get_doc_before_save()
	seen = doc.flags.hisabi_sync_seen
	if seen and seen[0] is previous:
		return seen[1]
	return entity.canonical(previous) if previous else after


def _new_record(doc, entity, space):
	"""The record that a document gets: the pushed one, or that of its client id, which may be a tombstone."""
	_, change, pushed = _push()
	if change and pushed and not pushed.exists and pushed.entity_type == entity.name:
		return Stored(pushed.name, entity.name, pushed.client_id, doc.name)
	given = doc.get(entity.client_id_field) if entity.client_id_field else None
	return records_for(entity, space, {doc.name: given})[doc.name]


def records_for(entity, space, client_ids):
	"""{document name: record} for documents that have none, from {document name: client id or None}; one statement.

	The client id is the given one or the name; a tombstone of that client id is taken up again.
	"""
	chosen = {
		name: next((c for c in (given, name) if ids.is_client_id(c)), ids.digest(name))
		for name, given in client_ids.items()
	}
	names = {name: ids.record(space, entity.name, client_id) for name, client_id in chosen.items()}
	held = load.records(names.values(), lock=True)
	found = {}
	for name, client_id in chosen.items():
		found[name] = held.get(names[name]) or Stored(names[name], entity.name, client_id)
		found[name].document_name = name
	return found


def _write(stored, entity, space, before=None, after=None):
	"""Write the record, and what follows from it unless a push is going to do that for its whole batch."""
	pushing, _, _ = _push()
	caller = pushing or _system_caller(space, entity)
	writer = write.Writer(caller, registry(), stored.modified)
	if pushing is None and (before is not None or after is not None):
		effect = derive.Effect(entity.name, stored.document_name, before, after)
		derive.run([effect], derive.Access(writer, {stored.name: stored}))
	writer.touched.setdefault(stored.name, stored)
	writer.finish()


def _system_caller(space, entity):
	key = frappe.db.get_value("Sync Space", space, "space_key")
	return Caller(frappe.session.user, space, "owner", space_type=entity.space_type, space_key=key or "")


def _tell_push(stored):
	"""Let the push that saved this document go on with the record as it is now."""
	_, _, pushed = _push()
	if pushed is not None and pushed.name == stored.name:
		for name in Stored.__slots__:
			setattr(pushed, name, getattr(stored, name))
