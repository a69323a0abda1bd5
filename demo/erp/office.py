"""The back office in ERPNext's Desk: what its forms and buttons do, over REST."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from demo.desk import Desk, DeskError
from demo.erp.masters import chunks

ORDER, CUSTOMER, PRICE = "Sales Order", "Customer", "Item Price"
MAPPERS = "erpnext.selling.doctype.sales_order.sales_order"
# What a copy does not take from the document that it replaces.
OWN = ("name", "docstatus", "status", "owner", "creation", "modified", "modified_by", "parent", "doctype")


class Office:
	"""People in the office, who work in the Desk."""

	def __init__(self, desk: Desk) -> None:
		self.desk = desk

	def order(self, number: str) -> dict[str, Any]:
		"""The order with the rep's number as the Desk's form has it, that which is not cancelled first."""
		found = self.desk.rows(ORDER, ["name", "docstatus"], po_no=number)
		name = min(found, key=lambda row: row["docstatus"])["name"]
		return self.get(ORDER, name)

	def get(self, doctype: str, name: str) -> dict[str, Any]:
		"""A document with its rows."""
		return self.desk.run("frappe.client.get", doctype=doctype, name=name)

	def set_quantities(self, number: str, **quantities: int) -> None:
		"""Change quantities of an order, by item."""
		doc = self.order(number)
		self.desk.update(ORDER, doc["name"], items=sent(doc["items"], **quantities))

	def submit(self, doctype: str, name: str) -> None:
		"""Submit a draft."""
		self.desk.update(doctype, name, docstatus=1)

	def cancel(self, doctype: str, name: str) -> None:
		"""Cancel a submitted document."""
		self.desk.update(doctype, name, docstatus=2)

	def amend(self, number: str) -> str:
		"""What the button Amend does with a cancelled order; the name of the new one."""
		doc = self.order(number)
		copy = {**_copied(doc), "amended_from": doc["name"]}
		return self.desk.create(ORDER, **copy)["name"]

	def make(self, what: str, doctype: str, order: str) -> str:
		"""Make the next document of an order, as its buttons do, and submit it."""
		given = self.desk.run(f"{MAPPERS}.make_{what}", source_name=order)
		made = self.desk.create(doctype, **_copied(given))
		self.submit(doctype, made["name"])
		return made["name"]

	def rename(self, name: str, new: str, merge: bool = False) -> None:
		"""Rename a customer, or merge it with the one that has the new name."""
		given = {"doctype": CUSTOMER, "docname": name, "name": new, "title": new, "merge": int(merge)}
		self.desk.run("frappe.model.rename_doc.update_document_title", **given)

	def raise_prices(self, rows: list[dict[str, Any]]) -> None:
		"""Make prices one dearer, as an import does."""
		for chunk in chunks(rows):
			docs = [
				{
					"doctype": PRICE,
					"docname": row["name"],
					"price_list_rate": float(row["price_list_rate"]) + 1,
				}
				for row in chunk
			]
			failed = self.desk.run("frappe.client.bulk_update", docs=json.dumps(docs))["failed_docs"]
			if failed:
				raise DeskError(f"{len(failed)} prices were refused: {failed[0].get('exc')}")


def _copied(doc: dict[str, Any]) -> dict[str, Any]:
	plain = json.loads(json.dumps(doc, default=float))
	return {
		name: _rows(value) for name, value in plain.items() if name not in OWN and value not in (None, [])
	}


def _rows(value: Any) -> Any:
	if not isinstance(value, list):
		return value
	return [{name: cell for name, cell in row.items() if name not in OWN} for row in value]


def sent(rows: Iterable[dict[str, Any]], **quantities: int) -> list[dict[str, Any]]:
	"""Rows as REST takes them, with other quantities of some items: all columns of a row are sent back."""
	whole: list[dict[str, Any]] = [
		{name: float(v) if isinstance(v, Decimal) else v for name, v in row.items()} for row in rows
	]
	return [{**row, "qty": quantities.get(row["item_code"], row["qty"])} for row in whole]
