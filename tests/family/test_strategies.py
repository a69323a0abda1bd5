"""The document's strategies and test topics, on the wire."""

import threading

import frappe
import pytest

from tests.family.app import at, change, delete, new_id, task, update, version_of


@pytest.fixture
def made(app, other):
	"""A task that both phones hold, made at 12:00; its id."""
	created = task(timestamp=at("12:00:00"), title="First", points=5)
	assert app.sync(created)["success"] is True
	other.sync()
	return created["entity_id"]


def held(app, entity_id, entity_type="task"):
	return app.held.get((entity_type, entity_id))


def only(answer):
	assert (answer["success"], answer["applied_count"], len(answer["conflicts"])) == (False, 0, 1), answer
	return answer["conflicts"][0]


# --- the eight topics of the document


def test_no_conflicts(app, other):
	first, second, third = task(), task(), task()
	answer = app.sync(first, second, third)
	assert (answer["success"], answer["applied_count"], answer["error_count"]) == (True, 3, 0)
	assert answer["conflicts"] == answer["errors"] == []
	assert {first["entity_id"], second["entity_id"], third["entity_id"]} <= {
		c["entity_id"] for c in other.sync()["server_changes"]
	}


def test_done_wins_and_the_servers_title_stays(app, other, made):
	app.sync(update(made, 1, at("13:00:00"), title="Second"))
	answer = other.sync(
		update(made, 1, at("12:30:00"), status="done", completedAt=at("12:30:00")),
	)
	assert answer["success"] is True and answer["applied_count"] == 1
	assert (held(other, made)["status"], held(other, made)["title"]) == ("done", "Second")
	assert held(other, made)["completedAt"].startswith("2025-11-11T12:30:00")


def test_done_wins_over_a_newer_status(app, other, made):
	app.sync(update(made, 1, at("15:00:00"), status="in_progress"))
	assert other.sync(update(made, 1, at("12:30:00"), status="done"))["success"] is True
	assert held(other, made)["status"] == "done"


def test_done_on_the_server_wins_over_a_newer_status(app, other, made):
	app.sync(update(made, 1, at("12:30:00"), status="done"))
	conflict = only(other.sync(update(made, 1, at("15:00:00"), status="in_progress")))
	assert (conflict["code"], conflict["resolution"], conflict["fields"]) == (
		"done_wins",
		"server_wins",
		["status"],
	)
	assert conflict["server_data"]["status"] == "done"


def test_delete_wins(app, other, made):
	app.sync(delete(made, 1))
	update_late = update(made, 1, title="Late")
	conflict = only(other.sync(update_late))
	assert (conflict["code"], conflict["server_version"], conflict["server_data"]) == ("deleted", 2, None)
	assert held(other, made) is None
	row = frappe.get_doc("Sync Conflict", conflict["conflict_id"])
	assert row.status == "Decided" and "Late" in row.client_values
	again = only(other.sync(update_late))
	assert again["conflict_id"] == conflict["conflict_id"]
	assert version_of(app, made) == 2


def test_a_delete_wins_over_an_update_that_it_did_not_see(app, other, made):
	app.sync(update(made, 1, title="Newer"))
	assert other.sync(delete(made, 1))["success"] is True
	app.sync()
	assert held(app, made) is held(other, made) is None


def test_version_mismatch(app, other, made):
	for version, title in ((1, "b"), (2, "c"), (3, "d")):
		app.sync(update(made, version, at(f"13:0{version}:00"), title=title))
	conflict = only(other.sync(update(made, 2, at("12:30:00"), title="New Title")))
	assert (conflict["client_version"], conflict["server_version"]) == (2, 4)
	assert (conflict["resolution"], conflict["conflict_reason"]) == ("server_wins", "Version mismatch")
	assert conflict["server_data"]["title"] == held(other, made)["title"] == "d"
	row = frappe.get_doc("Sync Conflict", conflict["conflict_id"])
	assert "New Title" in row.client_values and '"d"' in row.server_values


def test_the_last_writer_wins(app, other, made):
	app.sync(update(made, 1, at("14:25:00"), title="Server"))
	answer = other.sync(update(made, 1, at("14:30:00"), title="Client"))
	assert answer["success"] is True and held(other, made)["title"] == "Client"
	lost = frappe.get_all(
		"Sync Conflict", {"client_id": made, "space": app.space}, ["server_values", "status"]
	)
	assert len(lost) == 1 and lost[0].status == "Decided" and "Server" in lost[0].server_values


