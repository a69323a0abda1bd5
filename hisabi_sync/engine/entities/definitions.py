"""The definitions that entity types are compiled from: their state, and the version that is committed with each change.

If the state of all other definitions is the same, an entity type whose Sync Entity did not change is not compiled again.
The version is kept in the database. In Redis, a process that reads between the commit of a change and its announcement
would take the old definitions for the new version, and keep them until the next change.
"""

import secrets
import time

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import listeners

# DocType -> columns that show a change of its rows; not every change sets `modified`.
COLUMNS = {
	"DocType": "name modified migration_hash module is_submittable track_changes istable issingle is_virtual engine autoname",
	"DocField": "name modified parent idx fieldname fieldtype label options length default reqd unique hidden read_only "
	"permlevel fetch_from is_virtual ignore_user_permissions",
	"Custom Field": "name modified",
	"Property Setter": "name modified",
	**dict.fromkeys(listeners.EVENT_SOURCES, "name modified"),
}

VERSION_ROW = "doctype = 'Sync Entity' AND field = 'version'"
# For statements that read it along with something else.
VERSION_SELECT = f"(SELECT value FROM `tabSingles` WHERE {VERSION_ROW} LIMIT 1)"  # noqa: S608


def state() -> str:
	"""A text that differs after any change, as the open transaction sees it; one statement over some 10,000 short rows."""
	rows = frappe.db.sql(" UNION ALL ".join(_sum_of(doctype) for doctype in _existing()))
	return repr((rows, frappe.get_installed_apps()))


def _existing() -> list[str]:
	tables = frappe.db.get_tables(cached=True)
	return [doctype for doctype in _columns() if f"tab{doctype}" in tables]


def _columns() -> dict[str, str]:
	return {**dict.fromkeys(sorted(listeners.watched()), "name modified"), **COLUMNS}


def _sum_of(doctype: str) -> str:
	there = set(frappe.db.get_table_columns(doctype))
	columns = ", ".join(sql.quote(name) for name in _columns()[doctype].split() if name in there)
	return f"SELECT '{doctype}', COUNT(*), SUM(CRC32(CONCAT_WS('|', {columns}))) FROM {sql.quote('tab' + doctype)}"  # noqa: S608


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
