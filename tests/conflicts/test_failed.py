"""Items that failed are processed once more under the same op id, alone, together or with another payload."""

import json

import frappe
import pytest

from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces
from tests.support.phone import account, new_id, transaction, update


@pytest.fixture
def failing(phone):
	"""(phone, item that names an account which is not there yet, name of its Sync Item)."""
	missing = new_id("account")
	item = transaction(missing)
	(result,) = phone.push(item)
	assert result["error_code"] == "invalid_link"
	return phone, item, name_of(item), missing


def name_of(item):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Item", {"op_id": item["op_id"]})


def process(*names):
	frappe.db.rollback()
	return failed.process(list(names))


def test_a_retry_applies_what_has_become_possible_and_the_device_gets_that_answer(failing):
	phone, item, name, missing = failing
	assert process(name)[0]["error_code"] == "invalid_link"
	phone.push(account(missing))
	(result,) = process(name)
	assert (result["done"], result["status"], result["doc_version"]) == (True, "accepted", 1)
	(repeat,) = phone.push(item)
	assert (repeat["status"], repeat["doc_version"], repeat["already_applied"]) == ("accepted", 1, True)
	row = frappe.get_doc("Sync Item", name)
	assert (row.attempts, row.status) == (3, "accepted")
	device = frappe.db.get_value("Sync Device", {"device_id": phone.device_id}, ["name", "user"])
	assert (row.device, row.user) == device
	changed_by = frappe.db.get_value("Sync Record", row.record, "changed_by")
	assert changed_by == row.user


def test_what_did_not_fail_is_not_processed_again(failing):
	phone, _, name, missing = failing
	phone.push(account(missing))
	process(name)
	assert process(name)[0]["error_code"] == "not_failed"
	assert process("nonsense")[0]["error_code"] == "not_found"


def test_items_that_need_each_other_are_processed_together(phone):
	parent, child = account(account_type="nonsense"), None
	child = transaction(parent["entity_id"])
	phone.push(parent, child)
	names = [name_of(child), name_of(parent)]
	frappe.db.set_value(
		"Sync Item", names[1], "payload", json.dumps({**parent, "payload": account()["payload"]})
	)
	frappe.db.commit()
	assert [result["status"] for result in process(*names)] == ["accepted", "accepted"]


def test_an_edited_item_is_applied_and_what_the_device_sent_is_kept(failing):
	phone, item, name, _ = failing
	own = account()
	phone.push(own)
	fixed = {**item, "payload": {**item["payload"], "account": own["entity_id"]}}
	frappe.db.rollback()
	assert failed.edit(name, fixed)["status"] == "accepted"
	row = frappe.get_doc("Sync Item", name)
	assert (json.loads(row.payload), json.loads(row.original_payload)) == (fixed, item)
	assert row.edited_by == "Administrator" and row.edited_at
	(repeat,) = phone.push(item)
	assert (repeat["status"], repeat["already_applied"]) == ("accepted", True)


def test_an_edit_that_fails_keeps_the_devices_own_payload_too(failing):
	_, item, name, _ = failing
	for amount in ("x", "y"):
		frappe.db.rollback()
		result = failed.edit(name, {**item, "payload": {**item["payload"], "amount": amount}})
		assert result["error_code"] == "invalid_field_type"
	assert json.loads(frappe.db.get_value("Sync Item", name, "original_payload")) == item


@pytest.mark.parametrize(
	"change", [{"op_id": "other"}, {"entity_id": "other"}, {"entity_type": "Hisabi Account"}]
)
def test_an_edit_cannot_make_another_op_of_it(failing, change):
	_, item, name, _ = failing
	frappe.db.rollback()
	assert failed.edit(name, {**item, **change})["error_code"] == "invalid_argument"
	assert frappe.db.get_value("Sync Item", name, "edited_by") is None


def test_a_retry_has_the_rights_of_the_device_and_no_more(failing):
	phone, _, name, missing = failing
	phone.push(account(missing))
	user = frappe.db.get_value("Sync Item", name, "user")
	spaces.set_member(ids.space("wallet", phone.wallet_id), user, "viewer")
	frappe.db.commit()
	assert process(name)[0]["error_code"] == "space_read_only"
	assert frappe.session.user == "Administrator"


def test_an_item_without_an_op_id_cannot_be_processed_again(phone):
	phone.push({**account(), "op_id": ""})
	frappe.db.rollback()
	device = frappe.db.get_value("Sync Device", {"device_id": phone.device_id})
	name = frappe.db.get_value("Sync Item", {"device": device})
	assert process(name)[0]["error_code"] == "not_retryable"


def test_a_dismissed_item_keeps_its_status_in_the_ledger(failing):
	phone, item, name, missing = failing
	with pytest.raises(RequestError):
		failed.dismiss(name, "")
	failed.dismiss(name, "The person left")
	frappe.db.commit()
	row = frappe.get_doc("Sync Item", name)
	assert (row.dismissed, row.status, row.dismiss_reason) == (1, "error", "The person left")
	phone.push(account(missing))
	assert phone.push(item)[0]["status"] == "accepted"


def test_a_conflict_is_no_failure(phone, second):
	own = account()
	phone.push(own)
	phone.push(update("Hisabi Account", own["entity_id"], 1, color="red"))
	stale = update("Hisabi Account", own["entity_id"], 1, color="blue")
	assert second.push(stale)[0]["status"] == "conflict"
	assert process(name_of(stale))[0]["error_code"] == "not_failed"


def test_what_is_stored_of_an_error_does_not_depend_on_who_pressed_the_button(failing):
	_, _, name, _ = failing
	before = frappe.db.get_value("Sync Item", name, "error_message")
	frappe.local.lang = "ar"
	try:
		assert arabic(process(name)[0]["message"])
		frappe.db.rollback()
		assert frappe.db.get_value("Sync Item", name, "error_message") == before and not arabic(before)
		shown = frappe.get_doc("Sync Item", name)
		shown.run_method("onload")
		assert arabic(shown.error_message)
	finally:
		frappe.local.lang = "en"


def arabic(text):
	return any("\u0600" <= letter <= "\u06ff" for letter in text)


def test_a_mistake_over_the_items_of_one_device_leaves_those_of_others(failing, second, monkeypatch):
	phone, _, name, missing = failing
	item = transaction(missing)
	second.push(item)
	phone.push(account(missing))
	plain = failed._read

	def read(items, payload, caller):
		if items[0].name == name:
			raise KeyError("x")
		return plain(items, payload, caller)

	monkeypatch.setattr(failed, "_read", read)
	results = process(name, name_of(item))
	assert [(r["done"], r["error_code"]) for r in results] == [(False, "internal_error"), (True, None)]
