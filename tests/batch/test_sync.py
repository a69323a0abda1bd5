"""One call pushes and pulls: what it accepts, counts and sends down."""

import threading

import frappe

from hisabi_sync.engine.model import cursor
from tests.batch.app import observation, recommendation

FIRST = {
	"crop": "wheat",
	"fieldId": "north",
	"category": "disease",
	"growthStage": "tillering",
	"severity": "high",
	"notes": "Yellow stripes",
	"photos": ["photo-1"],
	"location": {"latitude": 24.7, "longitude": 46.6},
	"observedAt": "2026-03-01T08:00:00.000000Z",
	"updatedAt": "2026-03-01T08:01:00.000000Z",
	"createdAt": "2026-03-01T08:00:30.000000Z",
}
ANSWER = {
	"syncId",
	"acceptedAt",
	"serverCursor",
	"hasMore",
	"acceptedCounts",
	"accepted",
	"conflicts",
	"downstream",
}


def test_a_first_call_and_its_answer(app, other):
	obs = observation(**FIRST)
	rec = recommendation(
		observationId=obs["observationId"], recommendation="Spray", product="X", dose=0.5, doseUnit="l/ha"
	)
	answer = app.sync([obs], [rec], requestedAt="2026-03-01T08:02:00Z")
	assert set(answer) == ANSWER
	assert answer["acceptedCounts"] == {"observations": 1, "recommendations": 1, "playbookPatches": 0}
	assert answer["conflicts"] == [] and not answer["hasMore"]
	held = other.rest("observations")[obs["observationId"]]
	assert obs.items() <= held.items() and held["serverVersion"] == 1 and held["status"] == "draft"
	other.cursor = None
	sent_down = other.rest("recommendations")[rec["recommendationId"]]
	assert sent_down["observationId"] == obs["observationId"] and sent_down["dose"] == "0.5"
	assert frappe.db.get_value("Field Observation", {"client_id": obs["observationId"]}, "crop") == "wheat"


def test_what_a_device_sent_does_not_come_back(app, other):
	app.sync()
	obs = observation(notes="mine")
	assert app.sync([obs])["downstream"]["observations"] == []
	assert app.sync([{**obs, "notes": "edited"}])["downstream"]["observations"] == []
	assert app.sync()["downstream"]["observations"] == []
	assert other.rest()[obs["observationId"]]["notes"] == "edited"


def test_a_device_that_starts_over_gets_what_it_once_sent(app):
	obs = observation(notes="mine")
	app.sync([obs])
	app.cursor = None
	assert app.rest()[obs["observationId"]]["notes"] == "mine"


def test_a_lost_answer_does_not_hide_what_others_did(app, other):
	"""The record has a new number by the device's own edit; it comes down all the same, with the other's field."""
	obs = observation(notes="first")
	app.sync([obs])
	seen = app.cursor
	other.sync()
	other.sync([{"observationId": obs["observationId"], "severity": "high"}])
	app.sync([{"observationId": obs["observationId"], "notes": "mine", "serverVersion": 1}])
	app.cursor = seen  # the answer was lost; the app goes on from the cursor that it has
	answer = app.sync([{"observationId": obs["observationId"], "notes": "mine too", "serverVersion": 3}])
	(down,) = answer["downstream"]["observations"]
	assert (down["severity"], down["notes"]) == ("high", "mine too")


def test_a_merged_record_comes_down(app, other):
	obs = observation(notes="first", severity="low")
	app.sync([obs])
	other.sync()
	other.sync([{"observationId": obs["observationId"], "severity": "high", "serverVersion": 1}])
	answer = app.sync([{"observationId": obs["observationId"], "notes": "second", "serverVersion": 1}])
	(down,) = answer["downstream"]["observations"]
	assert (down["severity"], down["notes"], down["serverVersion"]) == ("high", "second", 3)
	assert answer["accepted"][0]["merged"] is True


def test_pages(app, other):
	made = [observation(notes=str(number)) for number in range(7)]
	other.sync(made)
	app.cursor, found, pages = other_beginning(app), [], 0
	going = True
	while going:
		answer = app.sync(limit=3)
		assert len(answer["downstream"]["observations"]) <= 3
		found += [record["observationId"] for record in answer["downstream"]["observations"]]
		going, pages = answer["hasMore"], pages + 1
	assert found == [obs["observationId"] for obs in made] and pages == 3


def other_beginning(app):
	"""A cursor right before the last seven changes of the farm."""
	frappe.db.rollback()
	position = frappe.db.get_value("Sync Space", app.space, "sequence")
	mark = app.post(app.body(limit=1)).json()["serverCursor"]
	visibility = cursor.decode(mark, app.space).visibility
	return cursor.encode(cursor.Cursor(app.space, position - 7, None, visibility))


