"""What the database alone needs for the same work: bare inserts of what a push writes, bare reads of what a pull sends."""

import json
from collections.abc import Mapping
from typing import Any

import frappe

from benchmarks.changes import TRANSACTION
from benchmarks.support import Wallet
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids

DOCUMENTS = f"tab{TRANSACTION}"
# Tables whose names grow with time.
IN_ORDER = ("tabSync Item", "tabSync Batch")


def rows_of_push(wallet: Wallet, count: int) -> dict[str, list[dict[str, Any]]]:
	"""{table: rows as dicts} that a push of `count` creates writes, read back from the database."""
	names = wallet.push(wallet.transactions(count))
	(batch,) = frappe.get_all(
		"Sync Batch", {"device": wallet.device.name}, pluck="name", order_by="creation desc", limit=1
	)
	filters = {
		TRANSACTION: {"name": ["in", names]},
		"Sync Record": {"client_id": ["in", names]},
		"Sync Item": {"batch": batch},
		"Sync Batch": {"name": batch},
	}
	found = {
		f"tab{doctype}": frappe.get_all(doctype, given, ["*"], limit=0) for doctype, given in filters.items()
	}
	frappe.db.rollback()
	return {table: rows for table, rows in found.items() if rows}


def fresh(written: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
	"""The same rows under keys that are not taken."""
	return {table: [_renewed(table, row) for row in rows] for table, rows in written.items()}


def _renewed(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
	keys = {"op_key": frappe.generate_hash(length=32)} if row.get("op_key") else {}
	return {**row, **keys, "name": ids.new() if table in IN_ORDER else frappe.generate_hash(length=32)}


def insert(written: Mapping[str, list[dict[str, Any]]]) -> None:
	"""One statement for each table, and a commit."""
	for table, rows in written.items():
		columns = list(rows[0])
		marks = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(rows))
		query = f"INSERT INTO `{table}` ({', '.join(f'`{c}`' for c in columns)}) VALUES {marks}"  # noqa: S608
		frappe.db.sql(query, [row[column] for row in rows for column in columns])
	frappe.db.sql("commit")


def select(wallet: Wallet, count: int, page: int) -> list[str]:
	"""The columns that devices get, page by page along the primary key, as dicts and as JSON; returns the texts."""
	columns = ", ".join(f"`{name}`" for name in registry().by_name[TRANSACTION].readable)
	after, texts = "", []
	for _ in range(-(-count // page)):
		rows = frappe.db.sql(
			f"SELECT name, {columns} FROM `{DOCUMENTS}` WHERE wallet_id = %s AND name > %s "  # noqa: S608
			f"ORDER BY name LIMIT {int(page)}",
			(wallet.id, after),
			as_dict=True,
		)
		if not rows:
			break
		texts.append(json.dumps(rows, default=str))
		after = rows[-1]["name"]
	return texts
