"""The plain Frappe way of the same work: one document, one request. Its DocType has the fields of the synced one and nothing of the engine."""

import json
from collections.abc import Iterable
from typing import Any

import frappe
from frappe.model.document import Document

from benchmarks.http import Http
from benchmarks.support import Wallet

PLAIN = "Benchmark Expense"
SOURCE = "Hisabi Transaction"
# Columns that only the engine has a use for.
OURS = {
	"sync_section",
	"column_sync",
	"client_id",
	"doc_version",
	"server_modified",
	"is_deleted",
	"deleted_at",
	"client_created_ms",
	"client_modified_ms",
}
VALUES = {
	"transaction_type": "expense",
	"date_time": "2026-03-01 10:00:00",
	"amount": 12.5,
	"currency": "SAR",
	"note": "Lunch with the family",
}


def make() -> str:
	"""The DocType's name; it is made unless it is there."""
	if not frappe.db.exists("DocType", PLAIN):
		fields = [_field(df) for df in frappe.get_meta(SOURCE).fields if df.fieldname not in OURS]
		doc = {"doctype": "DocType", "name": PLAIN, "module": "Custom", "custom": 1, "autoname": "hash"}
		doc["permissions"] = [{"role": "System Manager", "read": 1, "write": 1, "create": 1, "delete": 1}]
		frappe.get_doc({**doc, "fields": fields}).insert()
		frappe.db.commit()
	return PLAIN


def _field(df: Document) -> dict[str, Any]:
	kept = ("fieldname", "fieldtype", "label", "options", "reqd", "default", "precision", "read_only")
	return {name: df.get(name) for name in kept}


def remove() -> None:
	"""Remove the plain DocType and its table."""
	frappe.delete_doc("DocType", PLAIN, force=True)
	frappe.db.commit()
	frappe.db.sql_ddl(f"DROP TABLE IF EXISTS `tab{PLAIN}`")


def values(wallet: Wallet) -> dict[str, Any]:
	"""Values of one document of the plain DocType, as a transaction of the wallet has them."""
	return {**VALUES, "account": wallet.account_name, "wallet_id": wallet.id}


def post(http: Http, wallet: Wallet, count: int) -> list[str]:
	"""Documents made as a client would have to: a request for each. Returns their names."""
	body = json.dumps(values(wallet)).encode()
	path = f"/api/resource/{PLAIN.replace(' ', '%20')}"
	return [json.loads(http.call("POST", path, body))["data"]["name"] for _ in range(count)]


def get(http: Http, names: Iterable[str]) -> list[bytes]:
	"""The bodies of the documents, a request for each."""
	path = f"/api/resource/{PLAIN.replace(' ', '%20')}/"
	return [http.call("GET", path + name) for name in names]


def listed(http: Http, count: int) -> bytes:
	"""A list of documents in one request, as a client asks the REST API for it."""
	return http.call(
		"GET",
		f"/api/resource/{PLAIN.replace(' ', '%20')}?fields=%5B%22*%22%5D&limit_page_length={count}"
		"&order_by=creation%20asc",
	)


def insert(wallet: Wallet, count: int) -> list[str]:
	"""The same in this process, with a commit for each as a request has; returns the names."""
	names = []
	for _ in range(count):
		names.append(frappe.get_doc({"doctype": PLAIN, **values(wallet)}).insert().name)
		frappe.db.commit()
	return names


def read(names: Iterable[str]) -> list[str]:
	"""The documents as JSON, one after the other."""
	return [json.dumps(frappe.get_doc(PLAIN, name).as_dict(), default=str) for name in names]
