"""The preset "ERPNext here and there": DocTypes here that are called as ERPNext's are, a double of it there, in both directions."""

import json

import frappe
import pytest

from hisabi_sync.hisabi_commerce import presets
from tests.runs import erpnext, test_erpnext, world
from tests.support import doctypes
from tests.support.doctypes import column, permission
from tests.support.phone import new_id

PRESET = "erpnext_here"
ENTITIES = ("customers", "products", "orders", "invoices", "payments")
NAMED = {"Customer": "field:customer_name", "Item": "field:item_code"}
TYPES = {"docstatus": None, "items": "Table", "disabled": "Check", "qty": "Float", "rate": "Currency"}
DAYS = ("transaction_date", "delivery_date", "posting_date", "due_date", "reference_date")
COMPANY = "Example"


@pytest.fixture(scope="module")
def here(site):
	"""The DocTypes, with the fields that the preset names; on a site with ERPNext its own are there, and this is no double."""
	if "erpnext" in frappe.get_installed_apps():
		pytest.skip("ERPNext itself is here")
	frappe.set_user("Administrator")
	rows = presets.rows(PRESET, company=COMPANY)
	names = [row["document_type"] for row in rows]
	for row in rows:
		_make(row)
	frappe.db.commit()
	yield
	tables = [f"{name} Row" for name in names]
	doctypes.remove(*names, *tables)


def _make(row):
	name, mapping = row["document_type"], json.loads(row["mapping"])
	table = next((part["rows"] for part in mapping if part["local"] == "items"), None)
	if table:
		doctypes.make(f"{name} Row", [_column(part["local"]) for part in table], istable=1)
	fields = [_column(part["local"], f"{name} Row") for part in mapping]
	submits = bool(row.get("then_do"))
	rights = {"submit": 1, "cancel": 1} if submits else {}
	fields += (
		[column("status")] if not any(part["local"] in ("status", "disabled") for part in mapping) else []
	)
	fields += [column("amended_from", "Link", name)] if submits else []
	naming = {"autoname": NAMED.get(name, "hash")}
	doctypes.make(name, fields, is_submittable=submits, permissions=[permission(**rights)], **naming)


def _column(name, rows=None):
	kind = "Date" if name in DAYS else TYPES.get(name, "Currency" if name.endswith("_amount") else "Data")
	return column(name, kind, rows if kind == "Table" else None)


@pytest.fixture
def erp(site, alone, here):
	running = erpnext.Service()
	for kind in ("Customer", "Item", "Sales Order", "Sales Invoice", "Payment Entry"):
		running.site.make("Custom Field", dt=kind, fieldname="custom_sync_key", unique=1)
	yield running
	running.stop()


@pytest.fixture
def connection(operator, erp):
	rows = presets.preset(PRESET, "both", COMPANY)
	assert len(rows) == 2 * len(ENTITIES)
	given = {"auth": "key and secret", "auth_name": erpnext.KEY, "auth_secret": erpnext.SECRET}
	made = world.connect(operator.tenant, erp.url, rows, connector="frappe", **given)
	yield made
	frappe.set_user("Administrator")
	frappe.db.rollback()
	for row in made.entities:
		frappe.db.delete(row.document_type)
	frappe.db.commit()


def exchange(operator, connection, mode="incremental"):
	"""Every entity in both directions; the operations of what was not skipped."""
	done = []
	for entity in ENTITIES:
		for direction in ("push", "pull"):
			result = test_erpnext.run(operator, connection, entity, mode=mode, direction=direction)
			assert result["status"] == "completed", (entity, direction, result["records"])
			done += [
				(entity, direction, row["operation"])
				for row in result["records"]
				if row["status"] != "skipped"
			]
	return done


def make(doctype, submit=False, **values):
	frappe.set_user("Administrator")
	doc = frappe.get_doc({"doctype": doctype, **values}).insert()
	if submit:
		doc.submit()
	frappe.db.commit()
	return doc


def order(customer, item, **values):
	given = {
		"customer": customer,
		"transaction_date": "2026-01-10",
		"company": COMPANY,
		"po_no": new_id("PO"),
	}
	return {
		**given,
		"delivery_date": "2026-02-01",
		"items": [{"item_code": item, "qty": 2, "rate": 11}],
		**values,
	}


def orders_here():
	frappe.db.rollback()
	docs = [frappe.get_doc("Sales Order", name) for name in frappe.get_all("Sales Order", pluck="name")]
	return sorted(
		(doc.customer, doc.docstatus, [(row.item_code, row.qty, row.rate) for row in doc.items])
		for doc in docs
	)


def orders_there(erp):
	found = erp.site.documents["Sales Order"].values()
	return sorted(
		(
			one["customer"],
			one["docstatus"],
			[(row["item_code"], row["qty"], row["rate"]) for row in one["items"]],
		)
		for one in found
	)


