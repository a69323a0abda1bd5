"""Another transaction commits between the first read of a push and its locks."""

import frappe
import pytest

from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.store import digests, load
from tests.engine.inside import elsewhere, record_of
from tests.support.phone import account, create, delete, transaction, update


@pytest.fixture
def interleave(site):
	"""A `before` step for a push: it reads, then something else is committed on another connection, once."""

	def make(work):
		done = []

		def before(caller, changes):
			frappe.db.sql("SELECT count(*) FROM `tabSync Record`")
			if not done:
				done.append(elsewhere(site, work))

		return before

	return make


def test_field_that_both_leave_alone_is_no_conflict(device, other, interleave):
	"""The device sends its whole record; the other changed another field at the same moment."""
	item = account(color="#000000")
	device.push(item)
	key = item["entity_id"]
	step = interleave(lambda: other.push(update("Hisabi Account", key, 1, color="#ffffff")))
	outcome = device.push(update("Hisabi Account", key, 1, icon="coin", color="#000000"), before=step)[0]
	assert outcome.status == "accepted"
	assert device.pull()[0][-1].payload["color"] == "#ffffff"


def test_json_keys_of_both_are_kept(device, other, interleave):
	item = create("Hisabi Debt Request", debt_payload={"a": 1, "b": 1})
	device.push(item)
	key = item["entity_id"]
	step = interleave(
		lambda: other.push(update("Hisabi Debt Request", key, 1, debt_payload={"a": 2, "b": 1}))
	)
	outcome = device.push(update("Hisabi Debt Request", key, 1, debt_payload={"a": 1, "b": 2}), before=step)[
		0
	]
	assert outcome.status == "accepted"
	assert device.pull()[0][-1].payload["debt_payload"] == {"a": 2, "b": 2}


@pytest.fixture
def template(device):
	buckets = [create("Hisabi Bucket", title=t, bucket_name=t) for t in "abc"]
	rows = [{"bucket_id": b["entity_id"], "percentage": 30} for b in buckets]
	item = create("Hisabi Bucket Template", title="T", template_items=rows[:1])
	assert [o.status for o in device.push(*buckets, item)] == ["accepted"] * 4
	return item["entity_id"], rows


def held(device, key):
	payload = next(i for i in device.pull()[0] if i.client_id == key).payload
	return payload["title"], [row["bucket_id"] for row in payload["template_items"]]


def test_row_added_at_the_same_moment_survives_an_edit_of_the_title(device, other, interleave, template):
	key, rows = template
	step = interleave(lambda: other.push(update("Hisabi Bucket Template", key, 1, template_items=rows[:2])))
	outcome = device.push(update("Hisabi Bucket Template", key, 1, title="New"), before=step)[0]
	assert outcome.status == "accepted"
	assert held(device, key) == ("New", [rows[0]["bucket_id"], rows[1]["bucket_id"]])


def test_rows_added_by_both_at_the_same_moment_are_kept(device, other, interleave, template):
	key, rows = template
	step = interleave(lambda: other.push(update("Hisabi Bucket Template", key, 1, template_items=rows[:2])))
	change = update("Hisabi Bucket Template", key, 1, template_items=[rows[0], rows[2]])
	outcome = device.push(change, before=step)[0]
	title, buckets = held(device, key)
	assert outcome.status == "accepted"
	assert buckets == [row["bucket_id"] for row in rows]


def test_digest_of_a_record_is_that_of_its_document(device, other, interleave, template):
	key, rows = template
	step = interleave(lambda: other.push(update("Hisabi Bucket Template", key, 1, template_items=rows[:2])))
	device.push(update("Hisabi Bucket Template", key, 1, title="New"), before=step)
	frappe.db.rollback()
	record = record_of(device.wallet, "Hisabi Bucket Template", key)
	entity = registry().by_name["Hisabi Bucket Template"]
	values = load.documents(entity, [record.document_name])[record.document_name]
	assert digests.differing(record.digest, values, entity) == set()


def test_update_of_a_record_created_at_the_same_moment(device, other, interleave):
	item = account()
	step = interleave(lambda: other.push(item))
	outcome = device.push(update("Hisabi Account", item["entity_id"], 1, icon="x"), before=step)[0]
	assert outcome.status in ("accepted", "error")


def test_create_of_a_record_created_at_the_same_moment(device, other, interleave):
	item = account()
	step = interleave(lambda: other.push(item))
	assert device.push(account(item["entity_id"]), before=step)[0].status == "duplicate"


def test_delete_at_the_same_moment_wins(device, other, interleave):
	item = account()
	device.push(item)
	key = item["entity_id"]
	step = interleave(lambda: other.push(delete("Hisabi Account", key, 1)))
	assert device.push(update("Hisabi Account", key, 1, icon="x"), before=step)[0].code == "deleted"


def test_same_op_at_the_same_moment(device, interleave):
	item = account()
	device.push(item)
	change = update("Hisabi Account", item["entity_id"], 1, icon="x")
	outcome = device.push(change, before=interleave(lambda: device.push(change)))[0]
	assert outcome.status == "accepted" and outcome.repeated and outcome.doc_version == 2


def test_link_to_a_record_deleted_at_the_same_moment_is_one_of_the_two_orders(device, other, interleave):
	item = account()
	device.push(item)
	step = interleave(lambda: other.push(delete("Hisabi Account", item["entity_id"], 1)))
	outcome = device.push(transaction(item["entity_id"]), before=step)[0]
	assert (outcome.status, outcome.code) in (("accepted", None), ("error", "invalid_link"))
	assert record_of(device.wallet, "Hisabi Account", item["entity_id"]).deleted_at
	pulled = {item.client_id for item in device.pull()[0] if not item.deleted_at}
	assert (outcome.client_id in pulled) == (outcome.status == "accepted")
