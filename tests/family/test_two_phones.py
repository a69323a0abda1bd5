"""Two phones mark and rename one task: whatever order it arrives in, both end with the same and nothing is paid twice."""

import itertools

import pytest

from tests.family.app import at, delete, new_app, new_id, now, task, update


def converge(*phones):
	"""Sync until nothing comes any more; what all of them hold then."""
	for _ in range(2):
		for phone in phones:
			phone.sync()
	assert all(phone.held == phones[0].held for phone in phones)
	return phones[0].held


def steps(name):
	"""What each phone did offline, in its own order, from version 1."""
	return {
		"a": [
			update(name, 1, at("13:00:00"), title="From A"),
			update(name, 1, at("13:10:00"), status="done", completedAt=at("13:10:00")),
		],
		"b": [
			update(name, 1, at("13:05:00"), title="From B"),
			update(name, 1, at("13:20:00"), status="done", completedAt=at("13:20:00")),
		],
	}


ORDERS = sorted(set(itertools.permutations("aabb")))


@pytest.mark.parametrize("order", ORDERS, ids="".join)
def test_all_orders_of_marking_and_renaming(app, other, order):
	name = new_id("task")
	app.sync(task(name, at("12:00:00"), title="First", points=7))
	other.sync()
	queues, phones, sent = steps(name), {"a": app, "b": other}, []
	for who in order:
		step = queues[who].pop(0)
		answer = phones[who].sync(step)
		sent.append((who, step))
		assert answer["error_count"] == 0
	for who, step in sent:  # every answer was lost, and everything is sent again
		phones[who].sync(step)
	held = converge(app, other)
	assert (held["task", name]["title"], held["task", name]["status"]) == ("From B", "done")
	assert [line["delta"] for line in app.all("points_ledger")] == [7]
	assert sum(row["tasksDone"] for row in app.all("user_streak")) == 1


@pytest.mark.parametrize("first", ["done", "delete"])
def test_done_against_delete(app, other, first):
	name = new_id("task")
	app.sync(task(name, at("12:00:00"), points=7))
	other.sync()
	both = [
		lambda: app.sync(update(name, 1, at("13:00:00"), status="done")),
		lambda: other.sync(delete(name, 1, at("12:30:00"))),
	]
	answers = [step() for step in (both if first == "done" else reversed(both))]
	assert answers[0]["success"] is True
	held = converge(app, other)
	assert ("task", name) not in held
	if first == "done":  # what was earned stays earned
		assert answers[1]["success"] is True and app.all("points_ledger")[0]["delta"] == 7
	else:
		assert answers[1]["conflicts"][0]["code"] == "deleted" and app.all("points_ledger") == []


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_hours_wrong_loses_nothing_silently(app, other, hours):
	"""One phone's clock is wrong. A clock ahead does not win against what was written later."""
	name = new_id("task")
	app.sync(task(name, title="First"))
	other.sync()
	wrong = app.sync(update(name, 1, now(hours=hours), title="Wrong clock"))
	assert wrong["success"] is True
	right = other.sync(update(name, 1, now(), title="Right clock"))
	assert right["success"] is True and other.held["task", name]["title"] == "Right clock"
	assert converge(app, other)["task", name]["title"] == "Right clock"


def test_a_client_that_tells_its_time_is_judged_by_the_servers(app, other):
	name = new_id("task")
	app.sync(task(name, title="First"))
	other.sync()
	other.sync(update(name, 1, now(minutes=-10), title="Earlier"))
	late = app.sync(update(name, 1, now(hours=-5), title="Five hours slow"), client_time=now(hours=-5))
	assert late["success"] is True and app.held["task", name]["title"] == "Five hours slow"


def test_a_wrong_clock_does_not_hide_changes(app, other):
	"""The position is what the server gave out; the client's clock plays no part in it."""
	for hours in (-48, -3, 0, 3, 48):
		created = task(timestamp=now(hours=hours))
		app.sync(created)
		assert created["entity_id"] in {c["entity_id"] for c in other.sync()["server_changes"]}


def test_a_third_phone_that_starts_late_holds_the_same(app, other, server, site, child):
	for n in range(5):
		app.sync(task(f"{app.family}-{n}", points=n))
		other.sync(update(f"{app.family}-{n}", 1, status="done"))
	other.sync(delete(f"{app.family}-0", 2))
	third = new_app(server, site, app.family, child)
	assert converge(app, other, third)
