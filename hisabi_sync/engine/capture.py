"""Changes made outside of a push: by the Desk, REST, imports, jobs and other apps. Hooks give them versions and numbers.

The hooks also run for the documents that a push saves one by one; `push_context` tells them which push that is.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine import derive, following, gathering, moving, new_records, push_context, waiting
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, files, ids, versions
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import item_message
from hisabi_sync.engine.sharing import spaces, whereabouts
from hisabi_sync.engine.store import load, second_readings, write


class HeldFirst:
	"""Base of the class of a DocType from which values are derived: locks what they need before Frappe locks the document.

	Frappe has no hook before that lock. Name this class before `Document`.
	"""

	def load_doc_before_save(self, *args: Any, **kwargs: Any) -> Any:
		"""Frappe's step that locks the document, after our locks."""
		hold(self)
		return super().load_doc_before_save(*args, **kwargs)  # type: ignore[misc]  # `Document` comes behind this class


def hold(doc: Document, method: str | None = None) -> None:
	"""Hook before a document is inserted, deleted or renamed: lock what derived values need, as a push does."""
	entity = registry().by_doctype.get(doc.doctype)
	if entity is None or push_context.caller() or not derive.holds(entity.space_type):
		return
	if entity.space_path == "name" and doc.is_new():
		return  # nobody else is in a space that is being made
	own_keys = whereabouts.keys_of(entity, [doc.name] if doc.name else [])
	keys = {*own_keys.values(), whereabouts.key_of(doc, entity)}
	for key in sorted(filter(None, keys)):
		space = ids.space(entity.space_type, key)
		derive.hold(Caller.of_system(frappe.session.user, space, entity.space_type, key), {entity.name})


def on_change(doc: Document, method: str | None = None) -> None:
	"""Hook: a document was inserted, saved, submitted, cancelled, or set in the database with `db_set`."""
	entity = registry().by_doctype.get(doc.doctype)
	following.note(doc, push_context.caller())
	if entity is None or doc.flags.in_delete or doc.meta.issingle:
		return
	if "is_deleted" in entity.stamps and doc.get("is_deleted"):
		return  # its tombstone stands
	if not push_context.is_pushed(doc, entity) and _is_left(doc, entity):
		return
	gathering.release(doc, entity)
	space, records = _place(doc, entity)
	space = push_context.beginning(doc, entity, space)
	left = [(stored, own_space) for stored, own_space in records if stored.live and own_space != space]
	moved = replace(left[-1][0]) if left else None
	for stored, own_space in left:
		leave(stored, entity, own_space)
	if space:
		_record(doc, entity, space, records, moved)


def _place(doc: Document, entity: EntityType) -> tuple[str | None, list[tuple[Stored, str]]]:
	"""(the space where a document lies, its [(Stored, space)], locked). What leads to a space is locked before records."""
	if entity.leads_through:
		names = record_names(entity, doc.name)
		space = whereabouts.of_document(doc, entity, names.values())
		return space, _locked(names)
	records = load.records_of_document(entity, doc.name)
	return whereabouts.of_document(doc, entity, [own_space for _, own_space in records]), records


def _is_left(doc: Document, entity: EntityType) -> bool:
	"""Whether the document is numbered later: by a job, or with others of its transaction."""
	if entity.by_job:
		waiting.leave(entity.name, str(doc.name))
		return True
	return push_context.caller() is None and gathering.takes(doc, entity)


def on_trash(doc: Document, method: str | None = None) -> None:
	"""Hook: a document is about to be deleted. Read it again: it may have changed since it was loaded."""
	entity = registry().by_doctype.get(doc.doctype)
	hold(doc)
	gathering.flush()
	if entity and record_names(entity, doc.name):
		doc.flags.hisabi_sync_last = load.documents(entity, [doc.name], lock=True).get(str(doc.name))


def after_delete(doc: Document, method: str | None = None) -> None:
	"""Hook: a document was deleted. Its record becomes a tombstone."""
	entity = registry().by_doctype.get(doc.doctype)
	following.note_deleted(doc, push_context.caller())
	if entity is None:
		return
	for stored, space in records_of(entity, doc.name):
		stored.document_name = None  # the name is free for another document now
		new_records.remember(doc, space, stored.client_id)
		if stored.live:
			last = doc.flags.hisabi_sync_last or entity.canonical(doc)
			leave(stored, entity, space, last, str(doc.name))


def tombstone(stored: Stored, entity: EntityType, caller: Caller) -> None:
	"""Delete a record whose document stays in its table with `is_deleted`."""
	leave(stored, entity, caller.space)
	write.stamp_document(stored, entity, caller.user)


def record_names(entity: EntityType, name: object) -> dict[str, str]:
	"""{Sync Record: space} of a document, not locked. Those of an earlier entity type of the DocType are not its any more."""
	where = "document_type = %s AND document_name = %s AND entity_type = %s"
	values = (entity.doctype, str(name), entity.name)
	return dict(sql.select("Sync Record", ["name", "space"], where, values))


def records_of(entity: EntityType, name: object) -> list[tuple[Stored, str]]:
	"""[(Stored, space)] of a document, locked, without values."""
	return load.records_of_document(entity, name)


def _locked(spaces: Mapping[str, str]) -> list[tuple[Stored, str]]:
	"""[(Stored, space)] of {Sync Record: space}."""
	return [(stored, spaces[key]) for key, stored in load.records(spaces, lock=True).items()]


