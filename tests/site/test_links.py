"""Links and paths over several spaces: creates in one space before what links to them in another."""

import os

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.sharing import spaces
from tests.sharing import world
from tests.sharing.world import VISIT, region
from tests.site.app import create, update
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.phone import new_id

SHEET, LINE = f"Visit Sheet {os.getpid()}", f"Visit Line {os.getpid()}"


@pytest.fixture
def rep(rep, sheets):
	"""Reps who have a space of their own besides."""

	def made(*regions):
		device = rep(*regions)
		spaces.set_member(spaces.ensure(sheets, device.user), device.user, "member")
		frappe.db.commit()
		return device

	return made


@pytest.fixture(scope="module")
def sheets(sales):
	"""Sheets lie in the space of the visit that they are about, or of their user; lines name visits."""
	frappe.set_user("Administrator")
	own = world.kind(
		world.rule("The user"), key_kind="User", key_doctype=None, name=new_id("sales-own").lower()
	)
	rights = [permission(), permission(world.ROLE)]

	def make():
		doctypes.make(LINE, columns(("visit", "Link", VISIT), ("count", "Int")), istable=1)
		held = ("rep", "Link", "User"), ("visit", "Link", VISIT), "note", ("lines", "Table", LINE)
		doctypes.make(SHEET, columns(*held), permissions=rights)
		doctypes.sync(SHEET, own, "rep")

	retry.run(make)
	yield own
	frappe.set_user("Administrator")
	frappe.db.rollback()
	doctypes.remove(SHEET, LINE)


def test_what_links_to_a_create_of_another_space_comes_behind_it(rep, sheets):
	device = rep(north := region())
	visit = create(VISIT, note="new", region=north)
	sheet = create(SHEET, visit=visit["id"], lines=[{"id": "r1", "visit": visit["id"], "count": 2}])
	results = device.push(sheet, visit)
	assert [one["status"] for one in results] == ["accepted", "accepted"], results
	doc = frappe.get_doc(SHEET, results[0]["name"])
	assert (doc.visit, doc.lines[0].visit, doc.rep) == (results[1]["name"], results[1]["name"], device.user)
	found = {one["type"]: one for one in device.pull()}
	assert found[SHEET]["values"]["visit"] == visit["id"]
	assert found[SHEET]["values"]["lines"][0]["visit"] == visit["id"]
	assert list(found) == [VISIT, SHEET], "parents come first"


def test_what_links_to_a_create_that_failed_waits_for_it(rep, sheets):
	device = rep(north := region())
	visit = create(VISIT, nothing="x", region=north)
	results = device.push(create(SHEET, visit=visit["id"]), visit)
	assert [one["code"] for one in results] == ["depends_on_failed_item", "invalid_field"]
	assert results[0]["retryable"]


@pytest.mark.parametrize("more", [{"atomic": True}, {"dry_run": True}, {"atomic": True, "dry_run": True}])
def test_links_over_spaces_in_one_transaction(rep, sheets, more):
	device = rep(north := region())
	visit = create(VISIT, note="new", region=north)
	results = device.push(create(SHEET, visit=visit["id"]), visit, **more)
	assert [one["status"] for one in results] == ["accepted", "accepted"], results
	frappe.db.rollback()
	assert bool(frappe.db.exists(VISIT, {"region": north})) == ("dry_run" not in more)


def test_rows_are_added_changed_and_removed_and_the_others_stay(rep, sheets):
	device = rep(region())
	lines = [{"count": n} for n in (1, 2, 3)]
	(made,) = device.push(create(SHEET, note="x", lines=lines))
	(record,) = device.pull()
	one, two, three = record["values"]["lines"]
	assert made["status"] == "accepted" and {*one} >= {"id", "count"} and "name" not in one
	doc = frappe.get_doc(SHEET, made["name"])
	doc.lines[2].count = 33
	doc.save()
	frappe.db.commit()
	edits = {"add": [{"count": 4}], "change": [{"id": one["id"], "count": 11}], "remove": [two["id"]]}
	(done,) = device.push(update(SHEET, record["id"], 1, lines=edits))
	assert done["status"] == "accepted", done
	frappe.db.rollback()
	assert [row.count for row in frappe.get_doc(SHEET, made["name"]).lines] == [11, 33, 4]
	assert done["merged"] and [row["count"] for row in done["record"]["values"]["lines"]] == [11, 33, 4]


@pytest.mark.parametrize(
	("edits", "code"),
	[
		({"change": [{"id": "nobody", "count": 1}]}, "row_not_found"),
		({"change": [{"count": 1}]}, "invalid_value"),
		({"remove": [{"id": "x"}]}, "invalid_value"),
		({"remove": "x"}, "invalid_field_type"),
		({"add": [1]}, "invalid_field_type"),
		({"else": []}, "invalid_field_type"),
		("x", "invalid_field_type"),
	],
)
def test_edits_of_rows_that_are_none(rep, sheets, edits, code):
	device = rep(region())
	made = create(SHEET, lines=[{"count": 1}])
	device.push(made)
	(refused,) = device.push(update(SHEET, made["id"], 1, lines=edits))
	assert (refused["status"], refused["code"]) == ("error", code), refused


def test_a_change_of_the_same_row_is_a_conflict(rep, sheets):
	device = rep(region())
	made = create(SHEET, lines=[{"count": 1}, {"count": 2}])
	device.push(made)
	(record,) = device.pull()
	doc = frappe.get_doc(SHEET, record["name"])
	doc.lines[0].count = 5
	doc.save()
	frappe.db.commit()
	edits = {"change": [{"id": record["values"]["lines"][0]["id"], "count": 7}]}
	(lost,) = device.push(update(SHEET, made["id"], 1, lines=edits))
	assert lost["status"] == "conflict", lost
	sides = lost["conflict"]["fields"]["lines"]
	assert [sides[side][0]["count"] for side in ("base", "server", "device")] == [1, 5, 7]
	assert all("id" in row for row in sides["server"])


def test_repeats_of_edits_of_rows_are_harmless(rep, sheets):
	device = rep(region())
	made = create(SHEET, lines=[{"count": 1}])
	device.push(made)
	edit = update(SHEET, made["id"], 1, lines={"add": [{"count": 2}]})
	first, again = device.push(edit)[0], device.push(edit)[0]
	assert first["version"] == again["version"] == 2 and again["already_applied"]
	doc = frappe.get_doc(SHEET, first["name"])
	assert [row.count for row in doc.lines] == [1, 2]


def test_the_same_id_in_two_spaces_needs_the_space(rep, sheets, sales):
	north, south = region(), region()
	device, name = rep(north, south), new_id("twin")
	results = device.push(
		create(VISIT, name, note="n", region=north), create(VISIT, name, note="s", region=south)
	)
	assert [one["status"] for one in results] == ["accepted", "accepted"], results
	(unclear,) = device.push(update(VISIT, name, 1, note="x"))
	assert unclear["code"] == "space_required"
	(done,) = device.push(update(VISIT, name, 1, note="x", space=results[1]["space"]))
	assert done["status"] == "accepted"
	assert frappe.db.get_value(VISIT, results[1]["name"], "note") == "x"
	assert device.get("record", type=VISIT, id=name).json()["error_code"] == "space_required"
	answer = device.get("record", type=VISIT, id=name, space=results[0]["space"]).json()
	assert answer["values"]["note"] == "n"
