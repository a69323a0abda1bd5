"""Demonstration data of sync runs: a tenant's orders, customers, invoices and payments, and the ERP they are sent to.

Products come from there. `hisabi_sync_demo_erp` in the site's configuration is the ERP's address.
"""

from collections.abc import Iterable
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync import tenants
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_commerce import presets
from hisabi_sync.runs import finish, records, states

SECRET, NOWHERE = "hisabi-demo-erp", "http://127.0.0.1:9"
CONFIG = "hisabi_sync_demo_erp"
TITLE = "Demo ERP"
PUSHED = ("orders", "customers", "invoices", "payments")
CUSTOMERS = (
	("CUS-001", "Al-Noor Trading", "Wholesale", "Riyadh", "Saudi Arabia"),
	("CUS-002", "Layla Stores", "Retail", "Jeddah", "Saudi Arabia"),
	("CUS-003", "Haddad & Sons", "Retail", "Amman", "Jordan"),
	("CUS-004", "Blue Palm Hotel", "Hospitality", "Muscat", "Oman"),
)
# Number, customer, status, day, [(product, quantity, rate)].
ORDERS = (
	("SO-2026-0001", 0, "completed", "2026-01-05", [("TEA-250", 40, 18.5), ("CUP-6", 10, 32)]),
	("SO-2026-0002", 1, "completed", "2026-01-07", [("CUP-6", 4, 32)]),
	("SO-2026-0003", 2, "completed", "2026-01-09", [("COF-500", 12, 41.25)]),
	("SO-2026-0004", 3, "processing", "2026-01-12", [("COF-500", 30, 39), ("TEA-250", 15, 18)]),
	("SO-2026-0005", 0, "processing", "2026-01-14", [("POT-1", 3, 120)]),
	("SO-2026-0006", 1, "pending", "2026-01-15", [("TEA-250", 6, 18.5)]),
	("SO-2026-0007", 2, "draft", "2026-01-16", [("POT-1", 1, 120)]),
	("SO-2026-0008", 3, "cancelled", "2026-01-17", [("CUP-6", 2, 32)]),
)
SECONDS = 4  # that the run of an earlier day took
INVOICED = {"completed": "paid", "processing": "unpaid"}


def prepare(user: str, tenant: str, address: str | None = None) -> None:
	"""Create what is missing, point the connection to the address, and make the user an owner of the tenant."""
	return retry.run(lambda: _prepared(user, tenant, address or frappe.conf.get(CONFIG) or NOWHERE))


def _prepared(user: str, tenant: str, address: str) -> None:
	space = tenants.ensure(tenant)
	spaces.set_member(space, user, "owner")
	if not frappe.db.exists("Hisabi Customer", {"tenant": tenant}):
		_make_documents(tenant)
	_connect(tenant, address)
	if not frappe.db.exists("Sync Run", {"space": space}):
		_make_failure(space, user, tenant)
	frappe.db.commit()


def _make(doctype: str, tenant: str, **values: Any) -> Document:
	return frappe.get_doc({"doctype": doctype, "tenant": tenant, **values}).insert(ignore_permissions=True)


def _make_documents(tenant: str) -> None:
	columns = "customer_code customer_name customer_group city country".split()
	for row in CUSTOMERS:
		_make("Hisabi Customer", tenant, **dict(zip(columns, row, strict=True)))
	for order in ORDERS:
		_make_order(tenant, *order)


def _make_order(
	tenant: str, number: str, customer: int, status: str, day: str, items: Iterable[tuple[str, float, float]]
) -> None:
	name = CUSTOMERS[customer][1]
	rows = [{"product": p, "quantity": quantity, "rate": rate} for p, quantity, rate in items]
	common = {"customer": name, "currency": "SAR", "items": rows}
	order = _make("Hisabi Order", tenant, order_number=number, status=status, order_date=day, **common)
	if status in INVOICED:
		_make_invoice(tenant, order, INVOICED[status], common)


def _make_invoice(tenant: str, order: Document, status: str, common: dict[str, Any]) -> None:
	number = order.order_number.replace("SO", "INV")
	dates = {"invoice_date": order.order_date, "due_date": frappe.utils.add_days(order.order_date, 30)}
	values = {
		"invoice_number": number,
		"status": status,
		"order_number": order.order_number,
		**dates,
		**common,
	}
	invoice = _make("Hisabi Invoice", tenant, **values)
	if status == "paid":
		paid = {"amount": invoice.total, "payment_date": dates["due_date"], "status": "received"}
		names = {"payment_number": number.replace("INV", "PAY"), "invoice": number}
		_make("Hisabi Payment", tenant, customer=invoice.customer, currency="SAR", **names, **paid)


def _connect(tenant: str, address: str) -> None:
	connection = frappe.db.get_value("Sync Connection", {"tenant": tenant, "title": TITLE})
	if connection:
		frappe.db.set_value("Sync Connection", connection, "base_url", address)
		return
	values = {
		"connector": "json",
		"auth": "bearer",
		"auth_secret": SECRET,
		"base_url": address,
		"title": TITLE,
	}
	doc = frappe.get_doc({"doctype": "Sync Connection", "tenant": tenant, **values})
	doc.extend("entities", presets.service_rows(PUSHED) + presets.service_rows(("products",), "pull"))
	doc.insert(ignore_permissions=True)


def _make_failure(space: str, user: str, tenant: str) -> None:
	"""A run of an earlier day whose one record was rejected; a retry sends it."""
	connection = frappe.db.get_value("Sync Connection", {"tenant": tenant, "title": TITLE})
	invoice = frappe.db.get_value("Hisabi Invoice", {"tenant": tenant, "invoice_number": "INV-2026-0004"})
	begun = frappe.utils.add_days(clock.now(), -1)
	given = {"entity": "invoices", "direction": "push", "mode": "full", "connection": connection}
	run = frappe.get_doc({"doctype": "Sync Run", **given, "space": space, "user": user, "planned": 1})
	run.update({"status": states.RUNNING, "started_at": begun, "filters": "{}", "ids": f'["{invoice}"]'})
	run.insert(set_name=ids.new(), ignore_permissions=True, ignore_links=True)
	records.add(run, [{"entity_id": invoice, "document_name": invoice, "document_type": "Hisabi Invoice"}])
	said = "The other side rejects the record: 422 customer Blue Palm Hotel is not known"
	values = {"status": states.FAILED, "error_code": "remote_rejected", "error_message": said, "attempts": 1}
	frappe.db.set_value(records.DOCTYPE, {"run": run.name}, values)
	finish.check(run.name)
	ended = {"completed_at": frappe.utils.add_to_date(begun, seconds=SECONDS), "seconds": SECONDS}
	frappe.db.set_value("Sync Run", run.name, ended)
