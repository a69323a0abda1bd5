"""The version of all definitions that entity types are made of, kept in the database and changed with them.

Redis cannot keep it: a process that reads between the commit of a change and its news would take the old definitions for
the new version, and keep them until the next change.
"""

import secrets
import time

import frappe

WHERE = "doctype = 'Sync Entity' AND field = 'version'"
# For statements that read it along with something else.
SELECT = f"(SELECT value FROM `tabSingles` WHERE {WHERE} LIMIT 1)"  # noqa: S608


def read() -> str:
	"""The version that the open transaction sees; an empty text before the first."""
	rows = frappe.db.sql(f"SELECT {SELECT}")
	return rows[0][0] or ""


def write() -> str:
	"""A later version, committed with whatever the transaction changes."""
	held = frappe.db.sql(f"SELECT value FROM `tabSingles` WHERE {WHERE} LIMIT 1 FOR UPDATE")  # noqa: S608
	token = max(_now(), _after(held[0][0] if held else ""))
	if held:
		frappe.db.sql(f"UPDATE `tabSingles` SET value = %s WHERE {WHERE}", (token,))  # noqa: S608
	else:
		columns = "INSERT INTO `tabSingles` (doctype, field, value) VALUES ('Sync Entity', 'version', %s)"
		frappe.db.sql(columns, (token,))
	return token


def _now() -> str:
	return f"{time.time_ns() // 1000:016x}-{secrets.token_hex(4)}"


def _after(held: str) -> str:
	"""Clocks of several servers differ; versions only grow."""
	number = int(held.partition("-")[0] or "0", 16) + 1
	return f"{number:016x}-{secrets.token_hex(4)}"
