"""Set up field sales: the space types and entity types of a sales team, made at once on DocTypes that are called as ERPNext's are."""

import json

import frappe
import pytest

from hisabi_sync.engine import waiting
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.sharing import memberships
from hisabi_sync.hisabi_commerce import field_sales
from tests.sharing.world import document
from tests.site.app import action, create, new_device, update
from tests.support import doctypes, erpnext
from tests.support.phone import new_id
from tests.support.users import make_user

KINDS = ("territory", "price-list", "warehouse", "catalogue", "person")
SYNCED = [row["document_type"] for row in field_sales.preset()["entities"]]


@pytest.fixture(scope="module", autouse=True)
def erp(site):
	"""ERPNext's DocTypes but Task."""
	if "erpnext" in frappe.get_installed_apps():
		pytest.skip("ERPNext itself is here")
	frappe.set_user("Administrator")
	clear()  # what a run that was killed has left
	erpnext.remove()
	retry.run(erpnext.make)
	yield
	clear()
	erpnext.remove()


@pytest.fixture(autouse=True)
def no_jobs(erp, monkeypatch):
	"""They would wait for the worker of another test."""
	monkeypatch.setattr(memberships, "soon", lambda space_type: None)


@pytest.fixture
def fresh(erp):
	"""A site on which nothing is set up yet, for the tests that stand first."""
	yield
	clear()


@pytest.fixture(scope="module")
def made(erp):
	"""The preset as it was made, by title; taken away with the DocTypes."""
	return make()


def only(monkeypatch, *doctypes):
	"""Let the preset have these entity types and their space types alone; the table."""
	table = field_sales.preset()
	table["entities"] = [row for row in table["entities"] if row["document_type"] in doctypes]
	kinds = {row["space_type"] for row in table["entities"]} | {"person"}
	table["space_types"] = [row for row in table["space_types"] if row["space_type"] in kinds]
	monkeypatch.setattr(field_sales, "preset", lambda: table)
	return table


def clear():
	frappe.set_user("Administrator")
	frappe.db.rollback()
	for name in frappe.get_all("Sync Entity", {"document_type": ["in", SYNCED]}, pluck="name"):
		frappe.delete_doc("Sync Entity", name, force=True)
	for name in KINDS:
		frappe.delete_doc("Sync Space Type", name, force=True, ignore_missing=True)
	frappe.db.delete("Custom DocPerm", {"parent": ["in", SYNCED]})
	frappe.db.commit()
	frappe.clear_cache()


def make():
	made = retry.run(field_sales.make)
	frappe.db.commit()
	return {part.title: part for part in made}


def states(parts):
	return {part.title: part.state for part in parts}


def rows(doctype, **filters):
	return frappe.get_all(doctype, filters, pluck="name", order_by="name")


def test_the_plan_is_what_is_made(fresh):
	planned = states(field_sales.plan())
	assert planned.pop("Task") == "missing" and set(planned.values()) == {"new"}
	assert not rows("Sync Space Type", name=["in", KINDS])
	made = make()
	assert {title for title, part in made.items() if part.state == "made"} == set(planned), made
	assert rows("Sync Space Type", name=["in", KINDS]) == sorted(KINDS)
	assert set(rows("Sync Entity", document_type=["in", SYNCED])) == set(SYNCED) - {"Task"}


def test_a_rule_and_a_share_of_what_the_site_lacks_are_left_out_and_named(fresh, monkeypatch):
	table = only(monkeypatch, "Contact", "Item Price", "Lead")
	(lists,) = (row for row in table["space_types"] if row["space_type"] == "price-list")
	lists["rules"][0]["source_doctype"] = "No Such Profile"
	(contacts,) = (row for row in table["entities"] if row["document_type"] == "Contact")
	contacts["shares"][1]["path"] = "links.link_name[No Such Lead].lead_owner"
	made = make()
	assert (made["Price list"].state, made["Price list"].lacks) == ("made", ("No Such Profile",))
	assert (made["Contact"].state, made["Contact"].lacks) == ("made", ("No Such Lead",))
	assert len(frappe.get_doc("Sync Space Type", "price-list").rules) == 1
	assert len(frappe.get_doc("Sync Entity", "Contact").shares) == 1


def test_no_space_type_is_made_in_which_nothing_would_lie(monkeypatch):
	monkeypatch.setattr(field_sales, "_found", lambda doctype, names: frozenset({"Sales User", "Contact"}))
	assert set(states(field_sales.plan()).values()) == {"missing"}


def test_what_is_there_is_left_alone(fresh, monkeypatch):
	only(monkeypatch, "Customer", "Bin")
	doctypes.sync("Customer", "tenant", "territory", policy="manual")
	assert make()["Customer"].state == "exists"
	found = frappe.db.get_value("Sync Entity", {"document_type": "Customer"}, ["space_type", "policy"])
	assert found == ("tenant", "manual")


