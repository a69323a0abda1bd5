"""Conflicts of DocTypes that are saved through their own controllers: child rows, taken values, permissions."""

import frappe
import pytest

from hisabi_sync.engine.resolution import cases, conflict_view
from tests.conflicts.doctypes import METER
from tests.conflicts.test_settle import refusal
from tests.conflicts.world import conflict, resolve
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id


@pytest.fixture
def rows(team):
	"""(client id, conflict) about the same child row."""
	client_id = team.meter(phones=[{"phone": "1"}, {"phone": "2"}])
	first, second = team.record(client_id, METER).payload["phones"]
	theirs, mine = ([{**first, "phone": new}, second] for new in ("10", "11"))
	return team.clash(METER, client_id, {"phones": theirs}, {"phones": mine})


def phones(team, client_id):
	return [row["phone"] for row in team.record(client_id, METER).payload["phones"]]


@pytest.mark.parametrize(("choice", "expected"), [("accept_server", "10"), ("accept_client", "11")])
def test_a_child_row_is_settled_by_a_side(team, rows, choice, expected):
	client_id, name = rows
	assert resolve(name, choice)["doc_version"] == 3
	assert phones(team, client_id) == [expected, "2"]


def test_a_child_row_is_settled_by_a_value(team, rows):
	client_id, name = rows
	held = team.record(client_id, METER).payload["phones"]
	resolve(name, "manual_merge", values={"phones": [*held, {"phone": "3", "label": "new"}]})
	assert phones(team, client_id) == ["10", "2", "3"]


@pytest.mark.parametrize(("how", "expected"), [("whole", "13"), ("field", "13")])
def test_a_side_takes_no_row_or_key_of_others_with_it(team, how, expected):
	"""The device changed a row and took one out; somebody else changed the first too, and added one, and a key."""
	client_id = team.meter(phones=[{"phone": "1"}, {"phone": "2"}], settings={"a": 1, "b": 1})
	first, second = team.record(client_id, METER).payload["phones"]
	theirs = {
		"phones": [{**first, "phone": "12"}, second, {"phone": "3"}],
		"settings": {"a": 12, "b": 1, "s": 1},
	}
	mine = {"phones": [{**first, "phone": expected}, {"phone": "4"}], "settings": {"a": 13}}
	_, name = team.clash(METER, client_id, theirs, mine)
	rows = {row["name"]: row for row in conflict_view.form(name)["rows"]}
	if how == "whole":
		resolve(name, "accept_client")
	else:
		resolve(name, "manual_merge", keep={"phones": "client", "settings": "client"})
	assert sorted(phones(team, client_id)) == ["13", "3", "4"]
	assert team.record(client_id, METER).payload["settings"] == {"a": 13, "s": 1}
	assert sorted(row["phone"] for row in rows["phones"]["with_client"]) == ["13", "3", "4"]
	assert rows["settings"]["with_client"] == {"a": 13, "s": 1}
	assert "with_client" not in rows["title"]


def test_a_row_that_the_device_took_out_goes_with_its_side(team):
	client_id = team.meter(phones=[{"phone": "1"}, {"phone": "2"}])
	first, second = team.record(client_id, METER).payload["phones"]
	_, name = team.clash(
		METER, client_id, {"phones": [{**first, "phone": "9"}, second]}, {"phones": [second]}
	)
	resolve(name, "accept_client")
	assert phones(team, client_id) == ["2"]


def test_values_of_every_type_come_back_as_they_were_sent(team):
	client_id = team.meter(currency="SAR", price=1, settings={"a": 1})
	theirs = {"price": 2, "settings": {"a": 2}, "read_at": "2026-03-01T10:00:00Z", "due": "2026-03-01"}
	mine = {
		"price": 3.25,
		"settings": {"a": [1, None]},
		"read_at": "2026-03-02T10:00:00Z",
		"due": "2026-03-02",
	}
	_, name = team.clash(METER, client_id, theirs, mine)
	resolve(name, "accept_client")
	payload = team.record(client_id, METER).payload
	assert {key: payload[key] for key in ("price", "settings", "due")} == {
		k: mine[k] for k in ("price", "settings", "due")
	}
	assert payload["read_at"].startswith("2026-03-02T10:00:00")


def test_times_and_links_may_be_typed_as_the_document_has_them(team):
	other = team.meter()
	document = frappe.db.get_value("Sync Record", {"client_id": other}, "document_name")
	client_id = team.meter()
	_, name = team.clash(METER, client_id, {"state": "Sent"}, {"state": "Done"})
	resolve(name, "manual_merge", values={"parent_meter": document, "read_at": "2026-03-01 10:00:00"})
	assert (
		str(frappe.db.get_value(METER, {"title": "Main", "parent_meter": document}, "read_at"))
		== "2026-03-01 10:00:00"
	)
	assert team.record(client_id, METER).payload["parent_meter"] == other


# --- taken values