def test_the_cursor_never_skips_who_committed_during_the_call(app, other, site, monkeypatch):
	"""Others commit after the call's first read and before it takes its numbers; both belong behind its cursor."""
	from hisabi_sync.api.batch import exchange as batch_exchange
	from hisabi_sync.api.batch import items as batch_items
	from hisabi_sync.api.batch import results as batch_results
	from hisabi_sync.api.batch.models import Upserts
	from hisabi_sync.engine.identity import devices
	from hisabi_sync.engine.model.change import Caller
	from hisabi_sync.engine.store import calls

	app.sync()
	between = observation(notes="in between")
	choose = batch_exchange.choose_operations

	def dawdle(*given):
		assert other.post(other.body([between])).status_code == 200
		return choose(*given)

	monkeypatch.setattr(batch_exchange, "choose_operations", dawdle)
	frappe.set_user("Administrator")
	caller = Caller(app.user, app.space, app.device, "farm", app.farm)
	changes = batch_items.read(
		Upserts(observations=[observation(notes="slow")]), "slow", None, devices.load_by_name(app.device)
	)
	call = calls.Call(app.device, observation()["observationId"], None, "x", "batch")
	exchange = batch_exchange.Exchange(caller, call, changes, app.cursor, 500, ({}, None))
	exchange.run(batch_results.answer)
	down = [record["observationId"] for record in exchange.payload["downstream"]["observations"]]
	app.cursor = exchange.payload["serverCursor"]
	assert between["observationId"] in [*down, *app.rest()]
	assert frappe.db.sql("SELECT @@tx_isolation")[0][0] == "REPEATABLE-READ"


def test_deleted_records_are_named(app):
	obs = observation(notes="to go")
	app.sync([obs])
	frappe.get_doc("Field Observation", {"client_id": obs["observationId"]}).delete()
	frappe.db.commit()
	answer = app.sync()
	assert answer["downstream"]["deleted"] == [
		{"entity": "observation", "id": obs["observationId"], "serverVersion": 2}
	]
	(conflict,) = app.sync([{**obs, "notes": "late"}])["conflicts"]
	assert (conflict["code"], conflict["action"], conflict["retryable"]) == ("deleted", "refresh", False)


def test_a_bad_record_stops_itself_alone(app):
	good, bad = observation(notes="good"), observation(severity="enormous")
	odd = observation(colour="red")
	answer = app.sync([bad, good, odd])
	assert answer["acceptedCounts"]["observations"] == 1
	by_id = {conflict["id"]: conflict for conflict in answer["conflicts"]}
	assert by_id[bad["observationId"]]["code"] == "invalid_choice"
	assert by_id[bad["observationId"]]["details"] == {"fields": ["severity"]}
	assert by_id[odd["observationId"]]["code"] == "invalid_field"
	assert {entry["action"] for entry in by_id.values()} == {"correct"}


def test_what_only_the_server_sets_is_ignored_and_named(app):
	answer = app.sync([observation(confirmedBy="me", supersededBy="x", notes="n")])
	assert answer["accepted"][0]["ignored"] == ["confirmedBy", "supersededBy"]


def test_one_record_twice_in_a_call(app, other):
	obs = observation(notes="a")
	answer = app.sync([obs, {**obs, "notes": "b"}])
	assert answer["acceptedCounts"]["observations"] == 2
	assert other.rest()[obs["observationId"]]["notes"] == "b"


def test_a_dry_run_changes_nothing(app):
	obs = observation(notes="dry")
	body = app.body([obs], dryRun=True)
	answer = app.post(body).json()
	assert answer["acceptedCounts"]["observations"] == 1
	frappe.db.rollback()
	assert not frappe.db.exists("Field Observation", {"client_id": obs["observationId"]})
	assert app.post({**body, "dryRun": False}).status_code == 200


def test_viewers_may_ask_but_not_write(server, site, app):
	from tests.batch.app import new_app

	viewer = new_app(server, site, app.farm, "viewer")
	assert viewer.sync()["conflicts"] == []
	refused = viewer.post(viewer.body([observation()]))
	assert (refused.status_code, refused.json()["error"]["code"]) == (403, "space_read_only")


def test_device_facts_follow_their_own_time(app):
	def fact(at, **facts):
		app.sync(device={"deviceId": app.device_id, "updatedAt": at, **facts})
		return frappe.db.get_value("Sync Device", app.device, ["model", "app_version"])

	assert fact("2026-03-01T10:00:00Z", model="A", appVersion="1.2") == ("A", "1.2")
	assert fact("2026-03-01T09:00:00Z", model="B") == ("A", "1.2")
	assert fact("2026-03-01T11:00:00Z", model="<b>C", appVersion="1.3")[1] == "1.3"
	assert "<b>C" != frappe.db.get_value("Sync Device", app.device, "model")


def test_two_apps_write_at_once_and_hold_the_same_in_the_end(app, other):
	def work(phone):
		for _ in range(5):
			phone.post(phone.body([observation(notes=phone.device_id)]))

	threads = [threading.Thread(target=work, args=(phone,)) for phone in (app, other)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	app.cursor = other.cursor = None
	assert app.rest() == other.rest()
