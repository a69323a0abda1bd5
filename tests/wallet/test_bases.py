"""What a change was made on: own creates, own versions, base values, tombstones."""

import frappe
import pytest

from tests.support.phone import account, create, delete, new_id, transaction, update
from tests.wallet.wire import assert_accepted, assert_item_error, payload_of, record_of

ACCOUNT = "Hisabi Account"


def again(item, **payload):
	"""The same record's create under a new op id, as after a restart that lost the old one."""
	return {**item, "op_id": new_id("op"), "payload": {**item["payload"], **payload}}


def without_version(item, **base_values):
	return {**{k: v for k, v in item.items() if k != "base_version"}, "base_values": base_values}


def color_of(phone, client_id):
	return payload_of(phone, ACCOUNT, client_id)["color"]


# --- creates of what exists


def test_a_create_sent_again_after_an_edit_is_that_edit(shared):
	item = account(color="red")
	shared.push(item)
	(result,) = shared.push(again(item, color="blue"))
	assert_accepted(result, 2)
	assert color_of(shared, item["entity_id"]) == "blue"


def test_a_create_sent_again_is_merged_with_what_others_changed(shared, sibling):
	item = account(color="red")
	cash = item["entity_id"]
	shared.push(item)
	sibling.push(update(ACCOUNT, cash, 1, icon="purse"))
	(result,) = shared.push(again(item, color="blue"))
	assert_accepted(result, 3)
	assert result["merged"] is True
	assert (result["server_record"]["color"], result["server_record"]["icon"]) == ("blue", "purse")


def test_a_create_sent_again_never_takes_back_what_others_changed(shared, sibling):
	item = account(color="red")
	shared.push(item)
	sibling.push(update(ACCOUNT, item["entity_id"], 1, color="green"))
	(result,) = shared.push(again(item))
	assert (result["status"], result["merged"], result["server_record"]["color"]) == (
		"accepted",
		True,
		"green",
	)


def test_a_create_that_collides_with_anothers_edit_is_a_conflict_on_the_own_create(shared, sibling):
	item = account(color="red")
	shared.push(item)
	sibling.push(update(ACCOUNT, item["entity_id"], 1, color="green"))
	(result,) = shared.push(again(item, color="blue"))
	assert (result["status"], result["conflict_fields"]) == ("conflict", ["color"])
	assert result["client_base_version"] == 1
	row = frappe.get_doc("Sync Conflict", result["conflict_id"])
	assert '"red"' in row.base_values and row.kind == "update"


def test_a_create_by_another_device_with_other_values_is_a_conflict(shared, sibling):
	item = account(color="red")
	shared.push(item)
	(result,) = sibling.push(again(item, color="blue"))
	assert (result["status"], result["conflict_fields"]) == ("conflict", ["color"])
	assert result["server_record"]["color"] == "red"
	assert color_of(shared, item["entity_id"]) == "red"
	(equal,) = sibling.push(again(item))
	assert (equal["status"], equal["doc_version"]) == ("duplicate", 1)


def test_both_creates_of_one_batch_are_one_record(shared):
	item = account(color="red")
	first, second = shared.push(item, again(item, color="blue"))
	assert (first["status"], second["status"], second["doc_version"]) == ("accepted", "accepted", 2)
	assert color_of(shared, item["entity_id"]) == "blue"


def test_links_of_a_create_sent_again_are_compared_as_links(shared):
	parent = account()
	item = account(parent_account=parent["entity_id"])
	shared.push(parent, item)
	(result,) = shared.push(again(item))
	assert result["status"] == "duplicate"


# --- own versions


def test_a_device_is_never_in_conflict_with_itself(shared):
	item = account()
	shared.push(item)
	for color in ("red", "blue"):
		(result,) = shared.push(update(ACCOUNT, item["entity_id"], 1, color=color))
		assert result["status"] == "accepted" and "merged" not in result
	assert color_of(shared, item["entity_id"]) == "blue"


def test_nor_with_its_later_self_after_others_worked_too(shared, sibling):
	item = account(color="white")
	cash = item["entity_id"]
	shared.push(item, update(ACCOUNT, cash, 1, color="red"))
	sibling.push(update(ACCOUNT, cash, 2, icon="purse"))
	(fine,) = shared.push(update(ACCOUNT, cash, 1, color="blue"))
	assert (fine["status"], fine["merged"]) == ("accepted", True)
	sibling.push(update(ACCOUNT, cash, 4, color="green"))
	(clash,) = shared.push(update(ACCOUNT, cash, 1, color="black"))
	assert (clash["status"], clash["conflict_fields"]) == ("conflict", ["color"])


# --- base values


@pytest.mark.parametrize("version", [True, False], ids=["beside a version", "instead of a version"])
def test_a_change_is_judged_by_the_values_that_it_was_made_on(shared, sibling, version):
	item = account(color="red", icon="a")
	cash = item["entity_id"]
	shared.push(item)
	sibling.push(update(ACCOUNT, cash, 1, icon="b"))

	def edit(base, **payload):
		sent = {**update(ACCOUNT, cash, 2, **payload), "base_values": base}
		return shared.push(sent if version else without_version(sent, **base))[0]

	clash = edit({"icon": "a"}, icon="c")
	assert (clash["status"], clash["conflict_fields"]) == ("conflict", ["icon"])
	assert frappe.parse_json(frappe.db.get_value("Sync Conflict", clash["conflict_id"], "base_values")) == {
		"icon": "a"
	}
	assert_accepted(edit({"icon": "b"}, icon="c"), 3)
	assert payload_of(shared, ACCOUNT, cash)["icon"] == "c"