def test_batch_rollback(app):
	good, bad = task(), task(status="asleep")
	answer = app.sync(good, bad, atomic=True)
	assert (answer["success"], answer["applied_count"], answer["error_count"]) == (False, 0, 2)
	rolled, cause = answer["errors"]
	assert (rolled["index"], rolled["code"], rolled["caused_by"]) == (0, "batch_rolled_back", [1])
	assert (cause["index"], cause["code"]) == (1, "invalid_choice")
	assert version_of(app, good["entity_id"]) is None
	assert app.sync(good, task(), atomic=True)["applied_count"] == 2


def test_empty_changes(app):
	answer = app.sync()
	assert (answer["success"], answer["applied_count"], answer["error_count"]) == (True, 0, 0)
	again = app.sync()
	assert again["server_changes"] == [] and again["last_sync_at"] > answer["last_sync_at"]


def test_concurrent_users(app, other, made):
	start, answers = threading.Barrier(2), {}

	def work(name, phone, version):
		start.wait()
		answers[name] = [phone.sync(update(made, 1, **{name: f"{name} {n}"}), task()) for n in range(5)]

	threads = [threading.Thread(target=work, args=a) for a in (("title", app, 1), ("desc", other, 1))]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert all(answer["success"] for given in answers.values() for answer in given)
	app.sync()
	other.sync()
	assert app.held == other.held
	assert (held(app, made)["title"], held(app, made)["desc"]) == ("title 4", "desc 4")


# --- beyond them


def test_a_conflict_undoes_an_atomic_request_and_a_person_can_settle_it(app, other, made):
	app.sync(update(made, 1, at("14:25:00"), title="Server"))
	fine = task()
	answer = other.sync(fine, update(made, 1, at("13:00:00"), title="Late", desc="kept"), atomic=True)
	assert (answer["applied_count"], answer["error_count"], len(answer["conflicts"])) == (0, 1, 1)
	assert answer["errors"][0]["caused_by"] == [1]
	assert version_of(app, fine["entity_id"]) is None
	assert held(other, made).get("desc") is None
	assert frappe.db.get_value("Sync Conflict", answer["conflicts"][0]["conflict_id"], "status") == "Open"


def test_only_the_fields_that_clash_lose(app, other, made):
	app.sync(update(made, 1, at("14:25:00"), title="Server"))
	answer = other.sync(update(made, 1, at("13:00:00"), title="Late", desc="kept"))
	assert answer["conflicts"][0]["fields"] == ["title"]
	assert (held(other, made)["title"], held(other, made)["desc"]) == ("Server", "kept")


def test_two_edits_in_one_request_follow_each_other(app, made):
	same = at("13:00:00")
	answer = app.sync(
		update(made, 1, same, title="Second"),
		update(made, 1, same, title="Third"),
		update(made, 3, title="4"),
	)
	assert answer["success"] is True and held(app, made)["title"] == "4"


def test_a_second_create_of_a_record_is_an_edit_judged_by_time(app, other, made):
	assert other.sync(task(made, at("12:00:00"), title="First"))["success"] is True
	assert only(other.sync(task(made, at("11:00:00"), title="Older")))["fields"] == ["title"]
	assert other.sync(task(made, at("13:00:00"), title="Newer"))["success"] is True
	assert held(other, made)["title"] == "Newer"


def test_a_version_ahead_of_the_server_is_an_error(app, made):
	answer = app.sync(update(made, 99, title="x"))
	assert (answer["error_count"], answer["errors"][0]["code"]) == (1, "base_version_ahead")


def event(entity_id=None, timestamp=None, **data):
	return change("create", entity_id or new_id("event"), None, data, "event", timestamp)


