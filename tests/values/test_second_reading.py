"""Moments of the hour that the site's clock shows twice, in Europe/Berlin: each comes back as it was sent."""

import json
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import frappe
import pytest

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.resolution import cases
from tests.support.engine import change, document_of, fetch, send
from tests.support.phone import new_id
from tests.values import doctypes

# On 25 October 2026 the clock goes from 3:00 back to 2:00 at 01:00Z: both are 2:30 there.
FIRST, SECOND = "2026-10-25T00:30:00.000000Z", "2026-10-25T01:30:00.000000Z"
BEFORE, AFTER = "2026-10-24T23:59:59.999999Z", "2026-10-25T02:00:00.000000Z"
EARLIER, LATER = "2026-10-25T00:50:00.000000Z", "2026-10-25T01:10:00.000000Z"  # 2:50 and 2:10


@pytest.fixture(scope="module")
def team(site):
	doctypes.ensure()
	yield doctypes.team()
	doctypes.remove()


@pytest.fixture
def berlin(site):
	frappe.local.hisabi_sync_zone = ZoneInfo("Europe/Berlin")
	yield
	frappe.local.hisabi_sync_zone = None


@pytest.fixture
def phones(team, berlin):
	"""Two devices of one person."""
	return team, doctypes.team(team.user, team.space_key)


class Plain:
	"""Records whose own field holds the moment; written in bulk."""

	entity = doctypes.ODD

	def payload(self, moment):
		return {"at": moment}

	def moment(self, payload):
		return payload["at"]


class Rows:
	"""Records with the moment in the second of two equal rows; saved as documents."""

	entity = doctypes.WITH_ROWS

	def payload(self, moment):
		return {"rows": [{"row_note": "a", "row_at": FIRST}, {"row_note": "b", "row_at": moment}]}

	def moment(self, payload):
		assert payload["rows"][0]["row_at"] == FIRST
		return payload["rows"][1]["row_at"]


@pytest.fixture(params=[Plain, Rows])
def form(request):
	return request.param()


def make(phone, form, moment):
	key = new_id("record")
	(answer,) = send(phone, change(form.entity, key, title="A", **form.payload(moment)))
	assert answer.status == "accepted", answer
	return key


def pulled(phone, key):
	items, _ = fetch(phone)
	return next(item for item in items if item.client_id == key)


def edit(phone, form, key, version, **payload):
	(answer,) = send(phone, change(form.entity, key, "update", version, **payload))
	return answer


@pytest.mark.parametrize("moment", [FIRST, SECOND, BEFORE, AFTER])
def test_a_moment_comes_back_as_it_was_sent(phones, form, moment):
	key = make(phones[0], form, moment)
	assert form.moment(pulled(phones[1], key).payload) == moment


@pytest.mark.parametrize(("old", "new"), [(FIRST, SECOND), (SECOND, FIRST), (SECOND, AFTER)])
def test_one_reading_is_corrected_to_the_other(phones, form, old, new):
	key = make(phones[0], form, old)
	given = pulled(phones[0], key).payload
	if "rows" in given:
		given["rows"][1]["row_at"] = new
	answer = edit(phones[0], form, key, 1, **({"rows": given["rows"]} if "rows" in given else {"at": new}))
	assert (answer.status, answer.doc_version) == ("accepted", 2)
	assert form.moment(pulled(phones[1], key).payload) == new


def test_the_same_moment_again_is_no_change(phones, form):
	key = make(phones[0], form, SECOND)
	given = pulled(phones[0], key).payload
	same = {name: given[name] for name in form.payload(SECOND)}
	assert edit(phones[0], form, key, 1, **same).doc_version == 1


def test_an_edit_of_another_field_leaves_the_moment(phones, form):
	key = make(phones[0], form, SECOND)
	assert edit(phones[0], form, key, 1, title="B").status == "accepted"
	merged = edit(
		phones[1], form, key, 1, **({"note": "n"} if form.entity == doctypes.ODD else {"title": "B"})
	)
	assert merged.status in ("accepted", "duplicate")
	assert form.moment(merged.record or pulled(phones[0], key).payload) == SECOND
	assert form.moment(pulled(phones[0], key).payload) == SECOND


def test_two_readings_of_one_time_are_two_values_in_a_conflict(phones):
	form = Plain()
	key = make(phones[0], form, BEFORE)
	assert edit(phones[0], form, key, 1, at=FIRST).status == "accepted"
	answer = edit(phones[1], form, key, 1, at=SECOND)
	assert (answer.status, answer.conflict_fields) == ("conflict", ["at"])
	assert answer.record["at"] == FIRST
	held = frappe.get_doc("Sync Conflict", answer.conflict)
	assert json.loads(held.server_values)["at"] != json.loads(held.client_values)["at"]
	frappe.set_user(phones[0].user)
	cases.resolve(answer.conflict, cases.Resolution("accept_client"))
	frappe.set_user("Administrator")
	frappe.db.commit()
	assert pulled(phones[0], key).payload["at"] == SECOND


