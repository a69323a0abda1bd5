"""Observations: the last write wins on drafts; what is confirmed changes by corrections, which form a chain."""

import json
from datetime import datetime, timedelta, timezone

import frappe
import pytest

from hisabi_sync.engine import failed_items as failed
from tests.batch.app import new_app, observation
from tests.batch.races import at_once

CHAIN = "Field Observation Correction"


def at(minute):
	return f"2026-03-01T10:{minute:02}:00Z"


def edit(obs, **values):
	return {"observationId": obs["observationId"], **values}


def confirmed(app, **values):
	obs = observation(status="confirmed", notes="first", **values)
	app.sync([obs])
	return obs


def doc_of(obs):
	frappe.db.rollback()
	return frappe.get_doc("Field Observation", {"client_id": obs["observationId"]})


@pytest.mark.parametrize(("first", "second", "wins"), [(1, 2, "second"), (2, 1, "first")])
def test_the_later_write_of_a_draft_wins_whichever_came_first(app, other, first, second, wins):
	obs = observation(notes="begin", updatedAt=at(0))
	app.sync([obs])
	app.sync([edit(obs, notes="first", updatedAt=at(first))])
	answer = other.sync([edit(obs, notes="second", updatedAt=at(second))])
	assert answer["acceptedCounts"]["observations"] == 1
	assert doc_of(obs).notes == wins
	held = {record["observationId"]: record for record in answer["downstream"]["observations"]}
	assert held[obs["observationId"]]["notes"] == wins, "who lost was not told"
	assert app.rest().get(obs["observationId"], {"notes": "first"})["notes"] == wins


def test_a_write_that_loses_is_kept(app, other):
	obs = observation(notes="begin", updatedAt=at(0))
	app.sync([obs])
	app.sync([edit(obs, notes="later", updatedAt=at(9))])
	other.sync([edit(obs, notes="earlier", updatedAt=at(5))])
	filters = {"client_id": obs["observationId"], "status": "Decided"}
	values = frappe.db.get_value("Sync Conflict", filters, ["client_values", "fields"], as_dict=True)
	assert json.loads(values.client_values)["notes"] == "earlier" and values.fields == "notes"


def test_an_old_call_that_comes_late_does_not_undo_newer_work(app):
	obs = observation(notes="begin", updatedAt=at(0))
	app.sync([obs])
	app.sync([edit(obs, notes="newer", updatedAt=at(5))])
	app.sync([edit(obs, notes="older", updatedAt=at(3))])
	assert doc_of(obs).notes == "newer"


def test_no_clock_wins_for_ever(app, other):
	obs = observation(notes="begin", updatedAt=at(0))
	app.sync([obs])
	app.sync([edit(obs, notes="from 2099", updatedAt="2099-01-01T00:00:00Z")])
	other.sync([edit(obs, notes="after it")])
	assert doc_of(obs).notes == "after it"


def test_a_clock_that_is_ahead_is_set_right(app, other):
	"""The edit is half an hour old by the clock of its device, which is in the year 2099."""
	obs = observation(notes="begin", updatedAt=at(0))
	app.sync([obs])
	just_now = datetime.now(timezone.utc) - timedelta(minutes=1)
	other.sync([edit(obs, notes="a minute ago", updatedAt=just_now.isoformat())])
	late = edit(obs, notes="half an hour ago", updatedAt="2099-01-01T00:00:00Z")
	app.sync([late], requestedAt="2099-01-01T00:30:00Z")
	assert doc_of(obs).notes == "a minute ago"


def test_different_fields_are_merged_when_the_version_is_known(app, other):
	obs = observation(notes="begin", severity="low", updatedAt=at(0))
	app.sync([obs])
	app.sync([edit(obs, notes="mine", updatedAt=at(9), serverVersion=1)])
	other.sync([edit(obs, severity="high", updatedAt=at(5), serverVersion=1)])
	doc = doc_of(obs)
	assert (doc.notes, doc.severity) == ("mine", "high")


def test_confirming_says_who_and_when(app):
	obs = observation(notes="seen")
	app.sync([obs])
	answer = app.sync([edit(obs, status="confirmed")])
	assert answer["downstream"]["observations"] == [], "an echo of one's own record"
	doc = doc_of(obs)
	assert doc.confirmed_by == app.user and doc.confirmed_at


def test_what_is_confirmed_stays(app, other):
	obs = confirmed(app)
	answer = other.sync([edit(obs, notes="changed", serverVersion=1)])
	(conflict,) = answer["conflicts"]
	assert (conflict["entity"], conflict["id"]) == ("observation", obs["observationId"])
	assert (conflict["code"], conflict["action"]) == ("observation_confirmed", "correct")
	assert (conflict["clientVersion"], conflict["serverVersion"]) == (1, 1)
	assert conflict["serverRecord"]["notes"] == "first" and conflict["retryable"] is False
	assert frappe.db.get_value("Sync Conflict", conflict["conflictId"], "status") == "Open"
	(back,) = other.sync([edit(obs, status="draft")])["conflicts"]
	assert back["code"] == "observation_confirmed" and doc_of(obs).status == "confirmed"


