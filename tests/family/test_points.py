"""Points for done tasks, streaks and badges: made by the server, once, and on every phone with its next sync."""

from datetime import timedelta

import frappe
import pytest

from hisabi_sync.engine.model import clock
from hisabi_sync.hisabi_family import derived
from tests.engine.writers import in_processes
from tests.family.app import change, delete, new_app, new_family, new_id, now, task, update


def row_of(app, user):
	app.sync()
	return next((row for row in app.all("user_streak") if row["userId"] == user), None)


def counts(app, user):
	row = row_of(app, user)
	return row and (row["currentStreak"], row["longestStreak"], row["pointsTotal"], row["tasksDone"])


def do(app, points=0, **data):
	"""A task that is made and done; its id."""
	created = task(points=points, **data)
	app.sync(created)
	app.sync(update(created["entity_id"], 1, status="done"))
	return created["entity_id"]


def test_points_streak_and_badge_come_with_the_same_answer(app, other, parent):
	created = task(points=120, title="Paint the fence")
	app.sync(created)
	answer = app.sync(update(created["entity_id"], 1, status="done"))
	types = sorted(c["entity_type"] for c in answer["server_changes"])
	assert types == ["badge", "badge", "points_ledger", "task", "user_streak"]
	(line,) = app.all("points_ledger")
	expected = {"userId": parent, "delta": 120, "reason": "Paint the fence", "taskId": created["entity_id"]}
	assert expected.items() <= line.items()
	assert counts(app, parent) == (1, 1, 120, 1)
	assert {badge["code"] for badge in app.all("badge")} == {"first_task", "points_100"}
	assert all(badge["awardedAt"] and badge["userId"] == parent for badge in app.all("badge"))
	other.sync()
	assert other.held == app.held


def test_a_task_made_as_done_counts_too(app, parent):
	app.sync(task(status="done", points=3))
	assert counts(app, parent) == (1, 1, 3, 1)


def test_the_task_of_a_child_is_the_childs_whoever_ticks_it_off(app, parent, child):
	do(app, 5, assignees=[child])
	do(app, 5, assignees=[child, parent])
	do(app, 5, assignees=["somebody else"])
	assert counts(app, child)[2:] == (5, 1) and counts(app, parent)[2:] == (10, 2)


def test_a_task_is_paid_once_however_often_it_is_done(app, other, parent):
	name = do(app, 10)
	for _ in range(3):
		version = app.held["task", name]["version"]
		app.sync(update(name, version, status="open"))
		assert app.held["task", name]["completedAt"] is None
		other.sync()
		other.sync(update(name, other.held["task", name]["version"], status="done", points=50))
		app.sync()
	assert [line["delta"] for line in app.all("points_ledger")] == [10]
	assert counts(app, parent)[2:] == (10, 0)
	assert sum(row["tasksDone"] for row in app.all("user_streak")) == 1


def _finish(url, site, token, user, family, name):
	from tests.family.app import App

	phone = App(url, site, token, user, family)
	return phone.sync(update(name, 1, status="done"), task(status="done", points=1))["success"]


def test_two_processes_that_finish_the_same_task_pay_once(app, other, site, child, parent):
	for _ in range(4):
		created = task(points=10)
		app.sync(created)
		name = created["entity_id"]
		jobs = [
			(_finish, p.url, site, p.token, p.user, p.family, name) for p in (app, other) for _ in range(2)
		]
		assert in_processes(site, *jobs) == [True] * 4
	app.sync()
	assert sorted(line["delta"] for line in app.all("points_ledger")) == [1] * 16 + [10] * 4
	rows = {user: counts(app, user) for user in (parent, child)}
	assert sum(row[2] for row in rows.values()) == 56 and sum(row[3] for row in rows.values()) == 20
	assert len({(badge["userId"], badge["code"]) for badge in app.all("badge")}) == len(app.all("badge"))


def test_days_in_a_row(app, parent):
	for days in (3, 2, 1):
		app.sync(task(status="done", completedAt=now(days=-days), timestamp=now(days=-days)))
	assert counts(app, parent)[:2] == (3, 3)
	app.sync(task(status="done"))
	assert counts(app, parent)[:2] == (4, 4)
	assert "streak_3" in {badge["code"] for badge in app.all("badge")}


def test_a_phone_that_was_offline_closes_the_gap(app, parent):
	app.sync(task(status="done"), task(status="done", completedAt=now(days=-2)))
	assert counts(app, parent)[:2] == (1, 1)
	app.sync(task(status="done", completedAt=now(days=-1)))
	assert counts(app, parent)[:2] == (3, 3)


