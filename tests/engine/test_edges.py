"""Batches with one item that the database or a controller would refuse: that item fails, the others do not."""

import json

import frappe
import pytest

from hisabi_sync.engine import positions
from hisabi_sync.engine.model import cursor as cursors
from hisabi_sync.engine.model import strict_json
from hisabi_sync.engine.sharing import spaces
from tests.engine.inside import Device, make_wallet, record_of, sequences
from tests.support.phone import account, create, delete, new_id, transaction, update


def debt_request(**payload):
	return create("Hisabi Debt Request", **payload)


def test_malformed_item_with_a_used_op_id_does_not_stop_the_batch(device):
	good = account()
	device.push(good)
	bad = {**account(), "op_id": good["op_id"], "base_version": 3}
	outcomes = device.push(bad, account())
	assert [o.status for o in outcomes] == ["error", "accepted"]


def test_malformed_item_sent_twice_does_not_stop_the_batch(device):
	bad = {**account(), "base_version": 3}
	assert [o.status for o in device.push(bad)] == ["error"]
	assert [o.status for o in device.push(bad, account())] == ["error", "accepted"]


def test_two_malformed_items_with_one_op_id_do_not_stop_the_batch(device):
	bad = {**account(), "base_version": 3}
	assert [o.status for o in device.push(bad, bad, account())] == ["error", "error", "accepted"]


ODD = {
	"text longer in bytes than its column": lambda a: transaction(a, note="ن" * 40_000),
	"markup that grows when it is cleaned": lambda a: account(account_name="<b>" + "&" * 137),
	"NaN in JSON text": lambda a: debt_request(debt_payload='{"a": NaN}'),
	"infinity in JSON": lambda a: debt_request(debt_payload={"a": float("inf")}),
	"deep JSON text": lambda a: debt_request(debt_payload="[" * 50_000),
	"deep JSON": lambda a: debt_request(debt_payload=deep(900)),
	"null byte": lambda a: account(account_name="a\0b"),
	"early year": lambda a: transaction(a, date_time="0001-01-01T00:00:00Z"),
	"year 9999": lambda a: transaction(a, date_time="9999-12-31T23:59:59Z"),
	"largest amount": lambda a: transaction(a, amount=999999999999.9999),
	"tiny amount": lambda a: transaction(a, amount="1e-400"),
	"huge exponent": lambda a: transaction(a, amount="1e999999999"),
	"int as text": lambda a: account(sort_order="5"),
	"huge int": lambda a: account(sort_order=2**31),
	"client time far away": lambda a: account(client_modified_ms=2**62),
	"client time negative": lambda a: account(client_modified_ms=-(2**62)),
}


def deep(levels):
	value = {}
	for _ in range(levels):
		value = {"a": value}
	return value


@pytest.mark.parametrize("case", ODD)
def test_odd_value_never_breaks_the_batch(case, device):
	parent, innocent = account(), account()
	device.push(parent)
	outcomes = device.push(ODD[case](parent["entity_id"]), innocent)
	assert outcomes[1].status == "accepted"
	assert outcomes[0].status in ("accepted", "error")
	items, _ = device.pull()
	assert innocent["entity_id"] in {item.client_id for item in items}


@pytest.mark.parametrize("odd", ["\ud800", {"a": "\udc80"}, {"\udc80": 1}, [float("nan")]])
def test_what_no_database_stores_never_comes_in(odd):
	with pytest.raises(ValueError):
		strict_json.parse(json.dumps({"items": [odd]}))


def test_tombstoned_document_cannot_be_saved_in_the_desk(device, wallet):
	item = account()
	device.push(item)
	device.push(delete("Hisabi Account", item["entity_id"], 1))
	doc = frappe.get_doc(
		"Hisabi Account", record_of(wallet, "Hisabi Account", item["entity_id"]).document_name
	)
	doc.color = "#111111"
	with pytest.raises(frappe.ValidationError):
		doc.save()


def test_tombstoned_document_set_by_a_job_stays_deleted(device, wallet):
	item = account()
	device.push(item)
	device.push(delete("Hisabi Account", item["entity_id"], 1))
	doc = frappe.get_doc(
		"Hisabi Account", record_of(wallet, "Hisabi Account", item["entity_id"]).document_name
	)
	doc.db_set("color", "#111111", commit=True)
	assert record_of(wallet, "Hisabi Account", item["entity_id"]).deleted_at is not None


def test_document_of_a_space_that_does_not_exist_takes_no_number_of_another(user, device, wallet):
	device.push(account())
	doc = frappe.new_doc("Hisabi Account")
	nowhere = new_id("nowhere")
	doc.update({"wallet_id": nowhere, "account_name": "x", "account_type": "cash", "currency": "SAR"})
	doc.flags.ignore_links = doc.flags.ignore_permissions = True
	doc.insert()
	frappe.db.commit()
	numbers, counter = sequences(nowhere)
	assert all(number == 0 for number in numbers) or counter is not None


def test_update_that_changes_nothing_keeps_the_version(device):
	item = account()
	device.push(item)
	assert (
		device.push(update("Hisabi Account", item["entity_id"], 1, account_name="Cash"))[0].doc_version == 1
	)


