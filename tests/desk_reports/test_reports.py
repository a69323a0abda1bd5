"""Reports: for whom they run, that their numbers are right, and that a user sees only his spaces."""

import random

import frappe
import pytest
from frappe.desk import query_report
from frappe.utils import add_days, getdate

from hisabi_sync.desk.insight import counts, scope

REPORTS = ("Sync Health", "Conflicts by Device and Field", "Device Activity", "Batch Explorer")
EMPTY = {"from_date": "2001-01-01", "to_date": "2001-01-31"}


def run(report, user="Administrator", **filters):
	frappe.set_user(user)
	try:
		return query_report.run(report, filters=filters, ignore_prepared_report=1)
	finally:
		frappe.set_user("Administrator")


def figure(answer, label):
	return next(part["value"] for part in answer["report_summary"] if part["label"] == label)


def from_scratch(space):
	"""Counts of a space from its items alone."""
	rows = frappe.db.sql(
		"SELECT status, COUNT(*) FROM `tabSync Item` WHERE space = %s GROUP BY status", (space,)
	)
	return dict(rows)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("role", ["manager", "auditor", "administrator"])
def test_every_report_runs_for_each_role_with_and_without_rows(busy, request, report, role):
	person = request.getfixturevalue(role)
	full = run(report, person)
	assert full["result"] and full["columns"]
	names = {column["fieldname"] for column in full["columns"]}
	assert names <= set(full["result"][0])
	empty = run(report, person, **EMPTY)
	assert report == "Device Activity" or not empty["result"]
	assert not empty["chart"]


@pytest.mark.parametrize("report", REPORTS)
def test_others_are_refused(nobody, report):
	with pytest.raises(frappe.PermissionError):
		run(report, nobody)


def test_sync_health_adds_up(busy):
	answer = run("Sync Health", space=busy.mine.space)
	(today,) = answer["result"]
	counted = from_scratch(busy.mine.space)
	assert today["accepted"] == counted["accepted"]
	assert today["conflicts"] == counted["conflict"] == 3
	assert today["errors"] == counted["error"] == 5
	assert today["duplicates"] == counted["duplicate"] == 1
	assert today["items"] == sum(counted.values())
	assert today["batches"] == frappe.db.count("Sync Batch", {"space": busy.mine.space})
	assert today["conflict_rate"] == round(100 * 3 / today["items"], 2)
	assert figure(answer, "Items") == today["items"]
	assert len(answer["chart"]["data"]["labels"]) == scope.DAYS


def test_what_is_still_open_are_conflicts_not_fields(busy):
	busy.clash(theirs={"color": "red", "icon": "a"}, mine={"color": "blue", "icon": "b"})
	for more in ({}, {"field": "icon"}, {"field": "color"}):
		answer = run("Conflicts by Device and Field", space=busy.mine.space, **more)
		held = frappe.get_all("Sync Conflict", {"space": busy.mine.space, "status": "Open"}, pluck="fields")
		fields = [set(text.split(", ")) for text in held]
		wanted = sum(more.get("field", next(iter(names))) in names for names in fields)
		summary = {part["label"]: part["value"] for part in answer["report_summary"]}
		assert summary["Still open"] == wanted, more
	assert any(len(names) > 1 for names in fields)


def test_conflicts_are_counted_by_device_and_field(busy):
	_, name = busy.clash(theirs={"color": "red", "icon": "a"}, mine={"color": "blue", "icon": "b"})
	frappe.db.set_value("Sync Conflict", name, {"status": "Resolved", "resolution": "accept_client"})
	answer = run("Conflicts by Device and Field", space=busy.mine.space)
	found = {(row["device"], row["field"]): row for row in answer["result"]}
	assert set(found) == {(busy.mine.device, "color"), (busy.mine.device, "icon")}
	color = found[busy.mine.device, "color"]
	assert (color["conflicts"], color["open"], color["client"], color["server"]) == (4, 3, 1, 0)
	assert figure(answer, "Still open") == 3
	(only,) = run("Conflicts by Device and Field", space=busy.mine.space, field="icon")["result"]
	assert only["conflicts"] == 1