def test_a_task_that_is_not_done_after_all_takes_its_day_along(app, parent):
	app.sync(task(status="done", completedAt=now(days=-1)))
	name = do(app)
	assert counts(app, parent)[:2] == (2, 2)
	app.sync(update(name, 2, status="open"))
	assert counts(app, parent)[:2] == (1, 1)


def test_a_deleted_task_leaves_what_was_earned(app, parent):
	name = do(app, 5)
	app.sync(delete(name, 2))
	app.sync(task(status="done", completedAt=now(days=-1)))
	assert counts(app, parent) == (2, 2, 5, 2)


def test_tomorrow_is_not_done_today(app, parent):
	app.sync(task(status="done", completedAt=now(days=3)))
	assert row_of(app, parent)["lastDoneOn"] <= str(clock.now().date())
	assert app.all("task")[0]["completedAt"] <= now()


def test_the_familys_days_begin_where_it_lives(server, site, parent):
	family = new_family(parent, time_zone="Pacific/Kiritimati")  # 14 hours ahead
	phone = new_app(server, site, family, parent)
	phone.sync(task(status="done", completedAt="2026-03-01T11:00:00Z"))
	assert phone.all("task")[0]["completedOn"] == "2026-03-02"


def test_a_streak_ends_when_a_day_is_missed(app, other, parent):
	app.sync(task(status="done", completedAt=now(days=-1)), task(status="done"))
	other.sync()
	earlier = (clock.now() - timedelta(days=5)).date()
	frappe.db.sql("UPDATE `tabFamily Streak` SET last_done_on = %s WHERE family = %s", (earlier, app.family))
	frappe.db.commit()
	derived.expire()
	(shown,) = other.sync()["server_changes"]
	assert (shown["entity_type"], shown["data"]["currentStreak"]) == ("user_streak", 0)
	assert shown["data"]["longestStreak"] == 2


# --- the ledger


def entry(user, delta, **more):
	return change("create", new_id("line"), None, {"userId": user, "delta": delta, **more}, "points_ledger")


def test_parents_give_points_and_children_spend_their_own(app, other, parent, child):
	assert app.sync(entry(child, 50, reason="Birthday"))["success"] is True
	assert other.sync(entry(child, -20, reason="Ice cream"))["success"] is True
	assert counts(other, child)[2] == 30
	for line in (entry(child, 1000), entry(parent, -5), entry(parent, 5)):
		refused = other.sync(line)
		assert refused["errors"][0]["code"] == "permission_denied", refused
	assert counts(other, child)[2] == 30


def test_a_client_that_writes_the_award_itself_is_not_paid_twice(app, parent):
	first, second = task(points=10), task(points=10)
	app.sync(first, second)
	both = [update(first["entity_id"], 1, status="done"), entry(parent, 10, taskId=first["entity_id"])]
	assert app.sync(*both)["success"] is True
	app.sync(update(second["entity_id"], 1, status="done"))
	late = entry(parent, 10, taskId=second["entity_id"])
	conflict = app.sync(late, entry(parent, 3, taskId=second["entity_id"]))["conflicts"]
	assert [c["code"] for c in conflict] + [e["code"] for e in app.sync(late)["conflicts"]] == [
		"points_awarded"
	] * 3
	assert counts(app, parent)[2] == 20


def test_entries_of_one_request_for_one_task_pay_once(app, parent):
	created = task()
	app.sync(created)
	name = created["entity_id"]
	answer = app.sync(entry(parent, 1, taskId=name), entry(parent, 1, taskId=name))
	assert (answer["applied_count"], answer["success"]) == (1, False)
	assert counts(app, parent)[2] == 1


# --- badges


@pytest.fixture
def rule():
	doc = frappe.get_doc(
		{
			"doctype": "Family Badge Rule",
			"code": new_id("rule"),
			"title": "Two done",
			"metric": "Tasks",
			"threshold": 2,
		}
	).insert()
	frappe.db.commit()
	yield doc
	frappe.delete_doc("Family Badge Rule", doc.name)
	frappe.db.commit()


def test_badges_follow_the_rules_of_the_desk(app, rule):
	do(app)
	assert rule.code not in {badge["code"] for badge in app.all("badge")}
	do(app)
	do(app)
	assert [b["title"] for b in app.all("badge") if b["code"] == rule.code] == ["Two done"]


def test_a_rule_that_is_off_awards_nothing(app, rule):
	rule.enabled = 0
	rule.save()
	frappe.db.commit()
	do(app)
	do(app)
	assert rule.code not in {badge["code"] for badge in app.all("badge")}
