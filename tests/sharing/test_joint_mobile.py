"""Devices make, pull and change documents that several spaces share, in spaces of a type that somebody made."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import memberships
from tests.mobile.app import create, update
from tests.sharing.test_joint_spaces import ROWS, TASK, lies_in, rows, space_of, tasks  # noqa: F401
from tests.sharing.test_mobile import Rep, rep
from tests.sharing.world import REP, by_rep, document, kind, region
from tests.support import doctypes
from tests.support.phone import new_id


@pytest.fixture(scope="module")
def shared(sales, tasks):  # noqa: F811
	name = kind(by_rep())
	shares = [{"path": ROWS}, {"path": "rows.user.name", "access": "Read only", "space_type": people()}]
	retry.run(lambda: doctypes.sync(TASK, name, "region", check_permissions=0, shares=shares))
	yield name
	frappe.set_user("Administrator")
	frappe.delete_doc("Sync Entity", TASK)
	frappe.db.delete("Sync Record", {"document_type": TASK})
	frappe.db.commit()


def people():
	return kind({"kind": "The user", "member_role": "member"}, key_kind="User", key_doctype=None)


def app_in(server, site, shared, place) -> Rep:
	app = rep(server, site, shared, place)
	app.row = document(REP, user=app.user, region=place)
	return app


@pytest.fixture
def two(server, site, shared):
	"""Apps of reps of two regions."""
	return app_in(server, site, shared, region()), app_in(server, site, shared, region())


def task_of(made):
	"""The document of a result, as it was committed."""
	frappe.db.rollback()
	return frappe.get_doc(TASK, made["name"])


def joint(app, doc):
	"""The app, in the joint space in which a document lies."""
	key = frappe.db.get_value("Sync Space", space_of(doc), "space_key")
	held = Rep(app.url, frappe.local.site, app.token, app.user, app.device_id, key)
	held.kind, held.row = app.kind, app.row
	return held


def test_a_document_made_for_two_regions_reaches_both_with_its_id_and_once(two):
	one, other = two
	(made,) = one.push(create(TASK, note="x", rows=rows(one.row, other.row)))
	assert made["status"] == "ok", made
	task = task_of(made)
	assert lies_in(task) == {one.tenant, other.tenant}
	for app in two:
		(seen,) = joint(app, task).pull()[0]
		assert (seen["id"], seen["payload"]["note"]) == (made["server_id"], "x")
		assert [c for c in app.pull()[0] if not c.get("is_deleted")] == []


def test_a_create_that_is_sent_again_makes_no_second_document(two):
	one, other = two
	item = create(TASK, note="once", rows=rows(one.row, other.row))
	(made,) = one.push(item)
	(again,) = one.push(item)
	assert again["server_id"] == made["server_id"] and frappe.db.count(TASK, {"note": "once"}) == 1


def test_both_change_it_and_conflicts_are_found_as_in_any_space(two):
	one, other = two
	(made,) = one.push(create(TASK, note="x", status="Open", rows=rows(one.row, other.row)))
	task = task_of(made)
	mine, theirs = joint(one, task), joint(other, task)
	version = mine.pull()[0][0]["server_version"]
	(first,) = mine.push(update(TASK, made["server_id"], version, note="mine", status="Done"))
	(clash,) = theirs.push(update(TASK, made["server_id"], version, note="theirs"))
	assert (first["status"], clash["status"]) == ("ok", "conflict"), (first, clash)
	frappe.db.rollback()
	assert frappe.db.get_value(TASK, task.name, ["note", "status"]) == ("mine", "Done")


def test_who_leaves_a_region_leaves_what_it_shares(two):
	one, other = two
	(made,) = one.push(create(TASK, note="x", rows=rows(one.row, other.row)))
	theirs = joint(other, task_of(made))
	frappe.delete_doc(REP, document(REP, user=other.user, region=region()).name)
	assert theirs.pull()[0]
	gone = frappe.get_doc(REP, other.row.name)
	gone.user = None
	gone.save()
	frappe.db.commit()
	refused = theirs.call("sync/pull")
	assert (refused.status_code, refused.json()["purge"]) == (403, True)


def test_who_may_only_read_a_share_pulls_and_cannot_push(two, server, site, shared):
	one, _ = two
	reader = app_in(server, site, shared, region())
	shares = {"parent": TASK, "access": "Read only"}
	memberships.run(frappe.db.get_value("Sync Entity Share", shares, "space_type"))
	(made,) = one.push(create(TASK, note="x", rows=[{"user": reader.user}]))
	assert made["status"] == "ok", made
	held = joint(reader, task_of(made))
	(seen,) = held.pull()[0]
	assert seen["payload"]["note"] == "x"
	answer = held.send(update(TASK, seen["id"], seen["server_version"], note="no"))
	assert (answer.status_code, answer.json()["error_code"]) == (403, "space_read_only")


def test_a_document_for_others_alone_is_refused_and_not_kept(two):
	"""The space that is pushed to is its home: a device cannot name another one."""
	one, other = two
	(made,) = one.push(create(TASK, note=(note := new_id("note")), region=other.tenant, rows=rows(other.row)))
	assert (made["status"], made["error_code"]) == ("error", "invalid_field"), made
	frappe.db.rollback()
	assert not frappe.db.exists(TASK, {"note": note})


def test_a_document_that_says_nothing_has_its_home_in_the_space_that_is_pushed_to(two):
	one, other = two
	(made,) = one.push(create(TASK, note="x", rows=rows(other.row)))
	assert made["status"] == "ok", made
	task = task_of(made)
	assert lies_in(task) == {one.tenant, other.tenant} and task.region == one.tenant


def test_a_joint_space_is_listed_by_its_parts(two):
	one, other = two
	(made,) = one.push(create(TASK, note="x", rows=rows(one.row, other.row)))
	space = space_of(task_of(made))
	listed = one.session.get(f"{one.url}/api/v1/mobile/sync/spaces", timeout=60).json()["spaces"]
	titles = {place["title"]: place for place in listed}
	title = " + ".join(sorted((one.tenant, other.tenant)))
	assert ids.space(one.kind, titles[title]["tenant_id"]) == space and titles[title]["role"] == "member"
