"""A cursor that is continued with other entity types catches up with them; positions are acknowledged by type."""

import frappe
import pytest

from hisabi_sync.engine import garbage
from hisabi_sync.engine.model import ids
from tests.support.phone import account, create, delete
from tests.wallet.people import sign_in, sign_up
from tests.wallet.wire import assert_refused

ACCOUNT, CATEGORY = "Hisabi Account", "Hisabi Category"


def category(client_id=None):
	return create(CATEGORY, client_id, category_name="Food", kind="expense")


@pytest.fixture
def phone(server, site):
	return sign_in(server, site, sign_up())


def pulled(phone, cursor=None, limit=100, **more):
	"""(client ids, {client id: is_deleted}, cursor behind all pages)."""
	found, going = [], True
	while going:
		answer = phone.page(**({"cursor": cursor} if cursor else {}), limit=limit, **more)
		assert answer.status_code == 200, answer.text
		message = answer.json()["message"]
		found += message["items"]
		cursor, going = message["next_cursor"], message["has_more"]
	return {item["client_id"]: item["is_deleted"] for item in found}, cursor


def acknowledge(phone, cursor):
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, "cursor": cursor}
	assert phone.call("sync.sync_ack", body).status_code == 200
	frappe.db.rollback()


@pytest.mark.parametrize("then", [[CATEGORY], [ACCOUNT, CATEGORY], None], ids=str)
@pytest.mark.parametrize("limit", [1, 100])
def test_a_cursor_that_is_continued_with_another_type_catches_up(phone, then, limit):
	food, cash, more = category(), account(), account()
	phone.push(food, cash)
	first, cursor = pulled(phone, entity_types=[ACCOUNT])
	assert list(first) == [cash["entity_id"]]
	phone.push(more)
	second, _ = pulled(phone, cursor, limit, **({"entity_types": then} if then else {}))
	assert food["entity_id"] in second
	assert (more["entity_id"] in second) is (then != [CATEGORY])
	assert cash["entity_id"] not in second, "it was told before"


def test_a_cursor_goes_on_with_its_first_type_after_others(phone):
	cash, later, food = account(), account(), category()
	phone.push(cash, food)
	_, cursor = pulled(phone, entity_types=[ACCOUNT])
	phone.push(later)
	_, cursor = pulled(phone, cursor, entity_types=[CATEGORY])
	third, cursor = pulled(phone, cursor, entity_types=[ACCOUNT])
	assert list(third) == [later["entity_id"]]
	rest, _ = pulled(phone, cursor)
	assert not {cash["entity_id"], later["entity_id"], food["entity_id"]} & set(rest)


def test_a_cursor_of_all_types_is_one_of_each(phone):
	"""Cursors in the field are of all types, and go on with any."""
	phone.push(account(), category())
	_, cursor = pulled(phone)
	assert len(cursor) == 55, "the form that devices in the field have"
	later = category()
	phone.push(later)
	found, cursor = pulled(phone, cursor, entity_types=[CATEGORY])
	assert list(found) == [later["entity_id"]]
	assert pulled(phone, cursor)[0] == {}


def test_a_delete_is_told_by_the_position_of_its_type(phone):
	cash, food = account(), category()
	phone.push(cash, food)
	_, cursor = pulled(phone, entity_types=[CATEGORY])
	_, cursor = pulled(phone, cursor, entity_types=[ACCOUNT])
	phone.push(delete(ACCOUNT, cash["entity_id"], 1))
	_, cursor = pulled(phone, cursor, entity_types=[CATEGORY])
	found, _ = pulled(phone, cursor, entity_types=[ACCOUNT])
	assert found == {cash["entity_id"]: True}


def test_an_acknowledged_position_of_one_type_keeps_the_tombstones_of_another(phone):
	food, gone = category(), category()
	phone.push(food, gone, account())
	_, of_categories = pulled(phone, entity_types=[CATEGORY])
	phone.push(delete(CATEGORY, gone["entity_id"], 1))
	_, of_accounts = pulled(phone, entity_types=[ACCOUNT])
	acknowledge(phone, of_accounts)
	assert garbage.collect_space(ids.space("wallet", phone.wallet_id)) == 0
	found, of_categories = pulled(phone, of_categories, entity_types=[CATEGORY])
	assert found == {gone["entity_id"]: True}
	acknowledge(phone, of_categories)
	assert garbage.collect_space(ids.space("wallet", phone.wallet_id)) == 1


def test_collected_tombstones_of_one_type_make_no_cursor_of_another_too_old(phone):
	food, gone = category(), category()
	phone.push(food, gone, account())
	_, of_accounts = pulled(phone, entity_types=[ACCOUNT])
	_, early = pulled(phone, entity_types=[CATEGORY])
	phone.push(delete(CATEGORY, gone["entity_id"], 1))
	_, of_categories = pulled(phone, early, entity_types=[CATEGORY])
	acknowledge(phone, of_categories)
	assert garbage.collect_space(ids.space("wallet", phone.wallet_id)) == 1
	assert pulled(phone, of_accounts, entity_types=[ACCOUNT])[0] == {}
	refused = assert_refused(phone.page(cursor=early, entity_types=[CATEGORY]), 410, "resync_required")
	assert refused["reason"] == "position_too_old"


def test_who_pushes_goes_on_from_what_it_acknowledged_of_each_type(phone):
	cash, food = account(), category()
	phone.push(cash, food)
	_, of_accounts = pulled(phone, entity_types=[ACCOUNT])
	acknowledge(phone, of_accounts)
	answer = phone.send([account()]).json()["message"]
	assert list(pulled(phone, answer["cursor"], entity_types=[ACCOUNT])[0]) == [
		answer["results"][0]["client_id"]
	]
	assert food["entity_id"] in pulled(phone, answer["cursor"], entity_types=[CATEGORY])[0]


def test_a_later_word_about_all_types_counts_for_one_that_was_named_before(phone):
	gone = category()
	phone.push(gone, account())
	acknowledge(phone, pulled(phone, entity_types=[CATEGORY])[1])
	phone.push(delete(CATEGORY, gone["entity_id"], 1))
	acknowledge(phone, pulled(phone)[1])
	assert garbage.collect_space(ids.space("wallet", phone.wallet_id)) == 1