def test_devices_are_told_with_what_they_pushed(busy):
	for caller, days in ((busy.mine, 0), (busy.theirs, -2)):
		seen = add_days(frappe.utils.now_datetime(), days)
		frappe.db.set_value("Sync Device", caller.device, {"platform": "test", "last_seen": seen})
	found = {row["device"]: row for row in run("Device Activity", platform="test")["result"]}
	mine = found[busy.mine.device]
	assert mine["errors"] == 5 and mine["conflicts"] == 3
	assert mine["batches"] == frappe.db.count("Sync Batch", {"device": busy.mine.device})
	assert found[busy.theirs.device]["hours"] == 48 and not mine["silent"]
	silent = run("Device Activity", platform="test", silent=1)["result"]
	assert [row["device"] for row in silent] == [busy.theirs.device]


def test_batches_are_explored(busy):
	space = busy.mine.space
	rows = run("Batch Explorer", space=space)["result"]
	assert len(rows) == frappe.db.count("Sync Batch", {"space": space})
	assert [r["creation"] for r in rows] == sorted((r["creation"] for r in rows), reverse=True)
	(failed,) = run("Batch Explorer", space=space, outcome="Errors")["result"]
	assert failed["errors"] == failed["items"] == 5
	assert len(run("Batch Explorer", space=space, outcome="Conflicts")["result"]) == 3
	assert len(run("Batch Explorer", space=space, min_items=5)["result"]) == 1
	first = run("Batch Explorer", space=space, limit=2)
	assert len(first["result"]) == 2 and first["message"]
	assert not run("Batch Explorer", space=space, slower_than=10**8)["result"]


def test_a_manager_of_one_space_sees_only_that(busy, restricted):
	person = restricted(busy.mine.space)
	health = run("Sync Health", person)
	assert figure(health, "Items") == figure(run("Sync Health", space=busy.mine.space), "Items")
	assert {row["space"] for row in run("Batch Explorer", person)["result"]} == {busy.mine.space}
	fields = run("Conflicts by Device and Field", person)
	assert figure(fields, "Still open") == 3
	members = frappe.get_all("Sync Space Member", filters={"space": busy.mine.space}, pluck="user")
	assert {row["user"] for row in run("Device Activity", person)["result"]} <= set(members)


def test_another_space_cannot_be_asked_for(busy, restricted):
	elsewhere = frappe.get_all("Sync Space", filters={"name": ["!=", busy.mine.space]}, limit=1, pluck="name")
	person = restricted(elsewhere[0])
	assert not run("Sync Health", person, space=busy.mine.space)["result"]


@pytest.mark.parametrize(
	"given",
	[
		{"from_date": "2026-02-01", "to_date": "2026-01-01"},
		{"from_date": "2001-01-01", "to_date": "2026-01-01"},
	],
)
def test_periods_are_bounded(given):
	with pytest.raises(frappe.ValidationError):
		scope.period(given)


def test_a_period_has_its_days():
	span = scope.period({"days": 3})
	assert span.days == [getdate(add_days(getdate(), n)) for n in (-2, -1, 0)]
	assert len(scope.period({"days": 10_000}).days) == scope.MAX_DAYS


def test_percentiles_are_those_of_the_sorted_values():
	chance = random.Random(5)
	for _ in range(50):
		values = [chance.randrange(200) for _ in range(chance.randrange(1, 400))]
		ordered = sorted(values)
		pairs = [(value, values.count(value)) for value in set(values)]
		for name, percent in (("p50", 50), ("p95", 95), ("p99", 99)):
			rank = -(-percent * len(ordered) // 100)  # rounded up
			assert counts.percentiles(pairs)[name] == ordered[rank - 1]


def test_filters_are_values_not_sql(busy):
	answer = run("Sync Health", space="x' OR '1'='1", contract="%s")
	assert answer["result"] == []
