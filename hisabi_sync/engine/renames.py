"""Hooks of renaming and merging: the record of a renamed document, the documents that link to it, and renamed users.

Frappe changes the links by SQL, without an event for the documents that hold them.
"""

from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import capture, comparing, following, gathering, reconcile
from hisabi_sync.engine.database import background, sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.store import load, path_queries

AT_ONCE = reconcile.CHUNK


def before_rename(
	doc: Document, method: str | None = None, old: Any = None, new: Any = None, merge: bool = False
) -> None:
	"""Hook: note the records of a document that will be merged into another. Afterwards both records name the one that stays."""
	entity = entity_types.registry().by_doctype.get(doc.doctype)
	capture.hold(doc)
	gathering.flush()
	if entity and entity.by_job:
		comparing.compare(
			entity, [str(old), *([str(new)] if merge else [])]
		)  # what waits, under its present name
	if entity and merge:
		frappe.local.hisabi_sync_merged = set(capture.record_names(entity, old))


def rename_record(
	doc: Document, method: str | None = None, old: Any = None, new: Any = None, merge: bool = False
) -> None:
	"""Hook: the record of a renamed document keeps its client id; that of a merged document becomes a tombstone."""
	entity = entity_types.registry().by_doctype.get(doc.doctype)
	if entity is None or not old:
		return
	# Frappe renames the record's link before this hook, or after it in older versions.
	records = capture.records_of(entity, old) or capture.records_of(entity, new)
	if merge:
		_leave_merged(records, entity)
		return
	for stored, space in records:
		stored.document_name = str(new)
		stored.values = load.documents(entity, [new]).get(str(new), {})
		stored.doc_version += 1
		stored.modified = clock.now()
		capture.write_record(stored, entity, space)


def _leave_merged(records: Iterable[tuple[Stored, str]], entity: EntityType) -> None:
	"""Tombstones for the records of a merged document; each names the record of the one that stays, in its own space if there is one."""
	merged = getattr(frappe.local, "hisabi_sync_merged", ())
	records = list(records)
	staying = [(stored.name, space) for stored, space in records if stored.live and stored.name not in merged]
	for stored, space in records:
		if stored.name in merged:
			stored.document_name = None
			best = sorted(staying, key=lambda one: one[1] != space)
			stored.merged_into = best[0][0] if best else None
			capture.leave(stored, entity, space)


# --- what links to the document


def renumber_links(
	doc: Document, method: str | None = None, old: str = "", new: str = "", merge: bool = False
) -> None:
	"""Hook: give new versions to the documents that link to a renamed one; in this transaction if they are few, else by a job.

	Nothing is to be done for a synced document that was only renamed, because links to it keep its client id.
	"""
	registry = entity_types.registry()
	if old:  # the spaces of its old name are not theirs any more
		following.bring([(doc.doctype, str(new))], path_queries.entities_keyed_by)
	if not old or (doc.doctype in registry.by_doctype and not merge):
		return
	if merge and doc.doctype in registry.on_paths:
		following.bring([(doc.doctype, str(new))])
	for entity in registry.by_name.values():
		sources = _sources(entity, doc.doctype)
		if sources:
			_follow(entity, sources, doc.doctype, new)


def _follow(entity: EntityType, sources: list[tuple[Any, ...]], doctype: str, new: str) -> None:
	names = _names(entity, sources, doctype, new)
	if len(names) > AT_ONCE:
		background.enqueue_reconcile(entity.name)
		_say(entity)
	elif names:
		comparing.compare(entity, names, {field for field, *_ in sources})


def _say(entity: EntityType) -> None:
	said = _(
		"More than {0} documents link to it: a worker tells the devices, and the form of Sync Entity {1} how far that is"
	)
	frappe.msgprint(said.format(AT_ONCE, frappe.utils.escape_html(entity.name)), alert=True)


def _sources(entity: EntityType, doctype: str) -> list[tuple[Any, ...]]:
	"""[(field, DocType of the table, column, column that names the DocType or None, whether it is a row)]."""
	own = [(f.name, entity.doctype, f.name, f.options, False, f) for f in entity.columns]
	rows = [(t.name, t.options, c.name, c.options, True, c) for t in entity.tables for c in t.columns]
	found: list[tuple[Any, ...]] = []
	for field, table, column, options, is_row, kind in own + rows:
		if kind.fieldtype == "Dynamic Link":
			found.append((field, table, column, options, is_row))
		elif kind.fieldtype == "Link" and options == doctype:
			found.append((field, table, column, None, is_row))
	return found


def _names(entity: EntityType, sources: list[tuple[Any, ...]], doctype: str, new: str) -> list[str]:
	"""Documents that link to the new name, up to one more than AT_ONCE; one statement."""
	parts, values = [], []
	for _field, table, column, names_type, is_row in sources:
		where = f"{sql.quote(column)} = %s"
		values.append(new)
		if names_type:
			where += f" AND {sql.quote(names_type)} = %s"
			values.append(doctype)
		if is_row:
			where += " AND parenttype = %s"
			values.append(entity.doctype)
		parts.append(
			f"(SELECT {'parent' if is_row else 'name'} AS document FROM {sql.quote('tab' + table)} WHERE {where})"  # noqa: S608
		)
	query = f"SELECT DISTINCT document FROM ({' UNION ALL '.join(parts)}) found LIMIT {AT_ONCE + 1}"  # noqa: S608
	return sorted(str(row[0]) for row in frappe.db.sql(query, values))


# --- users


def rename_user(
	doc: Document, method: str | None = None, old: Any = None, new: Any = None, merge: bool = False
) -> None:
	"""Hook of User: rename memberships, and revoke devices. The names of both are computed from the name of the user."""
	for member in frappe.get_all(
		"Sync Space Member", filters={"user": ["in", [old, new]]}, fields=["name", "space"]
	):
		_move_membership(member.name, ids.member(member.space, new), new)
	frappe.db.set_value(
		"Sync Device", {"user": ["in", [old, new]]}, {"status": "Revoked", "revoked_reason": "user_renamed"}
	)


def _move_membership(name: str, target: str, user: str) -> None:
	"""Give a membership its new name. If the user was merged into a member of the space, that membership stays instead."""
	if name == target:
		return
	if frappe.db.exists("Sync Space Member", target):
		frappe.db.delete("Sync Space Member", {"name": name})
	else:
		frappe.db.sql(
			"UPDATE `tabSync Space Member` SET name = %s, user = %s WHERE name = %s", (target, user, name)
		)