def test_what_a_version_replaced_is_known_with_its_reading(phones):
	form = Plain()
	key = make(phones[0], form, SECOND)
	assert edit(phones[0], form, key, 1, at=AFTER).status == "accepted"
	given = change(form.entity, key, "update", 1, at=BEFORE)
	given.base_values = {"at": FIRST}  # which nobody had
	(answer,) = send(phones[1], given)
	assert answer.status == "conflict"
	back = edit(phones[1], form, key, 1, at=SECOND, note="n")
	assert (back.status, pulled(phones[0], key).payload["at"]) == ("accepted", AFTER)


@pytest.mark.parametrize("moment", [FIRST, SECOND])
def test_a_save_in_the_desk_leaves_the_moment(phones, form, moment):
	key = make(phones[0], form, moment)
	doc = frappe.get_doc(form.entity, document_of(phones[0], key))
	doc.title = "C"
	doc.save()
	frappe.db.commit()
	item = pulled(phones[1], key)
	assert (item.doc_version, item.payload["title"]) == (2, "C")
	assert form.moment(item.payload) == moment


def test_another_time_from_the_desk_is_told_as_it_is_there(phones):
	key = make(phones[0], Plain(), SECOND)
	name = document_of(phones[0], key)
	for text, told in (
		("2026-10-25 02:40:00", "2026-10-25T00:40:00.000000Z"),
		("2026-10-25 02:30:00", FIRST),
	):
		doc = frappe.get_doc(doctypes.ODD, name)
		doc.at = text
		doc.save()
		frappe.db.commit()
		assert pulled(phones[1], key).payload["at"] == told


def test_a_change_past_every_hook_leaves_the_moment(phones):
	key = make(phones[0], Plain(), SECOND)
	doctypes.write(document_of(phones[0], key), "code", "raw")
	reconcile.run(doctypes.ODD)
	item = pulled(phones[1], key)
	assert (item.doc_version, item.payload["code"], item.payload["at"]) == (2, "raw", SECOND)


def test_other_records_say_nothing_of_readings(phones, form):
	for moment in (FIRST, BEFORE, AFTER):
		key = make(phones[0], form, moment)
		assert frappe.db.get_value("Sync Record", {"client_id": key}, "second_readings") is None


@pytest.mark.parametrize(
	"zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Atlantic/Azores"]
)
def test_every_moment_of_a_year_is_written_and_read_back(berlin, zone):
	"""The day of a change is found in each zone, whichever way and at whichever time of the day it goes."""
	frappe.local.hisabi_sync_zone = ZoneInfo(zone)
	moment, twice = datetime(2026, 1, 1, tzinfo=timezone.utc), 0
	while moment.year == 2026:
		local = clock.parse(moment.isoformat())
		twice += clock.is_twice(local)
		assert clock.is_twice(local) or not local.fold
		assert clock.parse(clock.dump(local)) == local
		moment += timedelta(minutes=15)
	assert twice in (4, 8)


@pytest.fixture
def by_time(phones):
	"""The entity type goes by the times of the writes."""
	_set_policy("last_write_wins")
	yield phones
	_set_policy("merge")


def _set_policy(policy):
	doc = frappe.get_doc("Sync Entity", doctypes.ODD)
	doc.policy = policy
	doc.save()
	frappe.db.commit()
	entity_types.forget()


@pytest.mark.parametrize("order", [(EARLIER, LATER), (LATER, EARLIER)])
def test_the_later_write_wins_though_the_clock_shows_less(by_time, order):
	key = make(by_time[0], Plain(), AFTER)
	for phone, moment in zip(by_time, order, strict=True):
		given = change(doctypes.ODD, key, "update", 1, note=moment)
		given.client_time = clock.parse(moment)
		assert send(phone, given)[0].status == "accepted"
	assert pulled(by_time[0], key).payload["note"] == LATER


def test_a_record_says_when_it_was_written(phones, monkeypatch):
	monkeypatch.setattr(clock, "now", lambda: clock.parse(SECOND))
	key = make(phones[0], Plain(), AFTER)
	assert clock.dump(pulled(phones[1], key).modified) == SECOND


@pytest.mark.parametrize("moment", [EARLIER, LATER, FIRST, SECOND, AFTER, "2026-03-29T01:00:00.000000Z"])
@pytest.mark.parametrize("ahead", [-3600, -1, 1, 3600, 7200])
def test_a_clock_that_is_wrong_is_corrected_across_a_turn(berlin, moment, ahead):
	shown = clock.shifted(clock.parse(moment), timedelta(seconds=ahead))
	assert clock.between(clock.parse(moment), shown) == timedelta(seconds=ahead)
	assert clock.dump(clock.shifted(shown, -timedelta(seconds=ahead))) == moment
