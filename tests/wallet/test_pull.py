"""Pulling: pages and filters lose nothing (promises 2 and 4)."""

import random

import frappe
import pytest

from tests.support.phone import account, create, delete, new_id, update
from tests.wallet.pulls import keys, message_of, start_over, take, truth
from tests.wallet.wire import TIME, assert_refused

ACCOUNT, BUDGET, RATE = "Hisabi Account", "Hisabi Budget", "Hisabi FX Rate"


def rate(**payload):
	return create(RATE, **{"base_currency": "USD", "quote_currency": "SAR", "rate": 3.75, **payload})


# --- pages


def scribble(phone, known, chance):
	"""Create, change or delete something; `known` is {client id: version} of live accounts."""
	kind = chance.choice(("create", "create", "update", "update", "delete")) if known else "create"
	held = chance.choice(sorted(known)) if known else None
	item = {
		"create": account,
		"update": lambda: update(ACCOUNT, held, known[held], icon=new_id()),
		"delete": lambda: delete(ACCOUNT, held, known[held]),
	}[kind]()
	(result,) = phone.push(item)
	assert result["status"] == "accepted", result
	if kind == "delete":
		del known[held]
	else:
		known[item["entity_id"]] = result["doc_version"]


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize("first", [True, False], ids=["first pull", "later pull"])
def test_pages_lose_nothing_while_another_phone_writes_between_them(wallet, limit, first):
	(reader, writer), chance, known = wallet, random.Random(limit), {}
	start_over(reader)
	if not first:
		reader.pull()
	for _ in range(8):
		scribble(writer, known, chance)
	writes, more = 12, True
	while more:
		message = message_of(reader.page(limit=limit, **({"cursor": reader.cursor} if reader.cursor else {})))
		assert len(message["items"]) <= limit
		take(reader, message)
		more = message["has_more"]
		if writes:
			scribble(writer, known, chance)
			writes, more = writes - 1, True
	assert reader.replica == truth(writer)


def test_pages_of_any_size_hold_the_same_items_in_the_same_order(wallet):
	reader, writer = wallet
	writer.push(*(account() for _ in range(5)), rate())
	whole = message_of(reader.page(limit=5000))["items"]
	for limit in (3, len(whole) - 1, len(whole)):
		items, cursor, more = [], None, True
		while more:
			message = message_of(reader.page(limit=limit, **({"cursor": cursor} if cursor else {})))
			items, cursor, more = items + message["items"], message["next_cursor"], message["has_more"]
			assert len(message["items"]) == limit or not more
		assert items == whole


def test_has_more_is_true_only_when_something_is_left(wallet):
	reader, writer = wallet
	reader.pull()
	writer.push(*(account() for _ in range(4)))
	for limit, more in ((3, True), (4, False), (5, False)):
		message = message_of(reader.page(cursor=reader.cursor, limit=limit))
		assert (len(message["items"]), message["has_more"]) == (min(limit, 4), more)


def test_a_pull_with_nothing_new_is_empty_and_its_cursor_goes_on_working(wallet):
	reader, writer = wallet
	reader.pull()
	for _ in range(3):
		assert reader.pull() == []
	item = account()
	writer.push(item)
	assert keys(reader.pull()) == [(ACCOUNT, item["entity_id"])]


def test_a_page_can_be_asked_for_again(wallet):
	reader, writer = wallet
	reader.pull()
	writer.push(account(), account())
	pages = [message_of(reader.page(cursor=reader.cursor, limit=1))["items"] for _ in range(2)]
	assert pages[0] == pages[1]


def test_a_record_that_changed_many_times_comes_once_as_it_is_now(wallet):
	reader, writer = wallet
	item = account()
	writer.push(item, *(update(ACCOUNT, item["entity_id"], n, icon=f"i{n}") for n in range(1, 6)))
	(pulled,) = [i for i in reader.pull() if i["client_id"] == item["entity_id"]]
	assert (pulled["doc_version"], pulled["payload"]["icon"]) == (6, "i5")


def test_a_change_made_in_the_desk_is_pulled(wallet):
	reader, writer = wallet
	item = account()
	writer.push(item)
	reader.pull()
	doc = frappe.get_doc(ACCOUNT, {"client_id": item["entity_id"], "wallet_id": writer.wallet_id})
	doc.icon = "desk"
	doc.save()
	frappe.db.commit()
	(pulled,) = reader.pull()
	assert (pulled["doc_version"], pulled["payload"]["icon"]) == (2, "desk")


# --- deletes


def test_a_first_pull_has_no_tombstones_but_tells_deletes_that_happen_during_it(wallet):
	reader, writer = wallet
	gone, doomed = account(), account()
	writer.push(gone, doomed, delete(ACCOUNT, gone["entity_id"], 1), account())
	message = message_of(reader.page(limit=1))
	writer.push(delete(ACCOUNT, doomed["entity_id"], 1))
	items, told = message["items"], []
	while message["has_more"]:
		message = message_of(reader.page(cursor=message["next_cursor"], limit=1))
		items += message["items"]
	told = [item["client_id"] for item in items if item["is_deleted"]]
	assert told == [doomed["entity_id"]]


def test_a_tombstone_has_no_payload(wallet):
	reader, writer = wallet
	item = account(account_name="secret")
	writer.push(item)
	reader.pull()
	writer.push(delete(ACCOUNT, item["entity_id"], 1))
	(pulled,) = reader.pull()
	assert (pulled["payload"], pulled["is_deleted"], pulled["doc_version"]) == ({}, True, 2)
	assert TIME.fullmatch(pulled["deleted_at"])


# --- filters


@pytest.mark.parametrize("form", [list, lambda names: frappe.as_json(names)], ids=["list", "JSON text"])
def test_a_filter_brings_only_the_types_that_it_names(wallet, form):
	reader, writer = wallet
	writer.push(account(), rate(), create(BUDGET, **{}))
	expected = [key for key in truth(reader) if key[0] in (ACCOUNT, RATE)]
	message = message_of(reader.page(entity_types=form([ACCOUNT, RATE]), limit=5000))
	assert keys(message["items"]) == expected
	assert {key[0] for key in expected} == {ACCOUNT, RATE}


def test_one_type_may_be_named_as_text(wallet):
	wallet[1].push(rate())
	message = message_of(wallet[0].page(entity_types=RATE, limit=5000))
	assert {item["entity_type"] for item in message["items"]} == {RATE}


def test_a_filter_of_no_types_brings_nothing(wallet):
	assert message_of(wallet[0].page(entity_types=[]))["items"] == []


def test_a_filter_with_an_unknown_type_is_refused(wallet):
	for wrong in (["Nonsense"], [ACCOUNT, "User"], "hisabi account"):
		assert_refused(wallet[0].page(entity_types=wrong), 417, "unsupported_entity_type")


@pytest.mark.parametrize("limit", [1, 2])
def test_filtered_pages_lose_nothing_while_another_phone_writes(wallet, limit):
	reader, writer = wallet
	writer.push(rate(), account(), rate(), account(), rate())
	held, cursor, writes, more = {}, None, 6, True
	while more:
		given = {"cursor": cursor} if cursor else {}
		message = message_of(reader.page(entity_types=[RATE], limit=limit, **given))
		held.update({item["client_id"]: item for item in message["items"]})
		cursor, more = message["next_cursor"], message["has_more"]
		if writes:
			writer.push(rate(), account())
			writes, more = writes - 1, True
	assert held == {key[1]: item for key, item in truth(writer).items() if key[0] == RATE}