def masters(customer, item):
	make("Customer", customer_name=customer)
	make("Item", item_code=item, item_name="Tea")


def test_documents_of_both_sides_meet_and_come_to_rest(operator, erp, connection):
	masters("Our shop", "OUR-1")
	make("Sales Order", True, **order("Our shop", "OUR-1"))
	erp.site.make("Company", company_name="Another")
	erp.site.make("Customer", customer_name="Their shop")
	erp.site.make("Item", item_code="THEIR-1", item_name="Cups")
	erp.site.make("Sales Order", **order("Their shop", "THEIR-1"), docstatus=1)
	erp.site.make("Sales Order", **order("Their shop", "THEIR-1", company="Another"), docstatus=1)
	assert len(exchange(operator, connection)) == 6
	assert orders_here() == [one for one in orders_there(erp)][:2]
	assert [one[:2] for one in orders_here()] == [("Our shop", 1), ("Their shop", 1)]
	for mode in ("incremental", "full", "verify"):
		assert exchange(operator, connection, mode) == []


def test_invoices_and_payments_name_what_the_other_side_has(operator, erp, connection):
	"""The other side has given the customer another name, for there was one with ours."""
	erp.site.make("Customer", customer_name="Our shop", custom_sync_key="of somebody else")
	masters("Our shop", "OUR-1")
	frappe.db.set_value(
		"Sync Connection Entity",
		{"parent": connection.name, "entity": "customers", "direction": "pull"},
		"enabled",
		0,
	)
	connection.reload()
	connection.save()
	days = {"posting_date": "2026-01-10", "due_date": "2026-02-10", "company": COMPANY}
	make(
		"Sales Invoice",
		True,
		customer="Our shop",
		items=[{"item_code": "OUR-1", "qty": 1, "rate": 3}],
		**days,
	)
	paid = {"paid_amount": 3, "received_amount": 3, "payment_type": "Receive", "paid_to": "Cash - E"}
	make(
		"Payment Entry",
		True,
		party_type="Customer",
		party="Our shop",
		posting_date="2026-01-11",
		company=COMPANY,
		**paid,
	)
	for entity in ("customers", "products", "invoices", "payments"):
		done = test_erpnext.run(operator, connection, entity, direction="push")
		assert done["status"] == "completed", done["records"]
	assert test_erpnext.only(erp, "Sales Invoice")["customer"] == "Our shop - 1"
	payment = test_erpnext.only(erp, "Payment Entry")
	assert (payment["party"], payment["docstatus"]) == ("Our shop - 1", 1)


def test_cancellations_go_both_ways(operator, erp, connection):
	masters("Our shop", "OUR-1")
	ours = make("Sales Order", True, **order("Our shop", "OUR-1"))
	make("Sales Order", True, **order("Our shop", "OUR-1"))
	exchange(operator, connection)
	theirs = list(erp.site.documents["Sales Order"].values())
	(other,) = (one for one in theirs if one["po_no"] != ours.po_no)
	erp.site.save("Sales Order", {"docstatus": 2}, other["name"])
	ours.reload()
	ours.cancel()
	frappe.db.commit()
	exchange(operator, connection, "full")
	assert [one[1] for one in orders_here()] == [one[1] for one in orders_there(erp)] == [2, 2]


def test_a_name_that_is_taken_here_is_said_and_not_tried_again(operator, erp, connection):
	"""Both sites have an item of this code, and nothing says that they are the same."""
	make("Item", item_code="TAKEN", item_name="Ours")
	erp.site.make("Item", item_code="TAKEN", item_name="Theirs")
	done = test_erpnext.run(operator, connection, "products", mode="full", direction="pull")
	(record,) = done["records"]
	assert (record["status"], record["error_code"]) == ("failed", "local_rejected"), record
	assert "TAKEN" in record["error_message"]
	assert frappe.db.get_value("Item", "TAKEN", "item_name") == "Ours"


def test_a_customer_that_both_sides_changed_is_not_overwritten(operator, erp, connection):
	masters("Our shop", "OUR-1")
	exchange(operator, connection)
	there = test_erpnext.only(erp, "Customer")
	erp.site.save("Customer", {"tax_id": "9", "territory": "South"}, there["name"])
	frappe.get_doc("Customer", "Our shop").update({"tax_id": "7", "customer_group": "Retail"}).save()
	frappe.db.commit()
	for direction in ("push", "pull"):
		done = test_erpnext.run(operator, connection, "customers", mode="incremental", direction=direction)
		(record,) = done["records"]
		assert (record["error_code"], [c["field"] for c in record["changes"]]) == ("both_changed", ["tax_id"])
	there = test_erpnext.only(erp, "Customer")
	assert (there["tax_id"], frappe.db.get_value("Customer", "Our shop", "tax_id")) == ("9", "7")
