"""Links lead to other spaces: orders of a territory name items of a catalogue, by client id or by document name."""

import os

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.engine import push
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from tests.support import doctypes
from tests.support.doctypes import column, columns, permission
from tests.support.engine import change, document_of, fetch, send
from tests.support.phone import new_id
from tests.support.users import make_user

ITEM, ORDER = f"Elsewhere Item {os.getpid()}", f"Elsewhere Order {os.getpid()}"
ROW, ROLE, SELLER = f"{ORDER} Row", f"Elsewhere Reader {os.getpid()}", f"Elsewhere Seller {os.getpid()}"
SPACE_TYPE = f"elsewhere-{os.getpid()}"


@pytest.fixture(scope="module", autouse=True)
def shop(site):
	"""Items are read by the role; everybody may write orders, which hold links to items, alone and in rows."""
	frappe.set_user("Administrator")
	for role in (ROLE, SELLER):
		frappe.get_doc({"doctype": "Role", "role_name": role}).insert(ignore_if_duplicate=True)
	doctypes.make(
		ITEM, columns("team", "title"), permissions=[permission(), permission(ROLE)], allow_rename=1
	)
	doctypes.make(ROW, [column("item", "Link", ITEM), column("qty", "Int")], istable=1)
	order = (*columns("team", "title"), column("item", "Link", ITEM), column("lines", "Table", ROW))
	doctypes.make(ORDER, order, permissions=[permission(), permission(SELLER)])
	for name in (ITEM, ORDER):
		doctypes.sync(name, SPACE_TYPE, "team", check_permissions=1)
	entity_types.forget()
	frappe.db.commit()
	yield
	doctypes.remove(ORDER, ROW, ITEM)


def person(*roles):
	return make_user(*roles)


def caller_of(user, key):
	space = spaces.ensure(SPACE_TYPE, key)
	return Caller(user, space, f"device-of-{user}-{key}", SPACE_TYPE, key)


def join(user, *keys):
	for key in keys:
		spaces.set_member(spaces.ensure(SPACE_TYPE, key), user, "member")
	frappe.db.commit()


def item(team, name=None):
	doc = frappe.get_doc({"doctype": ITEM, "team": team, "title": "An item"})
	doc.insert(set_name=name or new_id("ITM"))
	frappe.db.commit()
	return doc.name


@pytest.fixture
def keys():
	return new_id("north"), new_id("catalogue")


@pytest.fixture
def rep(keys):
	"""A caller in the territory who is a member of the catalogue too."""
	user = person(ROLE, SELLER)
	join(user, *keys)
	return caller_of(user, keys[0])


def order(name, **more):
	return change(ORDER, new_id("order"), lines=[{"item": name, "qty": 1}], item=name, **more)


def shown(caller, client_id):
	return next(one.payload for one in fetch(caller)[0] if one.client_id == client_id)


def links_of(payload):
	return payload["item"], payload["lines"][0]["item"]


def refused(outcome):
	assert (outcome.status, outcome.code) == ("error", "invalid_link"), outcome
	return sorted(outcome.detail), outcome.message


def test_an_order_names_an_item_of_the_catalogue_by_its_name(rep, keys):
	name = item(keys[1])
	sent = order(name)
	assert send(rep, sent)[0].status == "accepted"
	assert links_of(shown(rep, sent.client_id)) == (name, name)
	assert frappe.db.get_value(ORDER, document_of(rep, sent.client_id), "item") == name


def test_an_item_that_a_phone_made_is_named_by_either(rep, keys):
	"""Both lead to the same document, and both are shown as the client id, which the catalogue's replica has."""
	client_id = new_id("Made by a phone ")
	there = caller_of(rep.user, keys[1])
	assert send(there, change(ITEM, client_id, title="New"))[0].status == "accepted"
	name = document_of(there, client_id)
	assert name != client_id
	for given in (client_id, name):
		sent = order(given)
		assert send(rep, sent)[0].status == "accepted"
		assert frappe.db.get_value(ORDER, document_of(rep, sent.client_id), "item") == name
		assert links_of(shown(rep, sent.client_id)) == (client_id, client_id)


