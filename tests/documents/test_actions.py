"""Submit, cancel and amend: through the controller, under the user's rights, exactly once, on what the person looked at."""

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types
from tests.documents.conftest import Seller
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id

DATES = "ITM-1"


def act(seller, client_id, action, version=1, **more):
	given = change(seller.shop.order, client_id, action, version)
	for name, value in more.items():
		setattr(given, name, value)
	return given


def then(given, *actions):
	given.then = actions
	return given


def amend(seller, client_id, **values):
	given = change(seller.shop.order, new_id("order"), **values)
	given.amends = client_id
	return given


def statuses(outcomes):
	return [(outcome.status, outcome.code) for outcome in outcomes]


@pytest.fixture
def stranger(shop):
	"""A seller of another team."""
	return Seller(shop, new_id("team"))


@pytest.fixture
def draft(seller):
	return seller.made({"item_code": DATES, "qty": 2})


@pytest.fixture
def submitted(seller, draft):
	(outcome,) = seller.push(act(seller, draft, "submit"))
	assert outcome.status == "accepted", outcome
	return draft


def test_an_order_is_submitted_by_its_controller_and_pulled_so(seller, draft):
	_, token = fetch(seller.caller)
	(outcome,) = seller.push(act(seller, draft, "submit"))
	assert statuses([outcome]) == [("accepted", None)]
	assert (outcome.doc_version, outcome.record["docstatus"], outcome.record["status"]) == (2, 1, "Open")
	assert seller.doc(draft).docstatus == 1
	(item,), _ = fetch(seller.caller, token)
	assert (item.payload["docstatus"], item.doc_version, item.actions) == (1, 2, ["cancel"])


def test_a_draft_says_that_it_can_be_submitted(seller, draft):
	held = seller.held(draft)
	assert (held.payload["docstatus"], held.actions) == (0, ["submit"])


def test_a_repeat_of_a_submit_gets_the_first_answer(seller, draft):
	given = act(seller, draft, "submit")
	again = change(given.entity_type, draft, "submit", 1, op_id=given.op_id)
	(first,), (second,) = seller.push(given), seller.push(again)
	assert second.repeated and second.doc_version == first.doc_version == 2


def test_a_submit_of_what_is_submitted_changes_nothing(seller, submitted):
	(outcome,) = seller.push(act(seller, submitted, "submit", 1))
	assert (outcome.status, outcome.doc_version) == ("duplicate", 2)


def test_create_edit_and_submit_wait_for_each_other_in_one_push(seller):
	made = seller.order({"item_code": DATES, "qty": 1})
	submit = act(seller, made.client_id, "submit", None)
	edit = seller.update(made.client_id, 1, note="gift")
	edit.base_version = None
	outcomes = seller.push(made, edit, submit)
	assert statuses(outcomes) == [("accepted", None)] * 3
	assert (seller.doc(made.client_id).docstatus, seller.doc(made.client_id).note) == (1, "gift")


def test_a_submit_waits_for_its_create_wherever_it_stands_in_the_push(seller):
	made = seller.order({"item_code": DATES, "qty": 1})
	outcomes = seller.push(act(seller, made.client_id, "submit", None), made)
	assert statuses(outcomes) == [("accepted", None)] * 2
	assert seller.doc(made.client_id).docstatus == 1


def test_a_submit_is_not_taken_when_its_create_or_edit_failed(seller, draft):
	bad = seller.order({"item_code": "no such item"})
	outcomes = seller.push(
		bad,
		act(seller, bad.client_id, "submit", None),
		seller.update(draft, 1, note="key"),
		act(seller, draft, "submit", 1),
	)
	assert [outcome.status for outcome in outcomes] == ["error"] * 4
	assert [outcomes[1].code, outcomes[3].code] == ["depends_on_failed_item"] * 2
	assert seller.doc(draft).docstatus == 0


def test_a_submit_is_not_taken_when_the_edit_before_it_is_a_conflict(seller, draft):
	seller.in_desk(draft, note="of the office")
	edit, submit = seller.update(draft, 1, note="of the rep"), act(seller, draft, "submit", 1)
	assert statuses(seller.push(edit, submit)) == [
		("conflict", "base_version_conflict"),
		("error", "depends_on_failed_item"),
	]
	assert seller.doc(draft).docstatus == 0


def test_a_submit_of_what_others_changed_is_a_conflict_that_says_what(seller, draft):
	seller.in_desk(draft, note="of the office")
	(outcome,) = seller.push(act(seller, draft, "submit", 1))
	assert statuses([outcome]) == [("conflict", "base_version_conflict")]
	assert outcome.conflict_fields == ["note"]
	row = frappe.get_doc("Sync Conflict", outcome.conflict)
	assert (row.kind, row.action, row.status) == ("action", "submit", "Open")
	assert "of the office" in row.server_values and seller.doc(draft).docstatus == 0


def test_a_submit_may_be_allowed_on_newer_versions(seller, draft):
	seller.in_desk(draft, note="of the office")
	with rule(seller.shop.order, "submit", on_newer=1):
		(outcome,) = seller.push(act(seller, draft, "submit", 1))
	assert outcome.status == "accepted" and seller.doc(draft).docstatus == 1


