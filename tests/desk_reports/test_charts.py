"""Cards, charts and the workspace: that they are there, for whom, and that they return what they should."""

import json
from pathlib import Path

import frappe
import pytest
from frappe.desk import desktop
from frappe.desk.doctype.number_card import number_card

from hisabi_sync.desk.insight import counts
from hisabi_sync.desk.insight.columns import STILL
from hisabi_sync.hisabi_sync.dashboard_chart_source.sync_activity import sync_activity

MODULE = Path(sync_activity.__file__).parents[2]
# Frappe draws these itself.
OF_RUNS = {"Records of runs per day", "Failed records of runs per day"}
WORKSPACE = "Hisabi Sync"


def files(folder):
	return [json.loads(path.read_text()) for path in sorted((MODULE / folder).glob("*/*.json"))]


def as_user(user, work):
	frappe.set_user(user)
	try:
		return work()
	finally:
		frappe.set_user("Administrator")


def number(user, name, **more):
	card = frappe.get_doc("Number Card", name).as_dict()
	filters = json.loads(card.filters_json) + [[card.document_type, *f] for f in more.get("filters", ())]
	assert all(len(part) == 4 for part in filters)
	return as_user(user, lambda: number_card.get_result(frappe.as_json(card), frappe.as_json(filters)))


def chart(user, name, **filters):
	return as_user(user, lambda: sync_activity.get(chart_name=name, filters=json.dumps(filters)))


def lines(answer):
	return {part["name"]: part["values"] for part in answer["datasets"]}


def page():
	return desktop.get_desktop_page(json.dumps({"name": WORKSPACE, "title": WORKSPACE, "public": 1}))


MANAGERS_ONLY = ("see-as",)  # it shows what other users get


@pytest.mark.parametrize("role", ["manager", "auditor"])
def test_the_workspace_shows_everything_to_those_who_read(role, request):
	person = request.getfixturevalue(role)
	shown = as_user(person, page)
	held = frappe.get_doc("Workspace", WORKSPACE)
	for part, key in (("charts", "charts"), ("number_cards", "number_cards"), ("quick_lists", "quick_lists")):
		assert len(shown[part]["items"]) == len(held.get(key)), part
	assert len(shown["shortcuts"]["items"]) == len(held.shortcuts)
	hidden = MANAGERS_ONLY if role == "auditor" else ()
	links = sum(row.type == "Link" and row.link_to not in hidden for row in held.links)
	assert sum(len(card["links"]) for card in shown["cards"]["items"]) == links > 20
	listed = as_user(person, desktop.get_workspace_sidebar_items)
	assert WORKSPACE in {row["name"] for row in listed["pages"]}


def test_others_do_not_see_the_workspace(nobody):
	listed = as_user(nobody, desktop.get_workspace_sidebar_items)
	assert WORKSPACE not in {row["name"] for row in listed["pages"]}


def test_every_block_of_the_workspace_has_its_row():
	(held,) = files("workspace")
	rows = {
		"chart": {row["chart_name"] for row in held["charts"]},
		"number_card": {row["number_card_name"] for row in held["number_cards"]},
		"shortcut": {row["label"] for row in held["shortcuts"]},
		"quick_list": {row["label"] for row in held["quick_lists"]},
		"card": {row["label"] for row in held["links"] if row["type"] == "Card Break"},
	}
	for block in json.loads(held["content"]):
		if block["type"] in rows:
			assert block["data"][f"{block['type']}_name"] in rows[block["type"]]
	drawn = set(sync_activity.CHARTS) | OF_RUNS
	assert drawn == {doc["name"] for doc in files("dashboard_chart")} == rows["chart"]


def test_cards_count(busy, restricted, manager):
	person = restricted(busy.mine.space)
	assert number(person, "Open conflicts") == 3
	assert number(person, "Failed items") == 5
	assert number("Administrator", "Open conflicts") == frappe.db.count("Sync Conflict", {"status": "Open"})
	earlier = [["last_seen", "<", "2000-01-01 00:00:00"]]
	assert number(manager, "Devices silent for a day", filters=earlier) == frappe.db.count(
		"Sync Device", {"status": "Active", "last_seen": ("is", "not set")}
	)


def test_charts_add_up(busy, auditor):
	space = {"space": busy.mine.space}
	outcomes = lines(chart(auditor, "Pushed items per day", **space))
	assert {name: values[-1] for name, values in outcomes.items() if name != "Accepted"} == {
		"Duplicates": 1, "Conflicts": 3, "Errors": 5,
	}  # fmt: skip
	whole = sum(values[-1] for values in outcomes.values())
	assert all(sum(values) == values[-1] for values in outcomes.values())
	errors = chart(auditor, "Error rate per day", **space)
	assert lines(errors)["Errors, %"][-1] == round(500 / whole, 2)
	assert errors["yMarkers"][0]["value"] == 1
	sizes = chart(auditor, "Batch sizes", **space)
	assert dict(zip(sizes["labels"], lines(sizes)["Batches"], strict=True))["2–5"] == 1
	assert sum(lines(sizes)["Batches"]) == frappe.db.count("Sync Batch", {"space": busy.mine.space})
	median, *_, worst = (
		values[-1] for values in lines(chart(auditor, "Duration of a push", **space)).values()
	)
	assert 0 <= median <= worst


def test_the_conflict_rate_is_that_of_the_items(busy, auditor):
	answer = chart(auditor, "Conflict rate by entity type", space=busy.mine.space)
	asked = {"space": busy.mine.space, "entity_type": "Hisabi Account"}
	rate = 100 * 3 / frappe.db.count("Sync Item", asked)
	assert dict(zip(answer["labels"], lines(answer)["Conflicts, %"], strict=True)) == {
		frappe._("Hisabi Account"): pytest.approx(rate, abs=0.01)
	}
	assert answer["yMarkers"][0]["value"] == 5
	assert counts.NEWEST <= 50_000


@pytest.mark.parametrize("name", sync_activity.CHARTS)
def test_a_chart_of_nothing_is_empty_and_one_of_another_space_is_nothing(busy, restricted, name):
	other = frappe.get_all("Sync Space", filters={"name": ["!=", busy.mine.space]}, limit=1, pluck="name")
	assert chart(restricted(other[0]), name, space=busy.mine.space) == {}


@pytest.mark.parametrize("name", sync_activity.CHARTS)
def test_charts_are_refused_to_others(nobody, name):
	with pytest.raises(frappe.PermissionError):
		chart(nobody, name)


def test_an_unknown_chart_is_refused():
	with pytest.raises(frappe.DoesNotExistError):
		chart("Administrator", "None of ours")


def test_no_chart_is_animated():
	options = {
		each["name"]: json.loads(each.get("custom_options") or "{}") for each in files("dashboard_chart")
	}
	assert {name for name, own in options.items() if not STILL.items() <= own.items()} == set()
