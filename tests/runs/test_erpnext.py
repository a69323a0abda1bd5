"""The presets of ERPNext against a double of it: what is linked has the name that each side knows."""

import json

import frappe
import pytest

from hisabi_sync.hisabi_commerce import presets
from hisabi_sync.runs import lanes
from tests.runs import erpnext, world
from tests.support.phone import new_id

WORDS = {"company": "Example", "account": "Cash - E"}


@pytest.fixture
def erp(site, alone):
	running = erpnext.Service()
	for kind in ("Customer", "Item", "Sales Order", "Sales Invoice", "Payment Entry"):
		running.site.make("Custom Field", dt=kind, fieldname="custom_sync_key", unique=1)
	yield running
	running.stop()


def connect(operator, erp, direction="push", entities=(), change=None, **values):
	rows = presets.rows("erpnext", entities, direction, **WORDS)
	for row in rows:
		row.update((change or {}).get(row["entity"], {}))
	given = {
		"connector": "frappe",
		"auth": "key and secret",
		"auth_name": erpnext.KEY,
		"auth_secret": erpnext.SECRET,
	}
	return world.connect(operator.tenant, erp.url, rows, **given, **values)


def make(operator, doctype, **values):
	frappe.set_user("Administrator")
	doc = frappe.get_doc({"doctype": doctype, "tenant": operator.tenant, **values}).insert()
	frappe.db.commit()
	return doc


def make_customer(operator, **values):
	return make(operator, "Hisabi Customer", customer_name=new_id("Shop"), status="active", **values)


def make_product(operator, **values):
	given = {"product_code": new_id("RUN"), "product_name": "Tea", "product_group": "Products", **values}
	return make(operator, "Hisabi Product", status="active", **given)


def make_order(operator, customer, product, doctype="Hisabi Order", **values):
	items = [{"product": product, "quantity": 2, "rate": 11}]
	return make(operator, doctype, customer=customer, items=items, **values)


def order_of(operator, customer, product, **values):
	given = {"order_number": new_id("SO"), "status": "processing", "order_date": "2026-01-10"}
	return make_order(operator, customer, product, **given, delivery_date="2026-02-01", **values)


def run(operator, connection, entity, **body):
	return world.work(operator, operator.start(entity, **{"mode": "full", **body}), connection)


def only(erp, kind):
	(document,) = erp.site.documents[kind].values()
	return document


def failure(done):
	(record,) = done["records"]
	return record["status"], record["error_code"], record["error_message"]


def test_links_are_sent_with_the_names_that_the_other_side_knows(operator, erp):
	connection = connect(operator, erp)
	customer, product = make_customer(operator), make_product(operator)
	order_of(operator, customer.customer_code, product.product_code)
	common = {"customer": customer.name, "product": product.name}
	make_order(
		operator,
		*common.values(),
		doctype="Hisabi Invoice",
		status="unpaid",
		invoice_date="2026-01-11",
		due_date="2026-02-11",
	)
	make(
		operator,
		"Hisabi Payment",
		customer=customer.customer_name,
		status="received",
		payment_date="2026-01-12",
		amount=22,
	)
	for entity in ("customers", "products", "orders", "invoices", "payments"):
		done = run(operator, connection, entity)
		assert done["status"] == "completed", done["records"]
	assert customer.customer_code != customer.customer_name == only(erp, "Customer")["name"]
	assert (
		only(erp, "Sales Order")["customer"]
		== only(erp, "Sales Invoice")["customer"]
		== customer.customer_name
	)
	assert only(erp, "Sales Order")["items"][0]["item_code"] == product.product_code
	assert only(erp, "Payment Entry")["party"] == customer.customer_name


def test_a_record_waits_for_what_it_links_to(operator, erp):
	"""It is not sent, it does not die, and it is taken up in the same run as soon as the customer is there."""
	connection = connect(operator, erp, max_attempts=1)
	customer, product = make_customer(operator), make_product(operator)
	order_of(operator, customer.name, product.product_code)
	run(operator, connection, "products")
	orders = run(operator, connection, "orders")
	state, code, said = failure(orders)
	assert (state, code) == ("failed", "link_missing") and f"customers {customer.name}" in said
	assert not erp.site.documents["Sales Order"]
	run(operator, connection, "customers")
	frappe.db.rollback()
	done = operator.detail(orders["sync_id"])
	assert (done["status"], done["records_created"]) == ("completed", 1), done
	assert only(erp, "Sales Order")["customer"] == customer.customer_name


def test_the_next_run_takes_up_what_waited(operator, erp):
	"""The document that the link means is made only afterwards, under another name than the link has."""
	connection = connect(operator, erp)
	product = make_product(operator)
	run(operator, connection, "products")
	order_of(operator, "Late Shop", product.product_code)
	assert failure(run(operator, connection, "orders"))[1] == "link_missing"
	make(operator, "Hisabi Customer", customer_name="Late Shop", status="active")
	run(operator, connection, "customers")
	done = run(operator, connection, "orders", mode="incremental")
	assert (done["status"], done["records_created"]) == ("completed", 1), done
	assert only(erp, "Sales Order")["customer"] == "Late Shop"