@pytest.fixture
def taken(team):
	"""(client id of the holder, client id of the device's meter, conflict)."""
	code = new_id("code")
	holder, own = team.meter(code=code, state="Draft"), new_id("meter")
	(outcome,) = send(team.mine, change(METER, own, title="Second", code=code, state="Sent"))
	assert (outcome.status, outcome.code) == ("error", "unique_violation")
	return holder, own, outcome.conflict


def test_a_taken_value_opens_one_conflict_however_often_the_device_repeats(team):
	code = new_id("code")
	team.meter(code=code)
	again = change(METER, new_id("meter"), title="Second", code=code)
	names = [send(team.mine, again)[0].conflict for _ in range(3)]
	row = conflict(names[0])
	assert names[1:] == [None, None]
	assert (row.kind, row.fields, row.server_values["code"]) == ("unique", "code", code)
	assert frappe.db.count("Sync Conflict", {"space": team.mine.space}) == 1


def test_a_value_taken_in_another_space_is_nobodys_business(team, meters):
	code = new_id("code")
	frappe.get_doc({"doctype": METER, "title": "Foreign", "code": code, "team": new_id("team")}).insert()
	frappe.db.commit()
	(outcome,) = send(team.mine, change(METER, new_id("meter"), title="Mine", code=code))
	assert (outcome.code, outcome.conflict) == ("unique_violation", None)


def test_a_taken_value_is_told_by_its_field_and_who_holds_it(team, meters):
	code, foreign = new_id("code"), new_id("code")
	frappe.get_doc({"doctype": METER, "title": "Foreign", "code": foreign, "team": new_id("team")}).insert()
	frappe.db.commit()
	holder, other = team.meter(code=code), team.meter(code=new_id("code"))
	for value, known in ((code, holder), (foreign, None)):
		create = change(METER, new_id("meter"), title="Second", code=value)
		for given in (create, change(METER, other, "update", 1, code=value)):
			(outcome,) = send(team.mine, given)
			assert (outcome.code, outcome.detail) == ("unique_violation", {"code": known})
			assert outcome.message.endswith(": code")


def test_the_devices_values_may_go_to_the_record_that_has_the_value(team, taken):
	holder, own, name = taken
	resolve(name, "accept_client")
	payload = team.record(holder, METER).payload
	assert (payload["title"], payload["state"]) == ("Second", "Sent")
	assert team.record(own, METER) is None


def test_keeping_the_server_makes_no_second_record(team, taken):
	holder, own, name = taken
	resolve(name, "accept_server")
	assert team.record(holder, METER).payload["title"] == "Main"
	assert team.record(own, METER) is None


def test_another_value_makes_the_devices_record(team, taken):
	holder, own, name = taken
	code = new_id("code")
	_, cursor = fetch(team.mine)
	resolve(name, "manual_merge", values={"code": code})
	(item,), _ = fetch(team.mine, cursor)
	assert (item.client_id, item.doc_version, item.payload["code"]) == (own, 1, code)
	assert (item.payload["title"], item.payload["state"]) == ("Second", "Sent")
	assert team.record(holder, METER).payload["title"] == "Main"


def test_another_value_that_is_taken_too_is_refused(team, taken):
	_, own, name = taken
	code = new_id("code")
	team.meter(code=code)
	error = refusal(lambda: resolve(name, "manual_merge", values={"code": code}))
	assert error.extra["item_error_code"] == "unique_violation"
	assert (conflict(name).status, team.record(own, METER)) == ("Open", None)


def test_an_update_to_a_taken_value_is_settled_on_its_own_record(team):
	code = new_id("code")
	team.meter(code=code)
	client_id = team.meter(code=new_id("code"))
	(outcome,) = send(team.mine, change(METER, client_id, "update", 1, code=code, state="Done"))
	free = new_id("code")
	resolve(outcome.conflict, "manual_merge", keep={"state": "client"}, values={"code": free})
	payload = team.record(client_id, METER).payload
	assert (payload["code"], payload["state"]) == (free, "Done")


def test_who_may_not_read_the_document_cannot_settle_it(team, manager):
	client_id = team.meter(state="Draft")
	_, name = team.clash(METER, client_id, {"state": "Sent"}, {"state": "Done"})
	_check_permissions(1)
	try:
		error = refusal(lambda: resolve(name, "accept_client", manager))
		assert (error.code, error.extra) == ("not_found", {})
		frappe.set_user(manager)
		assert not frappe.has_permission("Sync Conflict", "read", doc=name)
		assert frappe.get_list("Sync Conflict", {"name": name}) == []
	finally:
		frappe.set_user("Administrator")
		_check_permissions(0)
	assert resolve(name, "accept_client", manager)["status"] == cases.RESOLVED


def _check_permissions(value):
	from hisabi_sync.engine.entities import entity_types

	frappe.db.set_value("Sync Entity", METER, "check_permissions", value)
	entity_types.forget()
	frappe.db.commit()