def test_what_the_same_device_did_since_is_no_conflict(seller, draft):
	seller.edited(draft, 1, note="mine")
	(outcome,) = seller.push(act(seller, draft, "submit", 1))
	assert outcome.status == "accepted", outcome
	(outcome,) = seller.push(act(seller, draft, "cancel", 1))
	assert outcome.status == "accepted", outcome


def test_a_refused_submit_costs_only_itself_and_says_why(seller):
	dear = seller.made({"item_code": DATES, "qty": 1000})
	other = seller.made({"item_code": DATES})
	outcomes = seller.push(act(seller, dear, "submit"), act(seller, other, "submit"))
	assert statuses(outcomes) == [("error", "rejected"), ("accepted", None)]
	assert "credit limit" in outcomes[0].message
	assert [seller.doc(one).docstatus for one in (dear, other)] == [0, 1]


def test_an_error_of_the_program_in_a_submit_costs_only_itself(seller):
	odd, other = seller.made({"item_code": DATES}, note="crash"), seller.made({"item_code": DATES})
	outcomes = seller.push(act(seller, odd, "submit"), act(seller, other, "submit"))
	assert statuses(outcomes) == [("error", "internal_error"), ("accepted", None)]


def test_create_and_submit_in_one_item(seller):
	given = then(seller.order({"item_code": DATES, "qty": 2}), "submit")
	(outcome,) = seller.push(given)
	assert (outcome.status, outcome.left_undone, outcome.record["docstatus"]) == ("accepted", None, 1)
	held = seller.held(given.client_id)
	assert (held.payload["docstatus"], held.doc_version) == (1, outcome.doc_version)


def test_create_and_submit_is_refused_as_a_whole(seller):
	given = then(seller.order({"item_code": DATES, "qty": 1000}), "submit")
	assert statuses(seller.push(given)) == [("error", "rejected")]
	assert seller.held(given.client_id) is None
	assert not frappe.db.exists("Sync Record", {"client_id": given.client_id})


def test_create_and_submit_may_keep_the_draft_with_the_sentence_why(seller):
	given = then(seller.order({"item_code": DATES, "qty": 1000}), "submit")
	with rule(seller.shop.order, "submit", if_refused="Keep the draft"):
		(outcome,) = seller.push(given)
		(again,) = seller.push(
			then(change(given.entity_type, given.client_id, op_id=given.op_id, **given.payload), "submit")
		)
	assert outcome.status == "accepted" and outcome.left_undone["action"] == "submit"
	assert outcome.left_undone["code"] == "rejected" and "credit limit" in str(outcome.left_undone)
	assert again.repeated and again.left_undone == outcome.left_undone
	assert seller.doc(given.client_id).docstatus == 0


def test_a_stale_edit_with_submit_is_a_conflict_as_a_whole(seller, draft):
	seller.in_desk(draft, po_no="OFFICE")
	edit = then(seller.update(draft, 1, note="mine"), "submit")
	(outcome,) = seller.push(edit)
	assert (outcome.status, outcome.conflict_fields) == ("conflict", ["po_no"])
	assert (seller.doc(draft).docstatus, seller.doc(draft).note) == (0, None)


def test_cancel_then_amend_in_one_push(seller, submitted):
	cancel = act(seller, submitted, "cancel", 2)
	amended = amend(seller, submitted, note="better")
	outcomes = seller.push(cancel, amended)
	assert statuses(outcomes) == [("accepted", None)] * 2
	old, new = seller.doc(submitted), seller.doc(amended.client_id)
	assert (old.docstatus, new.docstatus, new.note) == (2, 0, "better")
	assert new.amended_from == old.name and new.name == f"{old.name}-1"
	assert (new.items[0].item_code, new.items[0].rate, new.items[0].qty) == (DATES, 11, 2)
	held = seller.held(amended.client_id)
	assert held.payload["amended_from"] == submitted and held.document_name == new.name


@pytest.fixture
def not_copied(seller):
	"""The order's rows and number are left out of copies, as an order's day of delivery and payment schedule are in ERPNext."""
	order, given = seller.shop.order, {"property": "no_copy", "value": 1, "property_type": "Check"}
	for field in ("items", "po_no", "note"):
		frappe.make_property_setter({"doctype": order, "fieldname": field, **given})
	frappe.make_property_setter({"doctype": order, "fieldname": "po_no", **given, "property": "unique"})
	frappe.db.commit()
	yield
	frappe.db.delete("Property Setter", {"doc_type": order, "property": ["in", ["no_copy", "unique"]]})
	frappe.clear_cache(doctype=order)
	frappe.db.commit()


