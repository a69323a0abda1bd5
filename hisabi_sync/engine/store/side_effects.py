"""What Frappe's own save does besides writing the row, for rows that the engine writes by SQL.

Open forms and lists are refreshed, Frappe's cache forgets the document, and a Version keeps the change.
"""

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
	"""After the commit, refresh open forms of a row. With many rows, leave `lists` out and call `refresh_lists` once."""
	row = {"doctype": doctype, "name": name, "modified": str(frappe.utils.now())}
	frappe.publish_realtime("doc_update", row, doctype=doctype, docname=name, after_commit=True)
	if lists:
		refresh_lists(doctype, name)


def refresh_lists(doctype: str, name: str = "") -> None:
	"""After the commit, refresh open lists of the DocType."""
	frappe.publish_realtime(
		"list_update",
		{"doctype": doctype, "name": name, "user": frappe.session.user},
		doctype=doctype,
		after_commit=True,
	)


def forget_cached(documents: list[tuple[str, str | None]]) -> None:
	"""After the commit, remove `[(DocType, name)]` from Frappe's cache of documents."""
	if documents:
		frappe.db.after_commit.add(lambda: compat.forget_documents(documents))


def write_versions(updated: list[tuple[EntityType, Stored]], user: str, now: object) -> None:
	"""Write a Version for each `(EntityType, Stored)` whose DocType tracks changes; one statement for all."""
	rows = []
	for entity, stored in updated:
		changed = _changed(entity, stored) if entity.tracked else None
		if changed:
			data = json.dumps(changed, ensure_ascii=False, separators=(",", ":"), default=str)
			rows.append((ids.new(), now, now, user, user, entity.doctype, stored.document_name, data))
	if rows:
		_insert_versions(rows)


def _insert_versions(rows: list[tuple[Any, ...]]) -> None:
	"""Names of Versions are numbers of a sequence on newer sites, and texts on older ones."""
	numbered = is_autoincremented("Version")
	name = "NEXTVAL(`version_id_seq`)" if numbered else "%s"
	mark = f"({', '.join([name, *['%s'] * (len(VERSION_COLUMNS) - 1)])})"
	values = [value for row in rows for value in (row[1:] if numbered else row)]
	head = f"INSERT INTO `tabVersion` ({', '.join(VERSION_COLUMNS)}) VALUES "  # noqa: S608
	frappe.db.sql(head + ", ".join([mark] * len(rows)), values)


def _changed(entity: EntityType, stored: Stored) -> dict[str, Any] | None:
	"""The data of a Version in Frappe's format, with values as in columns; None if no value differs in the end."""
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
