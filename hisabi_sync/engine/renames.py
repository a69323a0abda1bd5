"""Documents of masters get another name, or go into another one: what links to them changed by SQL, which no hook saw."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.operations import jobs

AT_ONCE = reconcile.CHUNK


def after_rename(
	doc: Document, method: str | None = None, old: str = "", new: str = "", merge: bool = False
) -> None:
	"""Hook: devices hear of links in the same transaction when they are few, else by a job at once.

	Links to a synced document that was only renamed are the same client id as before.
	"""
	known = registry()
	if not old or (doc.doctype in known.by_doctype and not merge):
		return
	for entity in known.by_name.values():
		sources = _sources(entity, doc.doctype)
		if sources:
			_follow(entity, sources, doc.doctype, new)


def _follow(entity: EntityType, sources: list[tuple[Any, ...]], doctype: str, new: str) -> None:
	names = _names(entity, sources, doctype, new)
	if len(names) > AT_ONCE:
		jobs.reconcile(entity.name)
		_say(entity)
	elif names:
		reconcile.compare(entity, names, {field for field, *_ in sources})


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
	"""Documents that link to the name now, one more than are looked at at once; one statement."""
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
