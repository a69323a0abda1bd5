"""People in the Desk: what they change reaches the phones, what phones do is shown and counted."""

import json
from datetime import timedelta

import frappe
import pytest

from hisabi_sync.engine.model import clock
from hisabi_sync.engine.store.sequence import EVENT
from hisabi_sync.hisabi_family import metrics
from hisabi_sync.hisabi_family.report.family_sync_metrics import family_sync_metrics
from tests.conflicts.conftest import make_person
from tests.cost.test_events import events  # noqa: F401
from tests.family.app import change, new_id, task, update


def saved(doc):
	doc.save() if doc.get("creation") else doc.insert()
	frappe.db.commit()
	return doc


def new(doctype, app, **values):
	return saved(frappe.get_doc({"doctype": doctype, "family": app.family, **values}))


def document(app, entity_id):
	frappe.db.rollback()
	name = frappe.db.get_value("Family Task", {"family": app.family, "client_id": entity_id})
	return frappe.get_doc("Family Task", name)


def test_a_task_of_the_desk_reaches_the_phones(app, child):
	made = new("Family Task", app, title="From the Desk", points=5, assignees=json.dumps([child]))
	app.sync()
	assert app.held["task", made.client_id]["title"] == "From the Desk"
	assert app.held["task", made.client_id]["assignees"] == [child]
	app.sync(update(made.client_id, 1, title="From the phone"))
	assert document(app, made.client_id).title == "From the phone"


def test_a_task_done_in_the_desk_is_paid_to_its_child(app, child):
	made = new("Family Task", app, title="Dishes", points=5, assignees=json.dumps([child]))
	made.status = "done"
	saved(made)
	made.reload()
	assert made.completed_at and made.completed_by == child and made.completed_on
	made.details = "Clean"
	saved(made)
	app.sync()
	assert [(line["userId"], line["delta"]) for line in app.all("points_ledger")] == [(child, 5)]
	assert app.all("user_streak")[0]["currentStreak"] == 1
	shown = app.held["task", made.client_id]
	assert shown["completedBy"] == child and shown["completedAt"]
	made.status = "open"
	saved(made)
	app.sync()
	assert app.held["task", made.client_id]["completedAt"] is None


def test_a_form_opened_long_ago_turns_nothing_back(app):
	created = task(title="A", points=5)
	app.sync(created)
	form = document(app, created["entity_id"])
	app.sync(update(created["entity_id"], 1, status="done"))
	form.title = "B"
	with pytest.raises(frappe.TimestampMismatchError):
		form.save()
	frappe.db.rollback()
	fresh = document(app, created["entity_id"])
	fresh.update({"title": "B", "completed_by": "me", "doc_version": 99})
	saved(fresh)
	app.sync()
	assert app.held["task", created["entity_id"]]["completedBy"] == app.user
	assert app.held["task", created["entity_id"]]["version"] == 3


def test_points_of_the_desk_count_and_never_change(app, child):
	line = new("Family Points Entry", app, user_id=child, delta=30, reason="Birthday")
	app.sync()
	assert app.all("user_streak")[0]["pointsTotal"] == 30
	line.delta = 3000
	with pytest.raises(frappe.ValidationError):
		line.save()
	frappe.db.rollback()


