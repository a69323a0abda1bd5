"""Rows of a child table, as docs/clients.md tells clients to send them."""

import pytest

from tests.support.phone import create, update
from tests.wallet.wire import payload_of

TEMPLATE = "Hisabi Bucket Template"


@pytest.fixture
def buckets(shared):
	"""Ids of three buckets in the wallet."""
	made = [create("Hisabi Bucket", title=title) for title in ("Food", "Rent", "Fun")]
	shared.push(*made)
	return [item["entity_id"] for item in made]


def row(bucket, percentage=10, **more):
	return {"bucket_id": bucket, "percentage": percentage, **more}


def template(*rows):
	return create(TEMPLATE, title="Split", template_items=list(rows))


def held(phone, key):
	return payload_of(phone, TEMPLATE, key)["template_items"]


def test_a_name_of_the_devices_own_is_replaced_and_told(shared, buckets):
	item = template(row(buckets[0], name="mine"), row(buckets[1]))
	(answer,) = shared.push(item)
	assert (answer["status"], answer["merged"]) == ("accepted", True)
	names = [one["name"] for one in answer["server_record"]["template_items"]]
	assert all(names) and "mine" not in names
	assert names == [one["name"] for one in held(shared, item["entity_id"])]


def test_rows_that_come_without_names_get_some_and_nothing_is_told(shared, buckets):
	item = template(row(buckets[0]), row(buckets[1]))
	(answer,) = shared.push(item)
	assert answer["status"] == "accepted" and "merged" not in answer
	assert all(one["name"] for one in held(shared, item["entity_id"]))


def test_an_update_with_the_names_of_the_pull_keeps_them_and_drops_what_is_missing(shared, buckets):
	item = template(*map(row, buckets))
	shared.push(item)
	first, _, third = held(shared, item["entity_id"])
	change = update(TEMPLATE, item["entity_id"], 1, template_items=[{**third, "percentage": 70}, first])
	(answer,) = shared.push(change)
	assert answer["status"] == "accepted" and "merged" not in answer
	assert held(shared, item["entity_id"]) == [{**third, "percentage": 70}, first]


def test_a_new_row_with_a_name_of_its_own_is_told_in_an_update_too(shared, buckets):
	item = template(row(buckets[0]))
	shared.push(item)
	(first,) = held(shared, item["entity_id"])
	given = [first, row(buckets[1], name="mine")]
	(answer,) = shared.push(update(TEMPLATE, item["entity_id"], 1, template_items=given))
	assert (answer["status"], answer["merged"]) == ("accepted", True)
	assert answer["server_record"]["template_items"] == held(shared, item["entity_id"])


def test_rows_without_names_are_known_by_their_links(shared, buckets):
	item = template(row(buckets[0]), row(buckets[1]))
	shared.push(item)
	first, second = held(shared, item["entity_id"])
	shared.push(update(TEMPLATE, item["entity_id"], 1, template_items=[row(buckets[1], 20), row(buckets[0])]))
	assert held(shared, item["entity_id"]) == [{**second, "percentage": 20}, first]


def test_a_row_keeps_what_is_left_out_and_needs_what_its_doctype_demands(shared, buckets):
	item = template(row(buckets[0]))
	shared.push(item)
	(first,) = held(shared, item["entity_id"])
	part = {"name": first["name"], "percentage": 15}
	(answer,) = shared.push(update(TEMPLATE, item["entity_id"], 1, template_items=[part]))
	assert answer["status"] == "accepted" and "merged" not in answer
	assert held(shared, item["entity_id"]) == [{**first, "percentage": 15}]
	for lacking in ({"percentage": 5}, {**part, "bucket_id": None}):
		(answer,) = shared.push(update(TEMPLATE, item["entity_id"], 2, template_items=[lacking]))
		assert (answer["error_code"], answer["detail"]) == (
			"missing_required_fields",
			["template_items.bucket_id"],
		)