def test_what_was_linked_while_a_record_was_tried_is_not_missed(operator, erp, monkeypatch):
	"""Another worker links the customer between our look at it and the note that the order waits."""
	connection = connect(operator, erp)
	customer, product = make_customer(operator), make_product(operator)
	order_of(operator, customer.name, product.product_code)
	run(operator, connection, "products")
	customers = operator.start("customers", mode="full")
	failed, once = lanes.push.outcome.failed, []

	def late(work, record, row, error):
		if error.code == "link_missing" and not once:
			once.append(1)
			values = {"state": "linked", "remote_id": customer.customer_name, "space": connection.space}
			name = work.channel.identity_name("other")
			held = {"connection": connection.name, "entity": "customers", "document_type": "Hisabi Customer"}
			doc = frappe.get_doc(
				{"doctype": "Sync Identity", "document_name": customer.name, **values, **held}
			)
			doc.insert(set_name=name, ignore_permissions=True, ignore_links=True)
			erp.site.make("Customer", customer_name=customer.customer_name)
			frappe.db.commit()
		return failed(work, record, row, error)

	monkeypatch.setattr(lanes.push.outcome, "failed", late)
	done = run(operator, connection, "orders")
	assert (done["status"], done["records_created"], len(once)) == ("completed", 1, 1), done
	operator.post(f"cancel/{customers}")


def test_a_link_of_two_meanings_is_not_guessed(operator, erp):
	connection = connect(operator, erp)
	product = make_product(operator)
	for _ in range(2):
		make(operator, "Hisabi Customer", customer_name="Twin", status="active")
	for entity in ("customers", "products"):
		run(operator, connection, entity)
	order_of(operator, "Twin", product.product_code)
	assert failure(run(operator, connection, "orders"))[1] == "link_missing"


def test_links_of_another_tenant_are_not_used(operator, erp, server, site):
	other = world.new_operator(server, site)
	theirs, product = make_customer(other), make_product(operator)
	connection = connect(operator, erp)
	run(operator, connection, "products")
	order_of(operator, theirs.customer_name, product.product_code)
	assert failure(run(operator, connection, "orders"))[1] == "link_missing"


def test_pulled_links_are_our_documents(operator, erp):
	erp.site.make("Customer", customer_name="Run Shop")
	erp.site.make("Item", item_code="RUN-1", item_name="Tea", item_group="Products")
	given = {"customer": "Run Shop", "transaction_date": "2026-01-10", "company": "Example"}
	erp.site.make("Sales Order", **given, items=[{"item_code": "RUN-1", "qty": 2, "rate": 11}])
	erp.site.make("Company", company_name="Other")
	erp.site.make(
		"Sales Order", **{**given, "company": "Other"}, items=[{"item_code": "RUN-1", "qty": 2, "rate": 11}]
	)
	connection = connect(operator, erp, "pull")
	orders = run(operator, connection, "orders")
	state, code, said = failure(orders)
	assert (state, code) == ("failed", "link_missing") and "customers Run Shop" in said
	for entity in ("products", "customers"):
		assert run(operator, connection, entity)["status"] == "completed"
	frappe.db.rollback()
	assert operator.detail(orders["sync_id"])["status"] == "completed"
	order = frappe.get_last_doc("Hisabi Order", {"tenant": operator.tenant})
	assert order.customer == frappe.db.get_value(
		"Hisabi Customer", {"tenant": operator.tenant}, "customer_code"
	)
	assert order.items[0].product == frappe.db.get_value(
		"Hisabi Product", {"tenant": operator.tenant}, "product_code"
	)
	assert order.order_number == next(iter(erp.site.documents["Sales Order"]))


def test_a_connection_says_what_its_links_need(operator, erp):
	with pytest.raises(frappe.ValidationError, match="links to customers"):
		connect(operator, erp, entities=("orders", "products"))
	wrong = [{"local": "customer", "remote": "customer", "link": {"entity": "customers", "here": "no_such"}}]
	change = {"orders": {"mapping": json.dumps(wrong)}}
	with pytest.raises(frappe.ValidationError, match="no_such"):
		connect(operator, erp, entities=("orders", "customers"), change=change)


def test_a_404_to_a_new_record_is_told_in_the_other_sides_words(operator, erp):
	"""The customer was removed there; the answer to the order is no word about the order."""
	connection = connect(operator, erp)
	customer, product = make_customer(operator), make_product(operator)
	for entity in ("customers", "products"):
		run(operator, connection, entity)
	erp.site.documents["Customer"].clear()
	order_of(operator, customer.name, product.product_code)
	state, code, said = failure(run(operator, connection, "orders"))
	assert (state, code) == ("failed", "remote_rejected")
	assert f"404 Customer {customer.customer_name} not found" in said and "<" not in said