def test_base_values_may_have_any_name_of_a_field_and_hold_links(shared, sibling):
	one, two, item = account(), account(), account()
	name = item["entity_id"]
	item["payload"]["parent_account"] = one["entity_id"]
	shared.push(one, two, item)
	edit = update(ACCOUNT, name, 1, title="Purse", parent_account=two["entity_id"])
	(result,) = shared.push(without_version(edit, icon="x", parent_account=one["entity_id"]))
	assert_item_error(result, "base_version_required", ["account_name"])
	(result,) = shared.push(
		without_version({**edit, "op_id": new_id("op")}, title="Cash", parent_account=one["entity_id"])
	)
	assert_accepted(result, 2)


def test_a_base_value_that_points_to_what_is_gone_costs_its_field_only(shared, sibling):
	one, item = account(), account()
	item["payload"]["parent_account"] = one["entity_id"]
	shared.push(one, item)
	moved = update(ACCOUNT, item["entity_id"], 1, parent_account=None)
	(result,) = shared.push(without_version(moved, parent_account="no-such-account"))
	assert (result["status"], result["conflict_fields"]) == ("conflict", ["parent_account"])


def test_a_delete_may_say_what_was_seen_instead_of_a_version(shared):
	item = account(color="red")
	shared.push(item)
	(result,) = shared.push(without_version(delete(ACCOUNT, item["entity_id"], 1), color="red"))
	assert_accepted(result, 2)


@pytest.mark.parametrize(
	("base_values", "code"),
	[
		(None, "base_version_required"),
		({}, "base_version_required"),
		({"icon": "a"}, "base_version_required"),
		("red", "base_values_must_be_object"),
		([], "base_values_must_be_object"),
	],
)
def test_base_values_that_do_not_say_what_was_seen_are_refused(shared, base_values, code):
	item = account()
	shared.push(item)
	edit = update(ACCOUNT, item["entity_id"], None, color="red")
	(result,) = shared.push({**edit, "base_values": base_values})
	assert_item_error(result, code)


def test_other_base_values_are_another_change(shared):
	item = account(color="red")
	shared.push(item)
	edit = {**update(ACCOUNT, item["entity_id"], 1, color="blue"), "base_values": {"color": "red"}}
	assert_accepted(shared.push(edit)[0], 2)
	assert shared.push(edit)[0]["already_applied"] is True
	(other,) = shared.push({**edit, "base_values": {"color": "green"}})
	assert_item_error(other, "op_id_reused")


# --- a fixed id that was deleted


def test_a_deleted_record_begins_again_for_who_saw_its_tombstone(shared, sibling):
	item = account(color="red", icon="a")
	cash = item["entity_id"]
	shared.push(item)
	sibling.pull()
	shared.push(delete(ACCOUNT, cash, 1))
	sibling.pull()
	assert (ACCOUNT, cash) not in sibling.replica
	(blind,) = shared.push(again(item))
	assert_item_error(blind, "deleted")
	begun = {**account(cash, color="blue"), "base_version": blind["detail"]["doc_version"]}
	(result,) = shared.push(begun)
	assert_accepted(result, 3)
	assert shared.push(begun)[0]["already_applied"] is True
	sibling.pull()
	held = sibling.replica[ACCOUNT, cash]
	assert (held["doc_version"], held["payload"]["color"], held["payload"]["icon"]) == (3, "blue", None)
	(late,) = sibling.push(update(ACCOUNT, cash, 1, icon="b"))
	assert late["status"] == "conflict", "an edit of the former life"


@pytest.mark.parametrize("version", [1, 3])
def test_who_did_not_see_the_tombstone_does_not_begin_the_record_again(shared, version):
	item = account()
	shared.push(item, delete(ACCOUNT, item["entity_id"], 1))
	(result,) = shared.push({**again(item), "base_version": version})
	assert result["error_code"] in ("deleted", "base_version_not_allowed")
	assert record_of(shared, ACCOUNT, item["entity_id"]) is None


def test_an_update_on_the_tombstone_revives_nothing(shared):
	item = account()
	shared.push(item, delete(ACCOUNT, item["entity_id"], 1))
	(result,) = shared.push(update(ACCOUNT, item["entity_id"], 2, color="red"))
	assert_item_error(result, "deleted")


def test_two_devices_that_begin_it_again_meet_like_any_two_creates(shared, sibling):
	item = account()
	cash = item["entity_id"]
	shared.push(item, delete(ACCOUNT, cash, 1))
	first, other = ({**account(cash, color=color), "base_version": 2} for color in ("red", "blue"))
	assert_accepted(shared.push(first)[0], 3)
	assert sibling.push(other)[0]["status"] == "conflict"
	assert_accepted(shared.push({**again(first, color="green"), "base_version": 2})[0], 4)


def test_what_follows_from_others_is_right_when_a_record_begins_again(shared):
	item = account()
	cash = item["entity_id"]
	shared.push(item, transaction(cash, amount=5))
	shared.push(delete(ACCOUNT, cash, 1))
	version = shared.push(again(item))[0]["detail"]["doc_version"]
	shared.push({**again(item, opening_balance=100), "base_version": version})
	assert payload_of(shared, ACCOUNT, cash)["current_balance"] == 95


def test_child_rows_begin_again_too(shared):
	bucket = create("Hisabi Bucket", title="Rent")
	rows = [{"bucket_id": bucket["entity_id"], "percentage": 100}]
	item = create("Hisabi Bucket Template", title="All", template_items=rows)
	shared.push(bucket, item, delete("Hisabi Bucket Template", item["entity_id"], 1))
	(result,) = shared.push({**again(item, title="Again"), "base_version": 2})
	assert_accepted(result, 3)
	held = payload_of(shared, "Hisabi Bucket Template", item["entity_id"])
	assert (held["title"], [row["percentage"] for row in held["template_items"]]) == ("Again", [100])
