"""Documents of other apps are changed with the user's own rights, of every kind that Frappe knows."""

from contextlib import contextmanager

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types
from tests.documents.conftest import SELLER
from tests.support import scripts
from tests.support.engine import change
from tests.support.phone import new_id

DATES = "ITM-1"


@contextmanager
def with_document(doctype, **values):
	"""While a document of the back office is there."""
	frappe.set_user("Administrator")
	doc = frappe.get_doc({"doctype": doctype, **values}).insert()
	_committed()
	try:
		yield doc
	finally:
		frappe.set_user("Administrator")
		frappe.db.rollback()
		frappe.delete_doc(doctype, doc.name, force=True)
		_committed()


def _committed():
	frappe.db.commit()
	frappe.clear_cache()
	entity_types.forget()


@contextmanager
def with_values(doctype, name, **values):
	held = {field: frappe.db.get_value(doctype, name, field) for field in values}
	frappe.db.set_value(doctype, name, values)
	_committed()
	try:
		yield
	finally:
		frappe.db.rollback()
		frappe.db.set_value(doctype, name, held)
		_committed()


def seen(seller, client_id):
	held = seller.held(client_id)
	return held is not None and held.deleted_at is None


def test_user_permissions(seller, other):
	mine, theirs = seller.customer(), seller.customer()
	client_id = seller.made({"item_code": DATES}, customer=theirs)
	document = frappe.db.get_value("Sync Record", {"space": seller.space, "client_id": mine}, "document_name")
	given = {"user": other.user, "allow": seller.shop.customer, "for_value": document}
	with with_document("User Permission", **given):
		(refused,) = other.push(other.update(client_id, note="x"))
		assert (refused.status, refused.code) == ("error", "not_found")
		(refused,) = other.push(other.order({"item_code": DATES}, customer=theirs))
		assert (refused.status, refused.code) == ("error", "invalid_link")
		assert other.push(other.order({"item_code": DATES}, customer=mine))[0].status == "accepted"


def test_only_own_documents(seller, other):
	client_id = seller.made({"item_code": DATES})
	own = frappe.db.get_value("DocPerm", {"parent": seller.shop.order, "role": SELLER, "permlevel": 0})
	with with_values("DocPerm", own, if_owner=1):
		assert seller.edited(client_id, note="mine").doc_version == 2
		(refused,) = other.push(other.update(client_id, 2, note="theirs"))
		assert (refused.status, refused.code) == ("error", "not_found")
		assert not seen(other, client_id)


def test_levels_of_permission(seller, boss):
	client_id = seller.made({"item_code": DATES}, credit_limit=900)
	assert seller.doc(client_id).credit_limit == 0
	boss.edited(client_id, credit_limit=500)
	assert "credit_limit" not in seller.held(client_id).payload
	assert boss.held(client_id).payload["credit_limit"] == 500


def test_a_right_that_is_missing_is_named(seller):
	frappe.db.set_value("DocPerm", {"parent": seller.shop.customer, "role": SELLER}, "create", 0)
	_committed()
	try:
		(refused,) = seller.push(change(seller.shop.customer, new_id("c"), customer_name="x"))
		assert (refused.code, refused.detail["right"]) == ("permission_denied", "create")
	finally:
		frappe.db.set_value("DocPerm", {"parent": seller.shop.customer, "role": SELLER}, "create", 1)
		_committed()


def test_states_of_a_workflow(seller, shop):
	"""A state that the user's roles may not edit refuses their edit, as it does in the Desk."""
	frappe.set_user("Administrator")
	for state in ("Shop Open", "Shop Checked"):
		frappe.get_doc({"doctype": "Workflow State", "workflow_state_name": state}).insert(
			ignore_if_duplicate=True
		)
	frappe.get_doc({"doctype": "Workflow Action Master", "workflow_action_name": "Shop Check"}).insert(
		ignore_if_duplicate=True
	)
	states = [
		{"state": "Shop Open", "doc_status": "0", "allow_edit": SELLER},
		{"state": "Shop Checked", "doc_status": "0", "allow_edit": "System Manager"},
	]
	step = {
		"state": "Shop Open",
		"action": "Shop Check",
		"next_state": "Shop Checked",
		"allowed": "System Manager",
	}
	given = {
		"workflow_name": shop.order,
		"document_type": shop.order,
		"is_active": 1,
		"workflow_state_field": "status",
		"states": states,
		"transitions": [step],
	}
	options = frappe.db.get_value("DocField", {"parent": shop.order, "fieldname": "status"})
	with (
		with_values("DocField", options, options="Shop Open\nShop Checked", default="Shop Open"),
		with_document("Workflow", **given),
	):
		client_id = seller.made({"item_code": DATES})
		assert seller.doc(client_id).status == "Shop Open"
		outcome = seller.edited(client_id, status="Shop Checked")
		assert outcome.warnings == ["status"] and seller.doc(client_id).status == "Shop Open"


@pytest.mark.parametrize(
	("script", "code", "message"),
	[
		("frappe.throw('Closed on <b>Fridays</b>')", "rejected", "Closed on Fridays"),
		("doc.note = {}['nothing']", "internal_error", "The server could not process this item"),
	],
)
def test_server_scripts(seller, shop, monkeypatch, script, code, message):
	scripts.allow(monkeypatch)
	given = {
		"name": new_id("script"),
		"script_type": "DocType Event",
		"reference_doctype": shop.order,
		"doctype_event": "Before Save",
		"script": f"if doc.note == 'script':\n    {script}",
	}
	with with_document("Server Script", **given):
		odd, sound = seller.order({"item_code": DATES}, note="script"), seller.order({"item_code": DATES})
		refused, accepted = seller.push(odd, sound)
		assert (refused.code, refused.message) == (code, message)
		assert accepted.status == "accepted"


def test_domains(seller):
	"""When a domain of business is switched off, Frappe's Domain Settings take its roles away, and so the rights."""
	client_id = seller.made({"item_code": DATES})
	role = {"parent": seller.user, "role": SELLER}
	frappe.db.delete("Has Role", role)
	_committed()
	(refused,) = seller.push(seller.update(client_id, note="x"))
	assert (refused.status, refused.code) == ("error", "not_found")
	assert not seen(seller, client_id)
	frappe.get_doc({"doctype": "Has Role", "parenttype": "User", "parentfield": "roles", **role}).db_insert()
	_committed()
	assert seller.edited(client_id, note="x").doc_version == 2
