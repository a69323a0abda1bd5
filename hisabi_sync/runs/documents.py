"""Our documents, many at a time: their rows and those of the child tables that a mapping reads."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine import document as documents
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import fields, texts
from hisabi_sync.engine.model.errors import ItemError

if TYPE_CHECKING:
	from hisabi_sync.runs.channel import Channel

MAX_SAID = 300


def load(channel: "Channel", names: Collection[str]) -> dict[str, frappe._dict]:
	"""{name: document as a dict} in one statement, and one for each child table that the mapping has."""
	if not names:
		return {}
	rows = _select(channel.document_type, "name IN %s", (tuple(names),))
	found = {row.name: row for row in rows}
	for row in channel.mapping:
		if row.rows and row.local:
			_add_children(channel.document_type, row.local, found)
	return found


def _add_children(doctype: str, fieldname: str, found: Mapping[str, frappe._dict]) -> None:
	df = frappe.get_meta(doctype).get_field(fieldname)
	for document in found.values():
		document[fieldname] = []
	if df is None or df.fieldtype not in ("Table", "Table MultiSelect") or not found:
		return
	where = "parenttype = %s AND parentfield = %s AND parent IN %s ORDER BY parent, idx"
	for child in _select(df.options, where, (doctype, fieldname, tuple(found))):
		if child.parent in found:
			found[child.parent][fieldname].append(child)


def _select(doctype: str, where: str, values: tuple[Any, ...]) -> list[frappe._dict]:
	rows = frappe.db.sql(
		f"SELECT * FROM {sql.quote('tab' + doctype)} WHERE {where}",  # noqa: S608
		values,
		as_dict=True,
	)
	names = [df.fieldname for df in frappe.get_meta(doctype).fields if fields.is_text(df.fieldtype)]
	for row in rows:
		row.update({name: texts.decode(row[name]) for name in names if isinstance(row.get(name), str)})
	return rows


def as_stored(doctype: str, values: Mapping[str, Any]) -> dict[str, Any]:
	"""Values of the other side as the columns of our document hold them: texts that no page runs, and clean HTML.

	Raises ItemError where a page would run a value.
	"""
	meta = frappe.get_meta(doctype)
	by_name = {df.fieldname: df for df in meta.fields if df.fieldtype in fields.KINDS}
	title = meta.get_title_field()
	return {name: _as_stored(by_name.get(name), value, name == title) for name, value in values.items()}


def _as_stored(df: Document | None, value: Any, is_title: bool) -> Any:
	if df is not None and df.fieldtype in frappe.model.table_fields and isinstance(value, list):
		return [as_stored(df.options, row) if isinstance(row, dict) else row for row in value]
	if df is None or not isinstance(value, str):
		return value
	if fields.refuses(df.fieldname, df.fieldtype, df.options or "", value):
		raise ItemError("invalid_value", [df.fieldname])
	return fields.stored_text(df.fieldtype, value, is_title)


def stamp(document: Mapping[str, Any]) -> str:
	"""The version of a document as the text that the database makes of it."""
	return document["modified"].isoformat(sep=" ", timespec="microseconds")


def said(error: Exception) -> str:
	"""What a refusal of a document says, without markup."""
	text = documents.said(error)
	frappe.clear_messages()
	return text[:MAX_SAID]
