"""Our documents, many at a time: their rows and those of the child tables that a mapping reads."""

import frappe

from hisabi_sync.engine import sql

MAX_SAID = 300


def load(channel, names):
	"""{name: document as a dict} in one statement, and one for each child table that the mapping has."""
	if not names:
		return {}
	rows = _select(channel.document_type, "name IN %s", (tuple(names),))
	found = {row.name: row for row in rows}
	for row in channel.mapping:
		if row.rows and row.local:
			_add_children(channel.document_type, row.local, found)
	return found


def _add_children(doctype, fieldname, found):
	df = frappe.get_meta(doctype).get_field(fieldname)
	for document in found.values():
		document[fieldname] = []
	if df is None or df.fieldtype not in ("Table", "Table MultiSelect") or not found:
		return
	where = "parenttype = %s AND parentfield = %s AND parent IN %s ORDER BY parent, idx"
	for child in _select(df.options, where, (doctype, fieldname, tuple(found))):
		if child.parent in found:
			found[child.parent][fieldname].append(child)


def _select(doctype, where, values):
	return frappe.db.sql(
		f"SELECT * FROM {sql.quote('tab' + doctype)} WHERE {where}",  # noqa: S608
		values,
		as_dict=True,
	)


def stamp(document):
	"""The version of a document as the text that the database makes of it."""
	return document["modified"].isoformat(sep=" ", timespec="microseconds")


def said(error):
	"""What a refusal of a document says, without markup."""
	text = frappe.utils.strip_html(str(error)) or type(error).__name__
	frappe.clear_messages()
	return text[:MAX_SAID]