def test_who_is_no_member_of_the_catalogue_names_what_frappe_lets_them_read(rep, keys):
	"""By its document's name, exactly, and not by the client id, which belongs to the catalogue's replica."""
	client_id, name = new_id("Made by a phone "), item(keys[1])
	assert send(caller_of(rep.user, keys[1]), change(ITEM, client_id, title="New"))[0].status == "accepted"
	made = document_of(caller_of(rep.user, keys[1]), client_id)
	stranger = person(ROLE, SELLER)
	join(stranger, keys[0])
	other = caller_of(stranger, keys[0])
	for given in (name, made):
		sent = order(given)
		assert send(other, sent)[0].status == "accepted"
		assert links_of(shown(other, sent.client_id)) == (given, given)
	assert refused(send(other, order(client_id))[0]) == refused(send(other, order(name.lower()))[0])
	assert refused(send(other, order(client_id))[0]) == refused(send(other, order("none"))[0])


def test_who_is_no_member_and_may_not_read_is_answered_as_if_it_were_empty(rep, keys):
	name, stranger = item(keys[1]), person(SELLER)
	join(stranger, keys[0])
	other = caller_of(stranger, keys[0])
	answers = [refused(send(other, order(given))[0]) for given in (name, name.lower(), "none")]
	assert answers[0] == answers[1] == answers[2]


def test_a_user_permission_hides_an_item_of_another_space(rep, keys):
	name, open_one, stranger = item(keys[1]), item(keys[1]), person(ROLE, SELLER)
	join(stranger, keys[0])
	about = {"doctype": "User Permission", "user": stranger, "allow": ITEM, "for_value": open_one}
	frappe.get_doc({**about, "apply_to_all_doctypes": 0, "applicable_for": ITEM}).insert()
	frappe.db.commit()
	other = caller_of(stranger, keys[0])
	assert send(other, order(open_one))[0].status == "accepted"
	assert refused(send(other, order(name))[0]) == refused(send(other, order("none"))[0])


def test_a_member_without_the_right_to_read_items_names_none(keys):
	user = person(SELLER)
	join(user, *keys)
	caller = caller_of(user, keys[0])
	name = item(keys[1])
	assert refused(send(caller, order(name))[0]) == refused(send(caller, order("none"))[0])


def test_a_link_is_never_shown_as_null_and_may_stay(rep, keys):
	"""Also to those who may not read what it leads to: its name is a text of the record."""
	name, stranger = item(keys[1]), person(ROLE, SELLER)
	join(stranger, keys[0])
	other, sent = caller_of(stranger, keys[0]), order(name)
	assert send(rep, sent)[0].status == "accepted"
	payload = shown(other, sent.client_id)
	assert links_of(payload) == (name, name)
	again = change(ORDER, sent.client_id, "update", 1, title="Echo", item=name, lines=payload["lines"])
	(outcome,) = send(other, again)
	assert outcome.status == "accepted", outcome
	assert links_of(shown(other, sent.client_id)) == (name, name)


def test_a_type_that_is_switched_off_is_linked_to_as_before(rep, keys):
	name = item(keys[1])
	frappe.db.set_value("Sync Entity", ITEM, "enabled", 0)
	entity_types.renew()
	try:
		sent = order(name)
		assert send(rep, sent)[0].status == "accepted"
		assert links_of(shown(rep, sent.client_id)) == (name, name)
	finally:
		frappe.db.set_value("Sync Entity", ITEM, "enabled", 1)
		entity_types.renew()


def test_a_document_in_no_space_is_named_by_those_who_may_read_it(rep, keys):
	name, seller = item(None), person(SELLER)
	join(seller, *keys)
	assert send(rep, order(name))[0].status == "accepted"
	refused(send(caller_of(seller, keys[0]), order(name))[0])


def test_a_record_of_the_own_space_is_named_by_its_document(rep, keys):
	name = item(keys[0], new_id("An item with blanks, and a name that is long "))
	assert send(rep, order(name))[0].status == "accepted"


def test_a_deleted_item_is_none(rep, keys):
	name = item(keys[1])
	frappe.delete_doc(ITEM, name)
	frappe.db.commit()
	refused(send(rep, order(name))[0])


def test_many_links_need_no_more_statements(rep, keys):
	"""Of orders that are refused for one link each, because an accepted one is saved by itself."""

	def cost(count):
		sent = [order(name, title="x") for name in [item(keys[1]) for _ in range(count)]]
		for one in sent:
			one.payload["item"] = new_id("none")
		frappe.db.rollback()
		frappe.set_user(rep.user)
		with Counted() as seen:
			outcomes = push.push(rep, sent, push.Options("test")).outcomes
		frappe.set_user("Administrator")
		assert [one.detail for one in outcomes] == [["item"]] * count
		return len(seen)

	cost(1)
	assert cost(2) == cost(20)


