"""A DocType that a site made syncable for its tenants: its name has blanks, and its rows link to what is made with it."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import create, delete, meter, new_app, update
from tests.mobile.test_conflicts import resolve
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import new_id


@pytest.fixture(scope="module")
def visit(site):
	"""The resource type, which is the DocType's name."""
	name = f"Site Visit {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	retry.run(lambda: _make(name))
	yield name
	doctypes.remove(name, f"{name} Line")


def _make(name):
	link, note = ("meter", "Link", "Field Meter"), ("note", "Data")
	doctypes.make(f"{name} Line", columns(link, note), istable=1)
	main, lines = ("main_meter", "Link", "Field Meter"), ("lines", "Table", f"{name} Line")
	doctypes.make(name, columns("tenant", note, main, lines))
	doctypes.sync(name, SPACE_TYPE, "tenant", check_permissions=0)


def test_a_record_of_a_type_with_blanks_is_made_edited_and_deleted(app, visit):
	item = create(visit, note="first")
	(made,) = app.push(item)
	assert (made["status"], made["server_version"]) == ("ok", 1), made
	identity = made["server_id"]
	assert identity and " " not in identity
	assert app.push(item)[0] == made, "a repeat is the same record"
	held = app.held(visit, identity)
	assert (held["resource_type"], held["payload"]["note"]) == (visit, "first")
	assert held["name"] == made["name"] != identity
	(edited,) = app.push(update(visit, identity, 1, note="second"))
	assert (edited["status"], edited["server_version"]) == ("ok", 2)
	(by_temp_id,) = app.push(update(visit, item["client_temp_id"], 2, note="third"))
	assert (by_temp_id["status"], by_temp_id["server_id"]) == ("ok", identity)
	assert app.push(delete(visit, identity, 3))[0]["status"] == "ok"
	assert frappe.db.count(visit) == 0


def test_temporary_ids_in_rows_become_ids(app, other, visit):
	first, second = meter(new_id("tmp")), meter(new_id("tmp"))
	rows = [
		{"meter": first["client_temp_id"], "note": "a"},
		{"meter": second["client_temp_id"]},
		{"note": "c"},
	]
	made = app.push(create(visit, main_meter=first["client_temp_id"], lines=rows), first, second)
	assert [result["status"] for result in made] == ["ok"] * 3, made
	visited, *meters = [result["server_id"] for result in made]
	for device in (app, other):
		payload = device.held(visit, visited)["payload"]
		assert payload["main_meter"] == meters[0]
		assert [row["meter"] for row in payload["lines"]] == [*meters, None]


def test_temporary_ids_of_an_earlier_push_in_rows_become_ids(app, visit):
	early = meter(new_id("tmp"))
	(known,) = app.push(early)
	(made,) = app.push(
		create(visit, lines=[{"meter": early["client_temp_id"]}, {"meter": known["server_id"]}])
	)
	(line, same) = app.held(visit, made["server_id"])["payload"]["lines"]
	assert line["meter"] == same["meter"] == known["server_id"]
	rows = [{"name": line["name"], "meter": early["client_temp_id"], "note": "x"}]
	(edited,) = app.push(update(visit, made["server_id"], 1, lines=rows))
	assert edited["status"] == "ok", edited
	(line,) = app.held(visit, made["server_id"])["payload"]["lines"]
	assert (line["meter"], line["note"]) == (known["server_id"], "x")


def test_a_temporary_id_of_another_device_in_a_row_is_nobodys(app, other, visit):
	theirs = meter(new_id("tmp"))
	app.push(theirs)
	(refused,) = other.push(create(visit, lines=[{"meter": theirs["client_temp_id"]}]))
	assert (refused["status"], refused["error_code"]) == ("error", "invalid_link"), refused


@pytest.mark.parametrize(
	("resolution", "author", "owner_"),
	[
		("manual_merge", ["a3", "b7", "c", "d"], ["a3", "b", "c", "s"]),
		("accept_client", ["a2", "b7", "c", "d"], None),
	],
)
def test_rows_that_a_settlement_does_not_name_stay(
	app, other, server, site, tenant, visit, resolution, author, owner_
):
	"""The author's rest is merged; for somebody else what the payload leaves out stays as the server has it."""
	people = ((other, author), (new_app(server, site, tenant, "owner"), owner_ or author))
	for person, expected in people:
		(made,) = app.push(create(visit, lines=[{"note": note} for note in "abc"]))
		identity = made["server_id"]
		first, second, third = app.held(visit, identity)["payload"]["lines"]
		app.push(update(visit, identity, 1, lines=[{**first, "note": "a1"}, second, third, {"note": "s"}]))
		mine = [{**first, "note": "a2"}, {**second, "note": "b7"}, third, {"note": "d"}]
		(result,) = other.push(update(visit, identity, 1, lines=mine))
		assert result["status"] == "conflict"
		given = {"payload": {"lines": [{**first, "note": "a3"}]}} if resolution == "manual_merge" else {}
		resolve(person, result["conflict_id"], resolution, **given)
		held = app.held(visit, identity)["payload"]["lines"]
		assert sorted(row["note"] for row in held) == sorted({*expected, "s"})