def test_events_without_versions_go_by_updated_at(app, other):
	created = event(None, at("12:00:00"), title="Dinner", start=at("18:00:00"), end=at("20:00:00"))
	app.sync(created)
	name = created["entity_id"]
	answer = other.sync(update(name, None, at("14:30:00"), "event", title="Feast", attendees=["a", "b"]))
	assert answer["success"] is True
	late = only(app.sync(update(name, None, at("14:25:00"), "event", title="Late", location="Home")))
	assert sorted(late["fields"]) == ["location", "title"]
	shown = held(app, name, "event")
	assert (shown["title"], shown["attendees"], shown["location"]) == ("Feast", ["a", "b"], None)
	assert shown["start"] == "2025-11-11T18:00:00.000000Z"
	assert app.sync(update(name, None, at("14:31:00"), "event", location="Home"))["success"] is True


def test_an_events_own_updated_at_counts(app):
	created = event(None, at("12:00:00"), title="Dinner")
	app.sync(created)
	newer = update(created["entity_id"], None, None, "event", title="Feast", updatedAt=at("12:01:00"))
	del newer["client_timestamp"]
	answer = app.sync(newer)
	assert answer["success"] is True and answer["ignored"] == [{"index": 0, "fields": ["updatedAt"]}]
	assert held(app, created["entity_id"], "event")["title"] == "Feast"


def test_an_event_does_not_end_before_it_begins(app):
	answer = app.sync(event(None, None, title="Dinner", start=at("18:00:00"), end=at("17:00:00")))
	assert answer["errors"][0]["code"] == "invalid_value"


@pytest.mark.parametrize("entity_type", ["user_streak", "UserStreak", "badge", "Badge"])
def test_streaks_and_badges_are_the_servers(app, made, entity_type):
	app.sync(update(made, 1, status="done"))
	own = app.all("user_streak")[0]
	given = {"currentStreak": 99} if "treak" in entity_type else {"code": "gold"}
	name = app.user if "treak" in entity_type else "badge-x"
	answer = app.sync(
		change("update", name, 1, given, entity_type), change("create", new_id(), 1, given, entity_type)
	)
	codes = [c["code"] for c in answer["conflicts"]] + [e["code"] for e in answer["errors"]]
	assert answer["applied_count"] == 0 and "server_only" in codes
	if "treak" in entity_type:
		assert answer["conflicts"][0]["server_data"]["currentStreak"] == own["currentStreak"] == 1
		assert answer["conflicts"][0]["conflict_id"]


def test_the_points_ledger_is_only_added_to(app, child):
	line = change(
		"create", new_id("line"), None, {"userId": child, "delta": 20, "reason": "Help"}, "PointsLedger"
	)
	assert app.sync(line)["success"] is True
	name = line["entity_id"]
	conflict = only(app.sync(update(name, 1, None, "PointsLedger", delta=500)))
	assert (conflict["code"], conflict["server_data"]["delta"]) == ("immutable", 20)
	assert only(app.sync(delete(name, 1, None, "points_ledger")))["server_data"]["delta"] == 20
	only(app.sync({**line, "data": {**line["data"], "delta": 30}, "client_timestamp": at("15:00:00")}))
	assert held(app, name, "points_ledger")["delta"] == 20


def test_a_viewer_only_reads(server, site, parent, child):
	from tests.family.app import new_app, new_family

	family = new_family(parent, child, roles=["viewer"])
	viewer = new_app(server, site, family, child)
	assert viewer.send(task()).status_code == 403
	assert viewer.sync()["success"] is True


def test_a_deleted_task_begins_again_for_who_saw_its_tombstone(app, other, made):
	app.sync(delete(made, 1, at("13:00:00")))
	version = version_of(app, made)
	blind = only(other.sync(change("create", made, None, {"title": "Blind"}, "task", at("14:00:00"))))
	assert blind["code"] == "deleted"
	answer = app.sync(change("create", made, 2, {"title": "Again"}, "task", at("14:10:00")))
	assert answer["success"] is True, answer
	other.sync()
	assert held(other, made)["title"] == "Again" and version != version_of(other, made)


def test_base_values_count_before_the_version(app, other, made):
	app.sync(update(made, 1, at("13:00:00"), title="Second"))
	stale = {**update(made, 2, at("12:30:00"), title="Late"), "base_values": {"title": "First"}}
	conflict = only(other.sync(stale))
	assert (conflict["code"], conflict["fields"]) == ("version_mismatch", ["title"])
	fresh = {**update(made, None, at("12:40:00"), title="Third"), "base_values": {"title": "Second"}}
	assert other.sync(fresh)["success"] is True
	app.sync()
	assert held(app, made)["title"] == "Third"