REFUSED = {
	"no such family": ("Family Task", {"family": "none", "title": "x"}),
	"points below zero": ("Family Task", {"title": "x", "points": -1}),
	"ends before it begins": (
		"Family Event",
		{"title": "x", "starts_at": "2026-01-02 10:00:00", "ends_at": "2026-01-01 10:00:00"},
	),
	"a code with blanks": ("Family Badge Rule", {"code": "a b", "title": "x", "threshold": 1}),
	"a badge for nothing": ("Family Badge Rule", {"code": "x", "title": "x", "threshold": 0}),
	"no such time zone": ("Family", {"title": "x", "time_zone": "Mars/Olympus"}),
	"an id with blanks": ("Family", {"title": "x", "family_id": "a b"}),
	"a member twice": (
		"Family",
		{"title": "x", "members": [{"user": "Administrator", "role": "owner"}] * 2},
	),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_desk_refuses(app, name):
	doctype, values = REFUSED[name]
	given = {"family": app.family, **values} if doctype.startswith("Family ") else values
	with pytest.raises(frappe.ValidationError):
		frappe.get_doc({"doctype": doctype, **given}).insert()
	frappe.db.rollback()


def test_a_link_into_another_family_is_refused(app, parent):
	from tests.family.app import new_family

	other = new_family(parent)
	foreign = frappe.get_doc({"doctype": "Family Task", "family": other, "title": "x"}).insert()
	with pytest.raises(frappe.LinkValidationError):
		new("Family Points Entry", app, user_id=parent, delta=1, task=foreign.name)
	frappe.db.rollback()


def test_a_family_that_is_deleted_has_no_members(app):
	app.sync()
	frappe.delete_doc("Family", app.family)
	frappe.db.commit()
	assert app.send(task()).status_code == 403


def test_every_members_phones_hear_of_a_new_position(app, other, events):  # noqa: F811
	events(app.space)
	app.sync(task())
	heard = events(app.space)
	position = frappe.db.get_value("Sync Space", app.space, "sequence")
	assert len(heard) == 3 and all(message["position"] == position for message in heard)
	assert [m["family_id"] for m in heard if "family_id" in m] == [app.family] * 2
	app.sync()
	assert events(app.space) == []
	new("Family Task", app, title="From the Desk")
	assert len(events(app.space)) == 3


def test_the_events_go_to_the_members_rooms(app, other, monkeypatch):
	sent = []
	monkeypatch.setattr(frappe, "publish_realtime", lambda *a, **k: sent.append((a[0], k)))
	from hisabi_sync.hisabi_family import families

	families.announce(app.space, 7)
	assert {(event, given["user"]) for event, given in sent} == {(EVENT, app.user), (EVENT, other.user)}


def test_a_token_signs_in_to_live_events(app):
	path = "/api/method/frappe.realtime.get_user_info"
	response = app.session.get(f"{app.url}{path}", timeout=30)
	assert response.json()["message"]["user"] == app.user
	bad = app.session.get(f"{app.url}{path}", headers={"Authorization": "Bearer eyJx.eyJ.x"}, timeout=30)
	assert bad.status_code == 401


# --- metrics


def day_of(app):
	frappe.db.rollback()
	return frappe.get_doc("Family Sync Day", {"family": app.family, "user": app.user})


def test_a_day_of_a_device_is_one_row(app):
	app.sync(*[task() for _ in range(12)])
	app.sync(task(), task(status="asleep"))
	app.sync()
	day = day_of(app)
	assert (day.syncs, day.changes, day.applied, day.errors, day.conflicts) == (3, 14, 13, 1, 0)
	assert (day.size_0, day.size_10, day.size_50, day.size_100, day.size_500) == (1, 1, 1, 0, 0)
	assert day.status == "Off target" and day.longest_ms <= day.duration_ms and day.device
	app.sync(*[task() for _ in range(90)])
	assert day_of(app).status == "On target"


@pytest.mark.parametrize(
	"counts, status",
	[
		({"changes": 100, "conflicts": 5, "errors": 1}, "On target"),
		({"changes": 100, "conflicts": 6, "errors": 0}, "Off target"),
		({"changes": 100, "conflicts": 0, "errors": 2}, "Off target"),
		({"changes": 0, "conflicts": 0, "errors": 0}, "On target"),
	],
)
def test_the_targets(app, counts, status):
	from hisabi_sync.engine.model.change import Caller

	caller = Caller(app.user, app.space, new_id("device"), "family", app.family)
	for part in range(2):
		metrics.note(caller, 5 + part, **{n: c // 2 + (part and c % 2) for n, c in counts.items()})
	(row,) = frappe.get_all("Family Sync Day", {"device": caller.device}, ["status", "syncs", "longest_ms"])
	assert (row.status, row.syncs, row.longest_ms) == (status, 2, 6)


def test_the_report_judges_devices_by_the_targets(app, other):
	app.sync(*[task() for _ in range(9)], task(status="asleep"))
	other.sync()
	filters = {"family": app.family, "from_date": str((clock.now() - timedelta(days=1)).date())}
	_, rows, _, chart, summary = family_sync_metrics.execute({**filters, "to_date": str(clock.now().date())})
	by_user = {row["user"]: row for row in rows}
	assert (by_user[app.user]["error_rate"], by_user[other.user]["error_rate"]) == (10.0, 0.0)
	assert chart["data"]["datasets"][0]["values"][:2] == [1, 1]
	assert {part["label"]: part["indicator"] for part in summary}["Error rate"] == "Red"


def test_who_reads_the_report_and_the_families(app):
	auditor, nobody = make_person("Sync Auditor"), make_person("Hisabi User")
	app.sync(task())
	for user, may in ((auditor, True), (nobody, False)):
		frappe.set_user(user)
		for doctype in ("Family", "Family Task", "Family Sync Day", "Family Points Entry"):
			assert bool(frappe.has_permission(doctype, "read", user=user)) is may, (user, doctype)
		assert not frappe.has_permission("Family Settings", "read", user=user)
	with pytest.raises(frappe.PermissionError):
		family_sync_metrics.execute({})
	frappe.set_user("Administrator")


def test_user_permissions_on_spaces_limit_families(app, parent):
	from tests.family.app import new_family

	hidden, auditor = new_family(parent), make_person("Sync Auditor")
	frappe.get_doc(
		{"doctype": "User Permission", "user": auditor, "allow": "Sync Space", "for_value": app.space}
	).insert()
	frappe.db.commit()
	frappe.set_user(auditor)
	names = frappe.get_list("Family", pluck="name", limit_page_length=0)
	assert app.family in names and hidden not in names
	assert not frappe.has_permission("Family", "read", doc=hidden)
	frappe.set_user("Administrator")


def test_a_failed_change_can_be_processed_again(app):
	from hisabi_sync.engine import failed_items as failed

	created = task(status="asleep")
	app.sync(created)
	frappe.db.rollback()
	(item,) = frappe.get_all("Sync Item", {"space": app.space, "status": "error"}, ["name", "payload"])
	payload = json.loads(item.payload)
	payload["data"]["status"] = "open"
	done = failed.edit(item.name, payload)
	assert done["done"] is True and document(app, created["entity_id"]).status == "open"


def test_a_listener_makes_saves_go_through_the_controller(app):
	"""A webhook or a notification on tasks: pushes take Frappe's own way, and come to the same."""
	note = frappe.get_doc(
		{
			"doctype": "Notification",
			"name": new_id("note"),
			"subject": "x",
			"document_type": "Family Task",
			"event": "New",
			"channel": "System Notification",
			"message": "x",
			"recipients": [],
		}
	).insert()
	frappe.db.commit()
	try:
		created = task(points=3, desc="text")
		assert app.sync(created)["success"] is True
		assert app.sync(update(created["entity_id"], 1, status="done"))["success"] is True
		assert app.held["task", created["entity_id"]]["completedBy"] == app.user
		assert app.all("user_streak")[0]["pointsTotal"] == 3
		assert app.sync(change("delete", created["entity_id"], 2, {}))["success"] is True
	finally:
		frappe.delete_doc("Notification", note.name)
		frappe.db.commit()