def test_template_rows_of_another_device_survive_an_edit_of_the_title(device, other):
	buckets = [create("Hisabi Bucket", title=t, bucket_name=t) for t in "abc"]
	rows = [{"bucket_id": b["entity_id"], "percentage": 30} for b in buckets]
	template = create("Hisabi Bucket Template", title="T", template_items=rows[:1])
	assert [o.status for o in device.push(*buckets, template)] == ["accepted"] * 4
	key = template["entity_id"]
	assert (
		device.push(update("Hisabi Bucket Template", key, 1, template_items=rows[:2]))[0].status == "accepted"
	)
	assert (
		other.push(update("Hisabi Bucket Template", key, 1, template_items=[rows[0], rows[2]]))[0].status
		== "accepted"
	)
	assert other.push(update("Hisabi Bucket Template", key, 1, title="New"))[0].status == "accepted"
	held = next(i for i in other.pull()[0] if i.client_id == key).payload
	assert held["title"] == "New"
	assert [r["bucket_id"] for r in held["template_items"]] == [b["entity_id"] for b in buckets]


def test_same_client_id_in_two_wallets(user, device):
	second = Device(user, make_wallet(user))
	bucket = create("Hisabi Bucket", title="a", bucket_name="a")
	for one in (device, second):
		assert one.push(bucket)[0].status == "accepted"
	item = create(
		"Hisabi Bucket Template",
		title="T",
		template_items=[{"bucket_id": bucket["entity_id"], "percentage": 3}],
	)
	for one in (device, second):
		assert one.push(item)[0].status == "accepted"
		assert one.pull()[0][-1].payload["template_items"][0]["bucket_id"] == bucket["entity_id"]


def test_wallet_made_by_an_import_can_be_numbered(user):
	"""During an import Frappe sets no defaults."""
	frappe.flags.in_import = True
	try:
		wallet = make_wallet(user)
	finally:
		frappe.flags.in_import = False
	assert Device(user, wallet).push(account())[0].status == "accepted"


def test_a_number_that_became_true_inside_json_is_stored(device):
	item = create("Hisabi Debt Request", debt_payload={"a": 1})
	device.push(item)
	change = update("Hisabi Debt Request", item["entity_id"], 1, debt_payload={"a": True})
	assert device.push(change)[0].doc_version == 2
	assert device.pull()[0][-1].payload["debt_payload"]["a"] is True


def test_the_cursor_of_a_push_does_not_skip_what_the_server_computed(device):
	"""The phone was up to date; its transaction moved a balance, which it must be told."""
	cash = account(opening_balance=10)
	device.push(cash)
	_, cursor = device.pull()
	caller = spaces.authorise(device.caller())
	positions.acknowledge(caller, cursors.decode(cursor, caller.space))
	frappe.db.commit()
	device.push(transaction(cash["entity_id"], amount=4))
	caller = spaces.authorise(device.caller())
	items, _ = device.pull(positions.after_push(caller))
	assert [i.payload["current_balance"] for i in items if i.client_id == cash["entity_id"]] == [6]


def test_one_delete_and_one_update_in_a_batch_end_in_a_tombstone(device):
	item = account()
	device.push(item)
	key = item["entity_id"]
	outcomes = device.push(delete("Hisabi Account", key, 1), update("Hisabi Account", key, 1, icon="x"))
	assert [o.status for o in outcomes] == ["accepted", "error"]


def test_an_atomic_batch_that_fails_leaves_nothing_and_may_be_sent_in_part(device, wallet):
	bucket = create("Hisabi Bucket", title="x", bucket_name="x")
	device.push(bucket)
	rows = [{"bucket_id": bucket["entity_id"], "percentage": 30}]
	good = [account(), create("Hisabi Bucket Template", title="T", template_items=rows)]
	outcomes = device.push(*good, account(sort_order="x"), atomic=True)
	assert [o.code for o in outcomes] == ["batch_rolled_back", "batch_rolled_back", "invalid_field_type"]
	assert record_of(wallet, "Hisabi Account", good[0]["entity_id"]) is None
	assert [o.status for o in device.push(*good)] == ["accepted", "accepted"]
	numbers, counter = sequences(wallet)
	assert len(set(numbers)) == len(numbers) and numbers[-1] == counter


def test_a_record_deleted_in_the_desk_is_deleted_for_devices(device, wallet):
	item = account()
	device.push(item)
	key = item["entity_id"]
	frappe.delete_doc("Hisabi Account", record_of(wallet, "Hisabi Account", key).document_name)
	frappe.db.commit()
	changes = update("Hisabi Account", key, 1, icon="f"), account(key), delete("Hisabi Account", key, 1)
	assert [device.push(change)[0].code for change in changes] == ["deleted", "deleted", None]


def test_a_record_deleted_in_the_desk_does_not_stop_the_rest_of_a_batch(device, wallet):
	gone, other = account(), account()
	device.push(gone, other)
	keys = [item["entity_id"] for item in (gone, other)]
	frappe.delete_doc("Hisabi Account", record_of(wallet, "Hisabi Account", keys[0]).document_name)
	frappe.db.commit()
	outcomes = device.push(*(update("Hisabi Account", key, 1, icon="x") for key in keys))
	assert [(o.status, o.code) for o in outcomes] == [("error", "deleted"), ("accepted", None)]