def test_an_amendment_keeps_what_other_copies_leave_out(seller, not_copied):
	made = seller.made({"item_code": DATES, "qty": 2}, po_no="ROAD-1", note="for the ramp")
	amended = amend(seller, made, delivery_date="2030-01-01")
	outcomes = seller.push(act(seller, made, "submit"), act(seller, made, "cancel", 2), amended)
	assert statuses(outcomes) == [("accepted", None)] * 3
	new = seller.doc(amended.client_id)
	assert ([row.qty for row in new.items], new.note, new.po_no) == ([2], "for the ramp", None)


def test_an_amendment_keeps_the_columns_of_rows_that_it_leaves_out(seller, submitted):
	(row,) = seller.doc(submitted).items
	seller.push(act(seller, submitted, "cancel", 2))
	given = amend(seller, submitted, items=[{"name": row.name, "qty": 5}, {"item_code": "ITM-2"}])
	(outcome,) = seller.push(given)
	assert outcome.status == "accepted", outcome
	rows = seller.doc(given.client_id).items
	assert [(r.item_code, r.qty, r.rate) for r in rows] == [(DATES, 5, 11), ("ITM-2", 1, 12)]


def test_a_cancelled_order_is_amended_once(seller, other, submitted):
	seller.push(act(seller, submitted, "cancel", 2))
	assert seller.held(submitted).actions == ["amend"]
	(first,) = seller.push(amend(seller, submitted))
	(second,) = other.push(amend(other, submitted))
	assert (first.status, second.code) == ("accepted", "already_amended")
	assert seller.held(submitted).actions == []
	assert frappe.db.count(seller.shop.order, {"amended_from": seller.doc(submitted).name}) == 1


def test_what_is_not_cancelled_is_not_amended(seller, submitted):
	assert statuses(seller.push(amend(seller, submitted))) == [("error", "not_cancelled")]


def test_a_submitted_order_refuses_edits_and_deletes_with_frappes_sentence(seller, submitted):
	edit, delete = seller.update(submitted, 2, note="late"), change(seller.shop.order, submitted, "delete", 2)
	outcomes = seller.push(edit), seller.push(delete)
	assert [o.status for (o,) in outcomes] == ["error", "error"]
	assert "after submission" in outcomes[0][0].message and "ubmitted" in outcomes[1][0].message


def test_a_docstatus_in_a_payload_is_told_as_not_taken(seller, draft):
	outcome = seller.edited(draft, 1, docstatus=1)
	assert (outcome.adjusted, outcome.record["docstatus"]) == (["docstatus"], 0)


def test_who_may_not_submit_in_frappe_may_not_submit_here(seller, draft):
	with only_drafts(seller):
		(outcome,) = seller.push(act(seller, draft, "submit"))
		assert seller.held(draft).actions == []
	assert outcome.code == "permission_denied" and seller.doc(draft).docstatus == 0


@pytest.mark.parametrize("action", ["method:run", "workflow:Approve", "delete_everything", "method:"])
def test_an_action_that_the_entity_type_does_not_list_is_refused(seller, draft, action):
	assert statuses(seller.push(act(seller, draft, action))) == [("error", "action_not_allowed")]


def test_an_action_on_what_the_caller_may_not_see_is_not_found(seller, stranger, draft):
	given = change(seller.shop.order, draft, "submit", 1)
	assert statuses(send(stranger.caller, given)) == [("error", "not_found")]


def test_a_dry_run_of_a_submit_leaves_a_draft(seller, draft):
	(outcome,) = seller.push(act(seller, draft, "submit"), dry_run=True)
	assert outcome.status == "accepted" and seller.doc(draft).docstatus == 0


def test_an_atomic_batch_with_a_refused_submit_leaves_nothing(seller, draft):
	given = seller.order({"item_code": DATES, "qty": 1000})
	outcomes = seller.push(
		act(seller, draft, "submit"), given, act(seller, given.client_id, "submit", None), atomic=True
	)
	assert [o.code for o in outcomes] == ["batch_rolled_back", "batch_rolled_back", "rejected"]
	assert seller.doc(draft).docstatus == 0 and seller.held(given.client_id) is None


# --- help


class rule:
	"""While it is entered, the entity type of the DocType has other values for an action."""

	def __init__(self, doctype, action, **values):
		self.key = {"parent": doctype, "action": action}
		self.values = values

	def __enter__(self):
		self.held = frappe.db.get_value("Sync Entity Action", self.key, list(self.values), as_dict=True)
		self.set(self.values)

	def __exit__(self, *error):
		self.set(self.held)

	def set(self, values):
		frappe.db.rollback()
		doc = frappe.get_doc("Sync Entity", self.key["parent"])
		next(row for row in doc.actions if row.action == self.key["action"]).update(values)
		doc.save()
		frappe.db.commit()
		entity_types.registry()


class only_drafts:
	"""While it is entered, the role of the seller may not submit."""

	def __init__(self, seller):
		self.key = {"parent": seller.shop.order, "role": seller.shop.role, "permlevel": 0}

	def __enter__(self):
		self.set(0)

	def __exit__(self, *error):
		self.set(1)

	def set(self, value):
		frappe.db.set_value("DocPerm", self.key, "submit", value)
		frappe.clear_cache(doctype=self.key["parent"])
		frappe.db.commit()