def test_what_other_spaces_call_so_costs_nothing(rep, keys):
	"""Ids that apps choose, such as `main`, stand in every space of a site."""
	named, entity = new_id("main"), entity_types.registry().by_doctype[ITEM]

	def cost():
		frappe.db.rollback()
		before = rows_read()
		assert refused(send(rep, order(named))[0])[0] == ["item", "lines.item"]
		return rows_read() - before

	cost()
	few = cost()
	frappe.db.sql(
		"""INSERT INTO `tabSync Record` (name, space, entity_type, client_id, document_type, document_name, sequence, doc_version)
		SELECT CONCAT(%(key)s, seq), CONCAT(%(key)s, seq), %(entity)s, %(key)s, %(doctype)s, CONCAT(%(key)s, seq), 1, 1
		FROM seq_1_to_2000""",
		{"key": named, "entity": entity.name, "doctype": ITEM},
	)
	frappe.db.commit()
	try:
		assert cost() < few + 500
	finally:
		frappe.db.rollback()
		frappe.db.delete("Sync Record", {"client_id": named})
		frappe.db.commit()


def rows_read():
	"""Rows that the storage engine has handed over to this connection."""
	return sum(int(row[1]) for row in frappe.db.sql("SHOW SESSION STATUS LIKE 'Handler_read%%'"))


def test_a_page_shows_many_links_by_no_more_statements(rep, keys):
	def cost(count):
		assert {one.status for one in send(rep, *[order(item(keys[1])) for _ in range(count)])} == {
			"accepted"
		}
		with Counted() as seen:
			assert len(fetch(rep, limit=10_000)[0]) >= count
		return len(seen)

	cost(1)
	assert cost(2) == cost(10)


def test_a_link_to_a_merged_item_goes_to_the_one_that_stays(rep, keys):
	"""By the client id that the merged one had, which a phone keeps until it pulls; the answer says which one stays."""
	there = caller_of(rep.user, keys[1])
	old, other, last = (new_id("Made by a phone ") for _ in range(3))
	assert {
		one.status for one in send(there, *[change(ITEM, given, title="x") for given in (old, other, last)])
	} == {"accepted"}
	names = [document_of(there, given) for given in (old, other, last)]
	frappe.rename_doc(ITEM, names[0], names[1], merge=True, force=True)
	frappe.rename_doc(ITEM, names[1], names[2], merge=True, force=True)
	frappe.db.commit()
	sent = order(old)
	(outcome,) = send(rep, sent)
	assert (outcome.status, outcome.merged, sorted(outcome.adjusted)) == (
		"accepted",
		True,
		["item", "lines.item"],
	)
	assert links_of(outcome.record) == links_of(shown(rep, sent.client_id)) == (last, last)


def test_a_link_to_an_item_that_was_merged_and_deleted_is_none(rep, keys):
	there = caller_of(rep.user, keys[1])
	old, other = (new_id("Made by a phone ") for _ in range(2))
	send(there, *[change(ITEM, given, title="x") for given in (old, other)])
	names = [document_of(there, given) for given in (old, other)]
	frappe.rename_doc(ITEM, names[0], names[1], merge=True, force=True)
	frappe.delete_doc(ITEM, names[1])
	frappe.db.commit()
	assert refused(send(rep, order(old))[0]) == refused(send(rep, order("none"))[0])


def test_a_name_that_is_taken_again_after_a_merge_is_the_new_document(rep, keys):
	name, other = item(keys[0]), item(keys[0])
	frappe.rename_doc(ITEM, name, other, merge=True, force=True)
	frappe.db.commit()
	item(keys[0], name)
	sent = order(name)
	assert send(rep, sent)[0].adjusted is None
	assert links_of(shown(rep, sent.client_id)) == (name, name)


def test_who_may_not_read_the_one_that_stays_learns_nothing_of_a_merge(rep, keys):
	name, other, seller = item(keys[0]), item(keys[0]), person(SELLER)
	join(seller, keys[0])
	frappe.rename_doc(ITEM, name, other, merge=True, force=True)
	frappe.db.commit()
	caller = caller_of(seller, keys[0])
	assert refused(send(caller, order(name))[0]) == refused(send(caller, order("none"))[0])