def test_what_the_site_refuses_is_named_and_the_rest_is_made(fresh, monkeypatch):
	only(monkeypatch, "Customer", "Sales Order", "Bin")
	kind = {"doctype": "Sync Space Type", "space_type": "territory", "title": "Sites", "key_kind": "Document"}
	retry.run(lambda: frappe.get_doc({**kind, "key_doctype": "Warehouse"}).insert())
	frappe.db.commit()
	made = make()
	refused = {title for title, part in made.items() if part.state == "refused"}
	assert refused == {"Customer", "Sales Order"} and "does not lead to one" in made["Customer"].reason
	assert made["Bin"].state == "made"
	assert not rows("Sync Entity", document_type="Customer")


def test_what_was_made_works_on_devices(made):
	registry = entity_types.registry()
	names = [part.name for part in made.values() if part.kind == "Sync Entity" and part.name]
	assert [registry.broken[name].reason for name in names if name in registry.broken] == []
	assert [kind for kind in KINDS if registry.space_types[kind].problem] == []
	orders = frappe.get_doc("Sync Entity", "Sales Order")
	assert [row.action for row in orders.actions] == ["submit", "cancel", "amend"]


def test_a_second_call_makes_nothing(made):
	before = rows("Sync Entity"), rows("Sync Space Type"), frappe.db.count("Sync Entity Field")
	again = make()
	assert {part.state for part in again.values()} == {"exists", "missing"}
	assert (rows("Sync Entity"), rows("Sync Space Type"), frappe.db.count("Sync Entity Field")) == before


def test_a_document_type_that_the_site_lacks_is_skipped_and_named(made):
	task = made["Task"]
	assert (task.state, task.lacks, task.name) == ("missing", ("Task",), None)


def test_no_field_tells_a_cost(made):
	listed = frappe.get_all("Sync Entity Field", {"parent": ["in", SYNCED]}, ["parent", "fieldname"])
	names = {(row.parent, row.fieldname.rpartition(".")[2]) for row in listed}
	secret = {*erpnext.COSTS, "default_commission_rate", "paid_to_account_balance"}
	assert not {(parent, name) for parent, name in names if name in secret}
	assert ("Item", "standard_rate") in names and ("Sales Order", "rate") in names
	assert ("Sales Order", "po_no") in names, "what a rep writes"


def test_what_many_jobs_write_is_numbered_by_a_job(made):
	assert rows("Sync Entity", document_type=["in", SYNCED], numbering="By a job") == ["Bin", "Item Price"]


def test_what_reps_may_not_read_is_told_and_can_be_granted(erp):
	assert field_sales.unreadable() == ["Item Price"] == field_sales.grantable()
	assert field_sales.grant() == ["Item Price"]
	frappe.db.commit()
	assert field_sales.unreadable() == [] == field_sales.grant()


# --- a rep


@pytest.fixture
def rep(server, site, made):
	"""The device of a rep who is the manager of a territory, with the price list and warehouse of a profile."""
	retry.run(field_sales.grant)
	frappe.db.commit()
	person = make_user("Hisabi User", erpnext.ROLE, password=None)
	region = by_manager(person)
	for doctype in ("Price List", "Warehouse"):
		named(doctype, f"{region} {doctype}", selling=1)
	profile = {"selling_price_list": f"{region} Price List", "warehouse": f"{region} Warehouse"}
	named("POS Profile", new_id("profile"), applicable_for_users=[{"user": person}], **profile)
	memberships.run()
	device = new_device(server, site, person)
	device.region = region
	return device


def by_manager(person):
	"""Name of a new territory whose manager is the person."""
	name = new_id("person")
	named("Employee", name, user_id=person)
	named("Sales Person", name, employee=name)
	return named("Territory", new_id("Region"), territory_manager=name).name


def named(doctype, name, **values):
	return document(doctype, name=name, **values)


def held(device):
	"""Names of what the device holds after a pull, by type."""
	device.pull()
	found = {}
	for (kind, _), record in device.held.items():
		found.setdefault(kind, set()).add(record["name"])
	return found


