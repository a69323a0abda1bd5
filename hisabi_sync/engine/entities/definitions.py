"""The definitions that entity types are compiled from: their state, and the version that is committed with each change.

The state of each DocType stands for itself, so that an edit of one compiles only the entity types that look at it: a migration
edits hundreds, one after the other. The version is kept in the database. In Redis, a process that reads between the commit of a change and its announcement
would take the old definitions for the new version, and keep them until the next change.
"""

import secrets
import time
from typing import NamedTuple

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import listeners

# Child tables of a Sync Entity: field -> DocType of its rows.
TABLES = {"fields": "Sync Entity Field", "actions": "Sync Entity Action", "shares": "Sync Entity Share"}
# DocType -> columns that show a change of its rows; not every change sets `modified`.
OF_A_DOCTYPE = {
	"DocType": "name modified migration_hash module is_submittable track_changes istable issingle is_virtual engine autoname",
	"DocField": "name modified parent idx fieldname fieldtype label options length default reqd unique hidden read_only "
	"permlevel fetch_from is_virtual ignore_user_permissions",
	"Custom Field": "name modified",
	"Property Setter": "name modified",
}
# The column that names the DocType which a row belongs to.
OWNER = {"DocType": "name", "DocField": "parent", "Custom Field": "dt", "Property Setter": "doc_type"}

VERSION_ROW = "doctype = 'Sync Entity' AND field = 'version'"
# For statements that read it along with something else.
VERSION_SELECT = f"(SELECT value FROM `tabSingles` WHERE {VERSION_ROW} LIMIT 1)"  # noqa: S608


class State(NamedTuple):
	"""What entity types are compiled from; a part differs after any change of what it stands for."""

	of_all: str  # what may concern every entity type: installed apps, and what people made that listens to DocTypes
	by_doctype: dict[str, str]


def state() -> State:
	"""The state as the open transaction sees it; two statements over some 10,000 short rows."""
	tables = set(frappe.db.get_tables(cached=True))
	shared = [
		name for name in sorted({*listeners.EVENT_SOURCES, *listeners.watched()}) if f"tab{name}" in tables
	]
	rows = frappe.db.sql(" UNION ALL ".join(_sum_of(doctype) for doctype in shared)) if shared else ()
	return State(repr((rows, frappe.get_installed_apps())), _by_doctype())


def _sum_of(doctype: str) -> str:
	return f"SELECT '{doctype}', COUNT(*), SUM({_check_sum(doctype, 'name modified')}) FROM {sql.quote('tab' + doctype)}"  # noqa: S608


def _by_doctype() -> dict[str, str]:
	rows = " UNION ALL ".join(
		f"SELECT {OWNER[doctype]} AS owner, {_check_sum(doctype, columns)} AS number FROM {sql.quote('tab' + doctype)}"  # noqa: S608
		for doctype, columns in OF_A_DOCTYPE.items()
	)
	query = f"SELECT owner, CONCAT(COUNT(*), ' ', SUM(number)) FROM ({rows}) AS rows_of_all GROUP BY owner"  # noqa: S608
	return dict(frappe.db.sql(query))


def _check_sum(doctype: str, columns: str) -> str:
	there = set(frappe.db.get_table_columns(doctype))
	return f"CRC32(CONCAT_WS('|', {', '.join(sql.quote(name) for name in columns.split() if name in there)}))"


def read_version() -> str:
	"""The version that the open transaction sees; an empty text before the first."""
	rows = frappe.db.sql(f"SELECT {VERSION_SELECT}")
	return rows[0][0] or ""


def write_version() -> str:
	"""Write a later version, which is committed with the changes of the transaction, and return it."""
	rows = frappe.db.sql(f"SELECT value FROM `tabSingles` WHERE {VERSION_ROW} LIMIT 1 FOR UPDATE")  # noqa: S608
	token = max(_now(), _after(rows[0][0] if rows else ""))
	if rows:
		frappe.db.sql(f"UPDATE `tabSingles` SET value = %s WHERE {VERSION_ROW}", (token,))  # noqa: S608
	else:
		columns = "INSERT INTO `tabSingles` (doctype, field, value) VALUES ('Sync Entity', 'version', %s)"
		frappe.db.sql(columns, (token,))
	return token


def _now() -> str:
	return f"{time.time_ns() // 1000:016x}-{secrets.token_hex(4)}"


def _after(version: str) -> str:
	"""The version that follows another one; clocks of several servers differ, but versions only grow."""
	number = int(version.partition("-")[0] or "0", 16) + 1
	return f"{number:016x}-{secrets.token_hex(4)}"
