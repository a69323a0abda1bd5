"""Frappe's own calls that change something ask for the right to it: a Sync Manager may, a Sync Auditor may only look."""

import json

import frappe
import pytest
from frappe.permissions import reset_perms, setup_custom_perms

from hisabi_sync.guards import table as guards
from tests.walls.test_frappes_calls import MORE, is_there

CONNECTION = "Sync Connection"  # which Sync Managers write and make, and Sync Auditors read
NAMED = {**guards.READS, **guards.MANY}
# Beside the guard Frappe asks who makes an Auto Repeat, and a lock that is there.
FRAPPE_ASKS_MORE = ("frappe.automation.doctype.auto_repeat.auto_repeat.make_auto_repeat",)
# What readers may: their own likes, whom they follow, what they say.
FOR_READERS = (
	"frappe.desk.like.toggle_like",
	"frappe.desk.form.document_follow.follow_document",
	"frappe.desk.form.utils.add_comment",
	"frappe.share.get_users",
)


@pytest.fixture(scope="module")
def send(ask, world):
	"""Make a call about the connection as somebody."""

	def call(who, method):
		doctype, field = NAMED[method]
		name = world.ids["connection"]
		named = json.dumps([name]) if method in guards.MANY else name
		given = {**MORE, doctype: CONNECTION, field: named, "tags": '["x"]'}
		file = {"file_url": "https://example.com/x.png"} if "upload_file" in method else {}
		return ask(who, method, **given, **file)

	return call


def left(world):
	"""What hangs on the connection."""
	frappe.db.rollback()
	name = world.ids["connection"]
	held = {"document_type": CONNECTION, "document_name": name}
	files = {"attached_to_doctype": CONNECTION, "attached_to_name": name}
	tags = (
		frappe.db.get_value(CONNECTION, name, "_user_tags")
		if frappe.db.has_column(CONNECTION, "_user_tags")
		else ""
	)
	todos = frappe.db.count("ToDo", {"reference_type": CONNECTION, "reference_name": name})
	return frappe.db.count("Tag Link", held), frappe.db.count("File", files), tags or "", todos


@pytest.mark.parametrize("method", [method for method in guards.RIGHTS if is_there(method)])
def test_a_call_that_changes_a_document_is_for_who_may_change_it(send, world, method):
	before = left(world)
	for who in ("auditor", "stranger"):
		assert send(who, method).status_code in (403, 404), who
	assert send("auditor", method).status_code == 403
	assert left(world) == before
	if method not in FRAPPE_ASKS_MORE:
		assert send("manager", method).status_code == 200


@pytest.mark.parametrize("method", FOR_READERS)
def test_what_is_a_readers_own_is_for_readers(send, method):
	assert method not in guards.RIGHTS
	assert send("auditor", method).status_code == 200
	assert send("stranger", method).status_code in (403, 404)


def test_every_right_is_of_a_guarded_call():
	assert set(guards.RIGHTS) <= set(NAMED)


@pytest.fixture
def readers_only(world):
	"""A site on which Sync Managers may only read connections."""
	setup_custom_perms(CONNECTION)
	frappe.db.set_value("Custom DocPerm", {"parent": CONNECTION, "role": "Sync Manager"}, "write", 0)
	frappe.db.commit()
	frappe.clear_cache(doctype=CONNECTION)
	yield
	reset_perms(CONNECTION)
	frappe.db.commit()
	frappe.clear_cache(doctype=CONNECTION)


def test_a_pause_is_ended_by_who_may_write_the_connection(ask, world, readers_only):
	given = {"connection": world.ids["connection"]}
	refused = ask("manager", "hisabi_sync.api.runs_desk.resume", **given)
	assert (refused.status_code, refused.json()["error_code"]) == (403, "permission_denied")
	assert ask("stranger", "hisabi_sync.api.runs_desk.resume", **given).status_code == 403


def test_a_manager_ends_a_pause(ask, world):
	answer = ask("manager", "hisabi_sync.api.runs_desk.resume", connection=world.ids["connection"])
	assert answer.status_code == 200
