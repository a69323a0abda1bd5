"""A tombstone goes to devices that had the record, or may have had it: names of what a person may never read say too much."""

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.engine.pull import pull
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id
from tests.visibility.world import CLERK, COUNTRY, ELSEWHERE, NOTE, as_user


@pytest.fixture
def office(notes):
	"""An office of its own for each test, whose pulls have few records."""
	from tests.visibility.world import Office

	frappe.set_user("Administrator")
	frappe.db.rollback()
	return Office()


@pytest.fixture
def outsider(office):
	"""A member of the space whose roles let them read no note."""
	return office._person("outsider", "Hisabi User")


def told(caller, token=None, **more):
	"""({client id: whether it is a tombstone}, cursor) of a pull of all pages."""
	items, token = fetch(caller, token, **more)
	return {item.client_id: bool(item.deleted_at) for item in items}, token


def set_role(caller, held):
	frappe.set_user("Administrator")
	user = frappe.get_doc("User", caller.user)
	(user.add_roles if held else user.remove_roles)(CLERK)
	frappe.db.commit()


def delete(office, client_id):
	assert send(office.author, change(NOTE, client_id, "delete", 2))[0].status == "accepted"


def test_who_may_read_nothing_of_a_type_hears_nothing_of_it(office, outsider):
	names = [office.note() for _ in range(3)]
	found, token = told(outsider)
	assert found == {}
	delete(office, names[0])
	office.note()
	assert told(outsider, token)[0] == told(outsider)[0] == {}
	assert len(told(office.clerk)[0]) == 3


def test_what_is_out_of_reach_costs_no_pages(office, outsider):
	for _ in range(5):
		office.note()
	with as_user(outsider.user), Counted() as seen:
		page = pull(outsider, limit=2)
	assert (page.items, page.has_more) == ([], False), seen


def test_a_first_pull_has_no_tombstones(office):
	"""Notes of another country are hidden from this person by a User Permission."""
	hidden, seen = [office.note() for _ in range(3)], office.note(country=ELSEWHERE)
	for limit in (500, 1, 2):
		found, _ = told(office.kept, limit=limit)
		assert found == {seen: False}
	assert len(told(office.clerk)[0]) == len(hidden) + 1


def test_a_new_record_out_of_sight_is_not_told(office):
	_, token = told(office.kept)
	client_id = new_id("note")
	assert send(office.author, change(NOTE, client_id, title="x", country=COUNTRY))[0].status == "accepted"
	assert told(office.kept, token)[0] == {}


def test_a_record_that_leaves_sight_is_taken_from_the_device(office):
	client_id = office.note(country=ELSEWHERE)
	found, token = told(office.kept)
	assert found == {client_id: False}
	assert send(office.author, change(NOTE, client_id, "update", 2, country=COUNTRY))[0].status == "accepted"
	assert told(office.kept, token)[0] == {client_id: True}


@pytest.mark.parametrize("limit", [500, 1, 2])
def test_a_lost_right_takes_what_the_device_had_and_names_nothing_else(office, outsider, limit):
	"""On every page: the device had the first three; what came later it never saw."""
	had = [office.note() for _ in range(3)]
	set_role(outsider, True)
	found, token = told(outsider)
	assert found == dict.fromkeys(had, False)
	later = new_id("note")
	assert send(office.author, change(NOTE, later, title="later", country=COUNTRY))[0].status == "accepted"
	set_role(outsider, False)
	found, token = told(outsider, token, limit=limit)
	assert found == dict.fromkeys(had, True)
	office.note()
	assert told(outsider, token)[0] == {}


def test_a_right_that_is_lost_during_a_first_pull(office, outsider):
	had = [office.note() for _ in range(3)]
	set_role(outsider, True)
	with as_user(outsider.user):
		page = pull(outsider, limit=2)
	assert [item.client_id for item in page.items] == had[:2] and page.has_more
	set_role(outsider, False)
	found, _ = told(outsider, page.next_cursor, limit=1)
	assert set(found.values()) == {True} and set(had[:2]) <= set(found)


def test_a_right_that_is_given_brings_everything(office, outsider):
	names = [office.note() for _ in range(2)]
	delete(office, names[0])
	_, token = told(outsider)
	set_role(outsider, True)
	found, token = told(outsider, token, limit=1)
	assert found == {names[1]: False}
	set_role(outsider, False)
	assert told(outsider, token)[0] == {names[1]: True}


def test_a_shared_record_comes_and_goes(office, outsider):
	names = [office.note() for _ in range(3)]
	document = office.document(names[1])
	_, token = told(outsider)
	given = {"share_doctype": NOTE, "share_name": document, "user": outsider.user, "read": 1}
	share = frappe.get_doc({"doctype": "DocShare", **given})
	share.insert(ignore_permissions=True)
	frappe.db.commit()
	found, token = told(outsider, token)
	assert found == {names[1]: False}
	share.delete(ignore_permissions=True)
	frappe.db.commit()
	assert told(outsider, token)[0][names[1]] is True


def test_what_a_device_made_itself_is_taken_from_it(office):
	"""Its own note is out of its sight as soon as somebody moves it."""
	client_id = new_id("note")
	given = change(NOTE, client_id, title="mine", country=ELSEWHERE)
	_, token = told(office.kept)
	assert send(office.kept, given)[0].status == "accepted"
	frappe.db.set_value(NOTE, office.document(client_id), "country", COUNTRY)
	frappe.db.commit()
	assert told(office.kept, token)[0] == {client_id: True}
