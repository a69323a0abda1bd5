"""What devices read and write of rows: the columns that are chosen, none that are hidden; and the list that the Desk proposes."""

from contextlib import contextmanager

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types, proposal
from tests.support import doctypes
from tests.support.doctypes import column, columns
from tests.support.phone import new_id

DATES, COFFEE = "ITM-1", "ITM-2"
HIDDEN = {"barcode", "valuation_rate"}


@contextmanager
def listed(shop, *fields):
	"""While these (fieldname, access) are the list of the order's entity type."""
	_list(shop, fields)
	try:
		yield
	finally:
		_list(shop, ())


def _list(shop, fields):
	frappe.set_user("Administrator")
	frappe.db.rollback()
	doc = frappe.get_doc("Sync Entity", shop.order)
	doc.set("fields", [{"fieldname": name, "access": access} for name, access in fields])
	doc.save()
	frappe.db.commit()
	entity_types.forget()


def test_hidden_columns_are_not_sent(seller):
	(row,) = seller.held(seller.made({"item_code": DATES})).payload["items"]
	assert not HIDDEN & row.keys() and "rate" in row


def test_a_hidden_column_that_comes_back_is_ignored_and_named(seller):
	client_id = seller.made({"item_code": DATES})
	seller.in_desk(client_id, rows={0: {"barcode": "628"}})
	(row,) = seller.doc(client_id).items
	outcome = seller.edited(
		client_id, items=[{"name": row.name, "qty": 5, "barcode": "1", "valuation_rate": 0}]
	)
	assert outcome.warnings == ["items.barcode", "items.valuation_rate"]
	(row,) = seller.doc(client_id).items
	assert (row.qty, row.barcode, round(row.valuation_rate, 2)) == (5, "628", 6.6)
	(refused,) = seller.push(seller.update(client_id, 2, items=[{"name": row.name, "no_column": 1}]))
	assert (refused.code, refused.detail) == ("invalid_field", ["items.no_column"])


def test_a_column_above_the_level_is_for_those_who_have_it(seller, boss):
	client_id = boss.made({"item_code": DATES, "commission": 7})
	assert boss.held(client_id).payload["items"][0]["commission"] == 7
	assert "commission" not in seller.held(client_id).payload["items"][0]
	(row,) = seller.doc(client_id).items
	outcome = seller.edited(
		client_id,
		items=[{"name": row.name, "qty": 3, "commission": 99}, {"item_code": COFFEE, "commission": 99}],
	)
	assert outcome.warnings == ["items.commission"]
	assert [one.commission for one in seller.doc(client_id).items] == [7, 0]


def test_the_columns_that_are_listed_are_those_that_devices_know(seller, shop):
	client_id = seller.made({"item_code": DATES, "note": "blue ones", "rate": 20})
	fields = ("customer", "items.item_code", "items.qty")
	given = [
		("items", "Read and write"),
		("items.rate", "Read only"),
		("items.amount", "Computed"),
		("items.note", "Hidden"),
	]
	with listed(shop, *((name, "Read and write") for name in fields), *given):
		payload = seller.held(client_id).payload
		(row,) = payload["items"]
		assert set(payload) - {"amended_from", "docstatus"} == {"customer", "items"}
		assert set(row) == {"name", "item_code", "qty", "rate", "amount"}
		edit = {"name": row["name"], "qty": 4, "rate": 1, "note": "mine"}
		outcome = seller.edited(client_id, items=[edit, {"item_code": COFFEE}])
		assert sorted(outcome.warnings) == ["items.note", "items.rate"]
		rows = seller.doc(client_id).items
		assert [(one.qty, one.rate, one.note) for one in rows] == [(4, 20, "blue ones"), (1, 12, None)]
	assert "note" in seller.held(client_id).payload["items"][0], (
		"the record is sent again with what is new in it"
	)


def test_a_column_of_the_list_that_is_not_there_is_refused(shop):
	for name in ("items.nothing", "customer.rate", "nothing.rate"):
		with pytest.raises(frappe.ValidationError, match=name), listed(shop, (name, "Hidden")):
			pass
		frappe.db.rollback()


# --- the proposal


def proposed(doctype, space_path="team"):
	doc = frappe.get_doc({"doctype": "Sync Entity", "document_type": doctype, "space_path": space_path})
	return {row["fieldname"]: row["access"] for row in doc.propose_fields()}


def test_the_proposal_has_what_people_work_with_and_no_costs(shop):
	found = proposed(shop.order)
	assert found["customer"] == found["items"] == found["items.rate"] == "Read and write"
	assert found["total"] == found["items.amount"] == found["status"] == "Read only"
	unsafe = "team credit_limit items.barcode items.valuation_rate items.gross_profit items.commission"
	assert not set(unsafe.split()) & found.keys()


@pytest.fixture
def odd(site):
	name = f"Odd {new_id('x').rpartition('-')[2]}"
	texts = (
		"password_hint",
		"api_token",
		("page", "HTML Editor"),
		("cost_center", "Link", "Role"),
		("fee", "Currency"),
	)
	plain = columns("team", *texts, ("hidden_one", "Data"))
	plain[-1]["hidden"] = 1
	plain[-2]["label"] = "Profit per head"
	doctypes.make(name, [*plain, column("total_cost", "Currency", reqd=1), column("margin", "Percent")])
	yield name
	doctypes.remove(name)


def test_the_proposal_leaves_out_secrets_and_has_what_the_doctype_demands(odd):
	assert proposed(odd) == {"cost_center": "Read and write", "total_cost": "Read and write"}


def test_the_proposal_can_be_saved_and_orders_are_made_with_it(seller, shop):
	rows = proposal.propose(frappe.get_meta(shop.order), "team")
	with listed(shop, *((row["fieldname"], row["access"]) for row in rows)):
		doc = seller.doc(seller.made({"item_code": DATES}))
		assert (doc.items[0].rate, doc.total) == (11, 11)


@pytest.mark.parametrize("propose", ["propose_fields", "propose_actions", "propose_numbering"])
def test_only_who_may_make_entity_types_gets_a_proposal(shop, seller, propose):
	frappe.set_user(seller.user)
	given = {"doctype": "Sync Entity", "document_type": shop.order, "space_path": "team"}
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc(given).run_method(propose)