def test_sending_a_confirmed_one_again_is_no_conflict(app, other):
	obs = confirmed(app, confirmedAt=at(5))
	for phone in (app, other):
		answer = phone.sync([{**obs, "updatedAt": at(30)}])
		assert answer["conflicts"] == [] and answer["acceptedCounts"]["observations"] == 1
	assert doc_of(obs).doc_version == 1


# --- corrections


def test_a_correction_in_place_is_kept_as_a_chain(app, other):
	obs = confirmed(app)
	other.sync()
	for number, (notes, why) in enumerate([("second", "Typo"), ("third", "Wrong field")], 1):
		fix = edit(obs, notes=notes, correctionOf=obs["observationId"], correctionReason=why)
		answer = app.sync([fix])
		assert answer["conflicts"] == []
		assert doc_of(obs).corrections == number
	rows = frappe.get_all(CHAIN, {"observation": doc_of(obs).name}, "*", order_by="number")
	assert [(row.number, row.reason) for row in rows] == [(1, "Typo"), (2, "Wrong field")]
	assert [json.loads(row.changes)["notes"] for row in rows] == [["first", "second"], ["second", "third"]]
	assert rows[0].corrected_by == app.user and rows[0].device == app.device
	down = other.rest()[obs["observationId"]]
	assert (down["notes"], down["corrections"], down["status"]) == ("third", 2, "confirmed")


def test_two_corrections_in_one_call_are_two_links(app):
	obs = confirmed(app)
	fixes = [
		edit(obs, notes=notes, correctionOf=obs["observationId"], reason=notes, serverVersion=1)
		for notes in ("second", "third")
	]
	app.sync(fixes)
	rows = frappe.get_all(
		CHAIN, {"observation": doc_of(obs).name}, "reason", order_by="number", pluck="reason"
	)
	assert rows == ["second", "third"] and doc_of(obs).notes == "third"


def test_a_correction_as_a_new_observation(app, other):
	obs = confirmed(app)
	fix = observation(
		notes="right", status="confirmed", correctionOf=obs["observationId"], correctionReason="Typo"
	)
	answer = app.sync([fix])
	down = {record["observationId"]: record for record in answer["downstream"]["observations"]}
	assert set(down) == {obs["observationId"]}, "the corrected one was changed by the server"
	assert down[obs["observationId"]]["supersededBy"] == fix["observationId"]
	assert down[obs["observationId"]]["notes"] == "first"
	assert other.rest()[fix["observationId"]]["correctionOf"] == obs["observationId"]
	(row,) = frappe.get_all(CHAIN, {"observation": doc_of(obs).name}, "*")
	assert row.replaced_by == doc_of(fix).name and json.loads(row.changes) == {"notes": ["first", "right"]}


def test_the_chain_goes_on_at_its_end(app):
	obs = confirmed(app)
	second = observation(status="confirmed", correctionOf=obs["observationId"], correctionReason="Typo")
	third = observation(status="confirmed", correctionOf=second["observationId"], correctionReason="Typo")
	app.sync([third, second])  # in one call, whatever the order
	fork = observation(status="confirmed", correctionOf=obs["observationId"], correctionReason="Typo")
	(conflict,) = app.sync([fork])["conflicts"]
	assert (conflict["code"], conflict["action"]) == ("already_corrected", "refresh")
	assert conflict["details"] == {"fields": [second["observationId"]]}
	assert app.sync([second])["conflicts"] == [], "the correction itself, sent again"


@pytest.mark.parametrize(
	("given", "code"),
	[
		({"correctionReason": None}, "correction_reason_required"),
		({"correctionReason": 5}, "invalid_field_type"),
		({"correctionOf": "no-such"}, "invalid_link"),
		({"correctionOf": 5}, "correction_reason_required"),
		({"correctionOf": "itself", "status": "draft"}, "invalid_value"),
	],
)
def test_corrections_that_are_none(app, given, code):
	obs = confirmed(app)
	fix = observation(notes="right", correctionOf=obs["observationId"], correctionReason="Typo")
	fix.update(given)
	if fix["correctionOf"] == "itself":
		fix["observationId"] = fix["correctionOf"] = obs["observationId"]
	(conflict,) = app.sync([fix])["conflicts"]
	assert conflict["code"] == code


