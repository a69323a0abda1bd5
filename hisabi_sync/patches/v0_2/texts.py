"""Texts of devices and peers that an older release stored as they came, or with only `<` changed.

What devices get of them stays the same: the columns of records are only written in the form of `texts.encode`. Running it
again changes nothing, and an interrupted one goes on where it stopped.
"""

from collections.abc import Callable, Iterable

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import fields, markup, texts
from hisabi_sync.patches import chunks

# The engine's own columns that were cleaned by Frappe, or not at all.
OWN = {
	"Sync Device": "device_name platform model os_version app_version locale",
	"Sync Space": "title",
	"Sync Conflict": "title",
	"Sync Run": "error_message",
	"Sync Run Record": "error_message",
	"Sync Connection": "last_error paused_reason",
	"Sync Call": "sync_id idempotency_key",
}
# Texts that may have something in them that `texts.encode` changes.
LEFT = "(?s)<|&[#a-zA-Z]|[\"'`].*="


PATCH = chunks.Patch("v0_2.texts#3")


def execute() -> None:
	"""Write texts that earlier versions kept with markup as they are kept today."""
	for doctype, columns in OWN.items():
		for column in columns.split():
			_rewrite(doctype, column, lambda text: texts.plain(text, texts.LONG))
	for entity in registry().by_name.values():
		_encode(entity.doctype, entity.columns)
		for table in entity.tables:
			_encode(table.options, table.columns)
	PATCH.finish()


def _encode(doctype: str, columns: Iterable[fields.Field]) -> None:
	for field in columns:
		if field.kind is fields.TEXT:
			_rewrite(doctype, field.name, lambda text: texts.encode(texts.decode(text)))
		if field.kind is fields.HTML and field.is_title:
			_rewrite(doctype, field.name, lambda text: markup.calm(markup.clean(text)))


def _rewrite(doctype: str, column: str, written: Callable[[str], str]) -> None:
	"""Write the column's texts that change anew; those that then no longer fit into it with look-alikes, cut."""
	name = sql.quote(column)
	((longest,),) = frappe.db.sql(
		"""SELECT COALESCE(CHARACTER_MAXIMUM_LENGTH, 0) FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND COLUMN_NAME = %s""",
		(f"tab{doctype}", column),
	)

	def work(rows: chunks.Rows) -> None:
		for row, text in rows:
			new = written(text)
			if new != text:
				fits = new if len(new) <= longest else texts.plain(text, int(longest))
				sql.update_in(doctype, {column: fits}, [row])

	PATCH.walk(doctype, [column], work, f"{name} RLIKE %s", (LEFT,))
