"""`last_sync_at` loses nothing, whatever clocks, repeats and commits in the wrong moment do."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import frappe
import pytest

from hisabi_sync.engine import garbage, pull
from hisabi_sync.engine.model import clock
from hisabi_sync.hisabi_family import instants
from tests.family.app import App, delete, new_app, new_id, now, task


def ids_of(answer):
	return {change["entity_id"] for change in answer["server_changes"]}


def moved(instant, **shift):
	moment = datetime.fromisoformat(instant.replace("Z", "+00:00")) + timedelta(**shift)
	return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_only_what_is_new_comes(app, other):
	first, second = task(), task()
	app.sync(first)
	assert ids_of(other.sync()) == {first["entity_id"]}
	assert ids_of(other.sync()) == set()
	app.sync(second)
	assert ids_of(other.sync()) == {second["entity_id"]}


def test_the_same_last_sync_at_used_by_two_requests_at_once(app, other):
	"""Both get everything since then, and each new instant stands for what its own answer held."""
	other.sync()
	since, answers = other.last_sync_at, []
	app.sync(*[task() for _ in range(5)])
	start = threading.Barrier(4)

	def ask():
		start.wait()
		answers.append(other.send(task(), last_sync_at=since).json())

	threads = [threading.Thread(target=ask) for _ in range(4)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert len({answer["last_sync_at"] for answer in answers}) == 4
	whole = ids_of(other.send(last_sync_at=since).json())
	assert len(whole) == 9
	for answer in answers:
		later = ids_of(other.send(last_sync_at=answer["last_sync_at"]).json())
		assert ids_of(answer) | later == whole


def test_a_response_that_was_lost_comes_again(app, other):
	other.sync()
	since = other.last_sync_at
	created = task()
	app.sync(created)
	own = task()
	lost = other.send(own, last_sync_at=since).json()
	again = other.send(own, last_sync_at=since).json()
	assert ids_of(lost) == ids_of(again) == {created["entity_id"], own["entity_id"]}
	assert (again["applied_count"], again["success"]) == (1, True)
	assert again["last_sync_at"] > lost["last_sync_at"]


def test_a_commit_between_reading_the_clock_and_reading_the_rows(app, site):
	"""The instant is younger than the commit, but the position that it stands for is not."""
	caller = _caller(app)
	page = pull.pull(caller, None, 10)
	created = task()
	app.sync(created)
	instant = instants.give(caller, page.next_cursor, None)
	frappe.db.commit()
	found, _ = instants.begin(caller, None, instant)
	assert found.position == page.position
	assert created["entity_id"] in {i.client_id for i in pull.pull(caller, page.next_cursor, 10).items}


def test_a_commit_between_reading_the_rows_and_reading_the_clock(app, other, monkeypatch):
	"""A slow transaction takes its numbers before, and commits after, another device asked."""
	other.sync()
	app.sync(task())
	frappe.db.rollback()
	doc = frappe.get_doc({"doctype": "Family Task", "family": app.family, "title": "Slow"}).insert()
	before = ids_of(other.sync())
	frappe.db.commit()
	assert doc.client_id not in before
	assert doc.client_id in ids_of(other.sync())


def _caller(app):
	from hisabi_sync.engine.model import ids
	from hisabi_sync.engine.model.change import Caller
	from hisabi_sync.engine.sharing import spaces

	device = ids.device(app.user, app.device_id)
	caller = Caller(app.user, app.space, device, "family", app.family)
	app.sync()
	frappe.db.rollback()
	return spaces.authorise(caller)


def test_equal_instants_stand_for_the_least_position(app, monkeypatch):
	"""A clock that stands still or goes back gives each answer an instant of its own."""
	caller = replace(_caller(app), device=new_id("device"))  # one that does not come back meanwhile
	still = clock.now() + timedelta(minutes=1)
	monkeypatch.setattr(clock, "now", lambda: still)
	given = []
	for _ in range(3):
		app.sync(task())
		frappe.db.rollback()
		page = pull.pull(caller, None, 10)
		given.append((instants.give(caller, page.next_cursor, None), page.position))
		frappe.db.commit()
	assert len({instant for instant, _ in given}) == 3
	for instant, position in given:
		assert instants.begin(page.caller, None, instant)[0].position == position
	cut = given[0][0].replace(microsecond=0)
	assert instants.Point(caller).find(cut).position <= given[0][1]


@pytest.mark.parametrize("cut", [19, 23])
def test_an_instant_cut_to_seconds_or_milliseconds_loses_nothing(app, other, cut):
	other.sync()
	created = task()
	app.sync(created)
	short = other.last_sync_at[:cut] + "Z"
	assert created["entity_id"] in ids_of(other.send(last_sync_at=short).json())


@pytest.mark.parametrize("shift", [{"seconds": -40}, {"hours": -5}, {"days": -400}])
def test_an_instant_that_was_never_given_is_taken_for_a_time_before(app, other, shift):
	first, second = task(), task()
	app.sync(first)
	other.sync()
	app.sync(second)
	assert second["entity_id"] in ids_of(other.send(last_sync_at=now(**shift)).json())


def test_an_instant_to_come_hides_nothing_from_a_device_that_was_here(app, other):
	first, second = task(), task()
	app.sync(first)
	other.sync()
	other.sync()  # it came back with what it was given
	app.sync(second)
	answer = other.send(last_sync_at=now(hours=6)).json()
	assert second["entity_id"] in ids_of(answer) and first["entity_id"] not in ids_of(answer)


def test_an_instant_to_come_of_an_unknown_device_is_a_first_sync(app, other):
	created = task()
	app.sync(created)
	assert created["entity_id"] in ids_of(other.send(last_sync_at=now(days=300)).json())


def test_a_clock_that_is_ahead_hides_nothing_even_when_its_time_has_come(app, other, monkeypatch):
	"""A device that sends its own time: what it has for sure is what it came back with."""
	other.sync()
	other.sync()
	created = task()
	app.sync(created)
	app.sync(task())  # what is resent of a time reaches back to the last batch only
	frappe.db.sql(
		"UPDATE `tabSync Batch` SET creation = creation - INTERVAL 1 DAY WHERE space = %s", (app.space,)
	)
	frappe.db.commit()
	assert created["entity_id"] in ids_of(other.send(last_sync_at=now(minutes=-1)).json())


def test_another_devices_instant_loses_nothing(app, other, server, site, child):
	"""A backup that moved to a new phone: the instant was given to the old one."""
	first, second = task(), task()
	app.sync(first)
	other.sync()
	app.sync(second)
	moved_phone = App(server.url, site, other.token, other.user, other.family)
	moved_phone.session.headers.update(other.session.headers)
	assert second["entity_id"] in ids_of(moved_phone.send(last_sync_at=other.last_sync_at).json())


def test_a_cursor_is_preferred(app, other):
	app.sync(task())
	answer = other.sync()
	created = task()
	app.sync(created)
	got = other.send(last_sync_at="1970-01-01T00:00:00Z", cursor=answer["cursor"]).json()
	assert ids_of(got) == {created["entity_id"]}
	assert other.send(cursor="forged").status_code == 400
	assert other.send(cursor=app.sync()["cursor"][:-2] + "AA").json()["error_code"] == "invalid_cursor"


def test_a_cursor_of_another_family_is_refused(app, server, site, parent):
	from tests.family.app import new_family

	stranger = new_app(server, site, new_family(parent), parent)
	assert stranger.send(cursor=app.sync()["cursor"]).json()["error_code"] == "invalid_cursor"


@pytest.mark.parametrize("by", ["last_sync_at", "cursor"])
def test_pages(app, other, by):
	made = [task() for _ in range(7)]
	app.sync(*made)
	found, name, more = [], None, True
	while more:
		answer = other.send(limit=3, **{"last_sync_at": None, by: name}).json()
		found += answer["server_changes"]
		name, more = answer[by], answer["has_more"]
	assert [c["entity_id"] for c in found] == [c["entity_id"] for c in made]
	assert {c["action"] for c in found} == {"create"}


def test_deletes_are_told_to_who_knew_the_record(app, other):
	created = task()
	app.sync(created)
	other.sync()
	app.sync(delete(created["entity_id"], 1))
	(change,) = other.sync()["server_changes"]
	assert (change["action"], change["data"], change["version"]) == ("delete", {}, 2)
	assert app.send(last_sync_at=None).json()["server_changes"] == []


def test_a_position_behind_the_horizon_starts_over(app, other):
	"""Tombstones are gone: a device that could have missed one is told so, before anything is applied."""
	created = task()
	app.sync(created)
	other.sync()
	since = other.last_sync_at
	app.sync(delete(created["entity_id"], 1), task())
	frappe.db.sql("UPDATE `tabSync Space` SET horizon = sequence WHERE name = %s", (app.space,))
	frappe.db.commit()
	own = task()
	refused = other.send(own, last_sync_at=since)
	assert (refused.status_code, refused.json()["error_code"]) == (410, "resync_required")
	other.held = {}
	assert other.sync(own, last_sync_at=None)["success"] is True
	assert ("task", created["entity_id"]) not in other.held and len(other.all("task")) == 2


def test_what_a_device_came_back_with_counts_for_collecting_tombstones(app, other):
	app.sync(task())
	other.sync()
	other.sync()
	held = frappe.db.get_all("Sync Device Position", {"space": app.space}, pluck="acknowledged")
	assert max(held) == 1
	assert garbage.collect_space(app.space) == 0


def test_few_instants_are_kept(app):
	app.sync()
	for _ in range(instants.MOST + 5):
		app.send()
	frappe.db.rollback()
	(text,) = frappe.db.get_all("Family Sync Point", {"family": app.family}, pluck="instants")
	assert len(frappe.parse_json(text)["given"]) <= instants.MOST
	created = task()
	app.sync(created)
	assert app.held["task", created["entity_id"]]