def test_a_rep_pulls_their_territory_and_the_goods(rep):
	other = named("Territory", new_id("Region")).name
	one, two = (named("Customer", new_id("c"), territory=place).name for place in (rep.region, other))
	paper = {
		kind: [named(kind, new_id("p"), customer=c).name for c in (one, two)]
		for kind in ("Sales Order", "Sales Invoice")
	}
	paid = [named("Payment Entry", new_id("p"), party_type="Customer", party=c).name for c in (one, two)]
	sold, old = (
		named("Item", new_id("item"), is_sales_item=1, disabled=n, valuation_rate=7).name for n in (0, 1)
	)
	prices = [
		named(
			"Item Price", new_id("price"), item_code=sold, price_list=f"{rep.region} Price List", selling=n
		).name
		for n in (1, 0)
	]
	stock = named(
		"Bin", new_id("bin"), item_code=sold, warehouse=f"{rep.region} Warehouse", stock_value=7
	).name
	frappe.set_user(rep.user)
	lead = named("Lead", new_id("lead"), lead_owner=rep.user).name
	frappe.set_user("Administrator")
	for kind in ("Item Price", "Bin"):
		waiting.work(kind)  # as a worker does
	frappe.db.commit()
	found = held(rep)
	assert found["Customer"] == {one} and found["Payment Entry"] == {paid[0]} and found["Lead"] == {lead}
	assert {kind: found[kind] for kind in paper} == {kind: {names[0]} for kind, names in paper.items()}
	assert sold in found["Item"] and old not in found["Item"]
	assert found["Item Price"] == {prices[0]}, "what it is bought for stays here"
	assert found["Bin"] == {stock}
	told = json.dumps([record["values"] for record in rep.held.values()])
	assert not [name for name in erpnext.COSTS if name in told]


def test_a_dynamic_link_may_be_the_id_of_a_new_record_or_a_name(rep):
	"""As an id of the same push, as one that came earlier, and as the name of a document."""
	shop = new_id("shop")
	customer = create("Customer", shop, customer_name="Shop", territory=rep.region)
	paid = create("Payment Entry", party_type="Customer", party=shop, paid_amount=5)
	first = rep.push(paid, customer)
	assert [one["status"] for one in first] == ["accepted"] * 2, first
	name = first[1]["name"]
	later = [contact_of(shop), contact_of(name), contact_of(new_id("nobody"))]
	results = rep.push(*later)
	assert [one.get("code") for one in results] == [None, None, "shared_with_nobody"], results
	frappe.db.rollback()
	linked = {frappe.db.get_value("Payment Entry", first[0]["name"], "party")}
	linked |= {frappe.get_doc("Contact", one["name"]).links[0].link_name for one in results[:2]}
	assert linked == {name}


def test_a_dynamic_link_alone_may_be_changed_to_the_id_of_a_record(rep):
	"""The change does not say which DocType it leads to: the record knows."""
	first, second = (
		create("Customer", new_id("shop"), customer_name=name, territory=rep.region) for name in "AB"
	)
	paid = create("Payment Entry", party_type="Customer", party=first["id"], paid_amount=5)
	made = rep.push(first, second, paid)
	assert [one["status"] for one in made] == ["accepted"] * 3, made
	name = new_id("Renamed")
	frappe.set_user("Administrator")
	frappe.rename_doc("Customer", made[1]["name"], name)  # so that its id is not its name
	frappe.db.commit()
	(moved,) = rep.push(update("Payment Entry", paid["id"], 1, party=second["id"]))
	assert moved["status"] == "accepted", moved
	frappe.db.rollback()
	assert frappe.db.get_value("Payment Entry", made[2]["name"], "party") == name


def contact_of(customer):
	links = [{"link_doctype": "Customer", "link_name": customer}]
	return create("Contact", new_id("contact"), first_name=new_id("Sami"), links=links)


def test_a_rep_makes_a_customer_a_contact_and_an_order_in_one_push(rep):
	item = named("Item", new_id("item"), is_sales_item=1).name
	rep.pull()
	shop = new_id("shop")
	customer = create("Customer", shop, customer_name="Shop", territory=rep.region)
	contact = contact_of(shop)
	order = create(
		"Sales Order",
		new_id("order"),
		then=["submit"],
		customer=shop,
		po_no="R-1",
		items=[{"item_code": item, "qty": 2}],
	)
	results = rep.push(order, contact, customer)
	assert [one["status"] for one in results] == ["accepted"] * 3, results
	frappe.db.rollback()
	stored = frappe.get_doc("Sales Order", results[0]["name"])
	assert (stored.docstatus, stored.po_no, stored.customer) == (1, "R-1", results[2]["name"])
	rep.pull()
	record = rep.held["Sales Order", order["id"]]
	assert set(record["actions"]) == {"cancel"}
	(done,) = rep.push(action("cancel", "Sales Order", order["id"], record["version"]))
	assert done["status"] == "accepted", done


def test_reps_write_no_items_and_no_prices(rep):
	item = named("Item", new_id("item"), is_sales_item=1, item_name="Tea").name
	rep.pull()
	record = rep.held["Item", item]
	(refused,) = rep.push(
		{
			"op_id": new_id("op"),
			"type": "Item",
			"id": item,
			"op": "update",
			"base_version": record["version"],
			"values": {"item_name": "Gold"},
		}
	)
	assert refused["status"] == "error", refused