def test_a_draft_is_edited_not_corrected(app):
	obs = observation(notes="draft")
	app.sync([obs])
	fixes = [
		observation(correctionOf=obs["observationId"], correctionReason="Typo"),
		edit(obs, notes="x", correctionOf=obs["observationId"], correctionReason="Typo"),
	]
	codes = {conflict["code"] for conflict in app.sync(fixes)["conflicts"]}
	assert codes == {"correction_of_draft"}


def test_an_observation_that_is_not_there_is_not_corrected_in_place(app):
	fix = observation("never-seen", correctionOf="never-seen", correctionReason="Typo")
	(conflict,) = app.sync([fix])["conflicts"]
	assert conflict["code"] == "not_found"


def test_of_corrections_at_the_same_time_one_wins(server, site, app):
	obs = confirmed(app)
	phones = [new_app(server, site, app.farm, "member") for _ in range(4)]

	def correct(phone):
		fix = observation(status="confirmed", correctionOf=obs["observationId"], correctionReason="Typo")
		return phone.post(phone.body([fix])).json()

	answers = at_once(correct, phones)
	assert sorted(answer["acceptedCounts"]["observations"] for answer in answers) == [0, 0, 0, 1], answers
	assert len(frappe.get_all(CHAIN, {"observation": doc_of(obs).name})) == 1


# --- the Desk


def test_the_desk_corrects_with_a_reason_too(app):
	obs = confirmed(app)
	doc = doc_of(obs)
	doc.notes = "mended"
	with pytest.raises(frappe.ValidationError):
		doc.save()
	doc = doc_of(obs)
	doc.update({"notes": "mended", "correct_because": "Wrong name"})
	doc.save()
	frappe.db.commit()
	(row,) = frappe.get_all(CHAIN, {"observation": doc.name}, ["reason", "corrected_by", "device"])
	assert (row.reason, row.corrected_by, row.device) == ("Wrong name", "Administrator", None)
	assert app.rest()[obs["observationId"]]["notes"] == "mended"
	doc.reload()
	assert not doc.correct_because
	doc.status = "draft"
	with pytest.raises(frappe.ValidationError):
		doc.save()


def test_history_is_not_edited(app):
	obs = confirmed(app)
	app.sync([edit(obs, notes="x", correctionOf=obs["observationId"], correctionReason="Typo")])
	row = frappe.get_doc(CHAIN, {"observation": doc_of(obs).name})
	row.reason = "another"
	with pytest.raises(frappe.ValidationError):
		row.save()
	with pytest.raises(frappe.ValidationError):
		row.delete()


def test_what_only_the_server_sets_is_ignored_and_named_under_each_of_its_names(app):
	obs = observation(notes="begin", superseded_by="obs-none", supersededBy=[5], confirmed_by="Administrator")
	(accepted,) = app.sync([obs])["accepted"]
	assert set(accepted["ignored"]) == {"superseded_by", "supersededBy", "confirmed_by"}
	assert not doc_of(obs).superseded_by and not doc_of(obs).confirmed_by


def test_a_deleted_observation_begins_again_for_who_saw_its_tombstone(app, other):
	obs = observation(notes="begin", updatedAt=at(0))
	app.sync([obs])
	frappe.set_user("Administrator")
	from hisabi_sync.engine import capture
	from hisabi_sync.engine.entities import entity_types
	from hisabi_sync.engine.model.change import Caller

	doc, entity = doc_of(obs), entity_types.registry().by_name["observation"]
	((stored, space),) = capture.records_of(entity, doc.name)
	capture.tombstone(stored, entity, Caller.of_system("Administrator", space))
	frappe.db.commit()
	(blind,) = app.sync([edit(obs, notes="blind", updatedAt=at(5))])["conflicts"]
	assert blind["code"] == "deleted"
	(again,) = app.sync([edit(obs, notes="again", serverVersion=2, updatedAt=at(6))])["accepted"]
	assert again["serverVersion"] == 3 and doc_of(obs).notes == "again"
	assert other.rest()[obs["observationId"]]["notes"] == "again"


def test_a_failed_one_is_processed_again_when_its_record_was_made_meanwhile(app, other):
	obs = observation(notes="mine", severity="unheard of", updatedAt=at(2))
	assert app.post(app.body([obs])).json()["conflicts"][0]["code"] == "invalid_choice"
	other.sync([{**obs, "severity": "low", "notes": "theirs", "updatedAt": at(1)}])
	frappe.db.rollback()
	item = frappe.get_doc("Sync Item", {"device": app.device, "client_id": obs["observationId"]})
	(again,) = failed.process([item.name])
	assert again["error_code"] == "invalid_choice"
	kept = json.loads(item.payload)
	assert failed.edit(item.name, {**kept, "item": {**kept["item"], "severity": "high"}})["done"]
	assert (doc_of(obs).severity, doc_of(obs).notes) == ("high", "mine")
