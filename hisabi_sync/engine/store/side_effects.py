"""What a save of Frappe's does beside writing the row, for rows that are written by SQL: Versions, caches, open forms and lists."""

import json
from typing import Any

import frappe
from frappe.model.naming import is_autoincremented

from hisabi_sync import compat
from hisabi_sync.engine.model import column_values, ids
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model.change import Stored
from hisabi_sync.engine.model.entity_type import EntityType

VERSION_COLUMNS = ("name", "creation", "modified", "owner", "modified_by", "ref_doctype", "docname", "data")


def refresh_form(doctype: str, name: str, lists: bool = True) -> None:
	"""After the commit: the form of a row, and unless many are under way also the lists."""
	row = {"doctype": doctype, "name": name, "modified": str(frappe.utils.now())}
	frappe.publish_realtime("doc_update", row, doctype=doctype, docname=name, after_commit=True)
	if lists:
		refresh_lists(doctype, name)


def refresh_lists(doctype: str, name: str = "") -> None:
	"""After the commit: every list of the DocType."""
	frappe.publish_realtime(
		"list_update",
		{"doctype": doctype, "name": name, "user": frappe.session.user},
		doctype=doctype,
		after_commit=True,
	)


def forget_cached(documents: list[tuple[str, str | None]]) -> None:
	"""Take `[(DocType, name)]` out of Frappe's cache of documents once they are committed."""
	if documents:
		frappe.db.after_commit.add(lambda: compat.forget_documents(documents))


def write_versions(updated: list[tuple[EntityType, Stored]], user: str, now: object) -> None:
	"""A Version for each `(EntityType, Stored)` whose DocType tracks changes; one statement, none without any."""
	rows = []
	for entity, stored in updated:
		changed = _changed(entity, stored) if entity.tracked else None
		if changed:
			data = json.dumps(changed, ensure_ascii=False, separators=(",", ":"), default=str)
			rows.append((ids.new(), now, now, user, user, entity.doctype, stored.document_name, data))
	if rows:
		_insert_versions(rows)


def _insert_versions(rows: list[tuple[Any, ...]]) -> None:
	"""On newer sites the names of Versions are numbers of a sequence, on older ones texts."""
	numbered = is_autoincremented("Version")
	name = "NEXTVAL(`version_id_seq`)" if numbered else "%s"
	mark = f"({', '.join([name, *['%s'] * (len(VERSION_COLUMNS) - 1)])})"
	values = [value for row in rows for value in (row[1:] if numbered else row)]
	head = f"INSERT INTO `tabVersion` ({', '.join(VERSION_COLUMNS)}) VALUES "  # noqa: S608
	frappe.db.sql(head + ", ".join([mark] * len(rows)), values)


def _changed(entity: EntityType, stored: Stored) -> dict[str, Any] | None:
	"""What Frappe's own Version says of a change, in the values of columns; None when nothing changed in the end."""
	before = {}
	for past in reversed(stored.history):
		if past.version > stored.loaded_version:
			before.update(past.before)
	pairs = [
		[name, _shown(entity.fields[name], old), _shown(entity.fields[name], stored.values.get(name))]
		for name, old in before.items()
		if name in entity.fields
	]
	changed = [pair for pair in pairs if pair[1] != pair[2]]
	return {"changed": changed, "added": [], "removed": [], "row_changed": []} if changed else None


def _shown(field: kinds.Field, value: object) -> object:
	shown = column_values.for_column(field, value)
	return shown if shown is None or isinstance(shown, str | int) else str(shown)
