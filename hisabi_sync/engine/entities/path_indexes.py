"""Indexes of the links by which documents find their space, so that those which hang on a document are found without a walk."""

from collections.abc import Iterable

import frappe

from hisabi_sync.engine.database import sql

Link = tuple[str, str]  # (DocType, field)


def missing(links: Iterable[Link]) -> list[Link]:
	"""Those of the links that no index begins with."""
	return [link for link in links if not _has_index(*link)]


def _has_index(doctype: str, field: str) -> bool:
	rows = frappe.db.sql(
		f"SHOW INDEX FROM {sql.quote('tab' + doctype)} WHERE Column_name = %s AND Seq_in_index = 1", (field,)
	)
	return bool(rows)


def make(links: Iterable[Link]) -> None:
	"""Make the indexes that are missing; each commits. With the name as second column, because Frappe drops an index of a
	single column when a migration finds no `search_index` in the DocType.
	"""
	for doctype, field in missing(links):
		frappe.db.add_index(doctype, [field, "name"])