def _record(
	doc: Document, entity: EntityType, space: str, records: list[tuple[Stored, str]], moved: Stored | None
) -> None:
	"""The record's next version in its space; `moved` is the record that it had in another one."""
	stored = next((s for s, own_space in records if own_space == space), None)
	after, before, now = _after(doc, entity, records), None, clock.now()
	if (
		not (stored or moved)
		and _is_plain(doc, entity)
		and new_records.begin_at_once(doc, entity, space, after)
	):
		return
	if moved and not (stored and stored.live):
		stored = moving.take_along(entity, space, {str(doc.name): moved}, now)[str(doc.name)]
		before = _before(doc, entity, after, stored)
		moving.next_version(stored, before, after, entity, now)
	elif stored is None or not stored.live:
		stored = stored or _new_record(doc, entity, space)
		versions.begin(stored, after, now)
	else:
		before = stored.values = _before(doc, entity, after, stored)
		caller, change, _ = push_context.current()
		at, device = (change.client_time, caller.device) if change and caller else (None, None)
		if not versions.update(stored, after, entity, now, at, device=device):
			return
	_check_files(doc, stored, entity, space, before)
	write_record(stored, entity, space, before, after)
	doc.flags.hisabi_sync_seen = (doc.get_doc_before_save(), stored.values)
	_show_on(doc, stored, entity)
	push_context.tell(stored)


def _is_plain(doc: Document, entity: EntityType) -> bool:
	"""Whether a document is being inserted, by no push, and nothing depends on its record before the commit."""
	return bool(doc.flags.in_insert) and not push_context.caller() and gathering.may_wait(doc, entity)


def _check_files(
	doc: Document, stored: Stored, entity: EntityType, space: str, before: dict[str, Any] | None
) -> None:
	"""Refuse uploads that the person may not see. A push has checked its own; code that ignores permissions may name any."""
	if not entity.acting or doc.flags.ignore_permissions or push_context.caller() or _is_restored(stored):
		return
	previous, caller = doc.get_doc_before_save(), _system_caller(space, entity)
	earlier = before or (entity.canonical(previous) if previous else {})
	if wrong := files.newly_refused(stored.values, earlier, entity.acting, stored.name, caller):
		frappe.throw(item_message("file_not_allowed", wrong))


def _is_restored(stored: Stored) -> bool:
	"""Whether a deleted document is restored by a user who may read all deleted documents."""
	return stored.began == stored.doc_version > 1 and frappe.has_permission("Deleted Document", "read")


def _show_on(doc: Document, stored: Stored, entity: EntityType) -> None:
	"""Set the engine's columns in the table, and those and the computed fields on the document at hand."""
	stamps = write.stamp_document(stored, entity, frappe.session.user)
	computed = {name: stored.values[name] for name in entity.computed}
	for name, value in {**stamps, **computed}.items():
		doc.set(name, value)


def leave(
	stored: Stored,
	entity: EntityType,
	space: str,
	values: dict[str, Any] | None = None,
	name: str | None = None,
) -> None:
	"""Make the record a tombstone in a space. `values` are those it had, `name` is that of its document, if known."""
	versions.delete(stored, clock.now())
	write_record(stored, entity, space, values, None, name)
	push_context.tell(stored)


def _after(doc: Document, entity: EntityType, records: list[tuple[Stored, str]]) -> dict[str, Any]:
	"""Values of the document as it is saved. Times that a push did not set keep their reading (see `store.second_readings`)."""
	values = entity.canonical(doc)
	for stored, _ in records:
		second_readings.restore(values, entity, stored.second_readings, doc.flags.hisabi_sync_set or ())
	return values


def _before(doc: Document, entity: EntityType, after: dict[str, Any], stored: Stored) -> dict[str, Any]:
	"""Values before this change. In a `db_set` after a save, Frappe still has the document of before that save."""
	previous, gathered = doc.get_doc_before_save(), gathering.known_values(doc)
	if gathered is not None:
		return gathered
	if previous is None:
		return after
	values = entity.canonical(previous)
	second_readings.restore(values, entity, stored.second_readings)
	return values


def _new_record(doc: Document, entity: EntityType, space: str) -> Stored:
	"""The record for a document that has none: that of the push, or that of its client id."""
	pushed = push_context.current().stored
	if pushed and not pushed.live and doc.flags.hisabi_sync_made:
		return replace(pushed, document_name=str(doc.name))
	return new_records.for_document(doc, entity, space)


def write_record(
	stored: Stored,
	entity: EntityType,
	space: str,
	before: dict[str, Any] | None = None,
	after: dict[str, Any] | None = None,
	name: str | None = None,
) -> None:
	"""Write the record and the values derived from it; a push derives values once for its whole batch."""
	pushing = push_context.caller()
	if pushing and pushing.space != space:
		pushing = None  # it came along with a change in another space
	caller = pushing or _system_caller(space, entity)
	writer = write.Writer(caller, registry(), stored.modified)
	document = name or stored.document_name
	if pushing is None and document and (before is not None or after is not None):
		effect = derive.Effect(entity.name, document, before, after)
		derive.run([effect], derive.Access(writer, {stored.name: stored}))
	writer.touched.setdefault(stored.name, stored)
	writer.finish()


def _system_caller(space: str, entity: EntityType) -> Caller:
	return Caller.of_system(frappe.session.user, space, entity.space_type, spaces.key_by_name(space))
