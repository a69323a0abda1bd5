"""Documents that several spaces share, over the site contract: pulled once, pushed from any part, and in conflict as ever."""

from contextlib import contextmanager

import frappe
import pytest

from hisabi_sync.engine import failed_items
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import memberships
from tests.media import uploads
from tests.media.s3 import bucket, s3_server  # noqa: F401
from tests.sharing.test_joint_spaces import ROWS, TASK, lies_in, rows, space_of, tasks  # noqa: F401
from tests.sharing.world import ROLE, by_rep, document, kind, region, user
from tests.site.app import change, create, new_device, update
from tests.site.test_cost import statements
from tests.site.test_media import uploaded
from tests.support import doctypes
from tests.support.phone import new_id

SHARE = ("path", "space_type", "access", "condition")
ASSIGN = "Assign"  # status of the tasks that the site assigns by itself


@pytest.fixture(scope="module")
def people(sales):
	"""A type with a space for each user."""
	return kind({"kind": "The user", "member_role": "member"}, key_kind="User", key_doctype=None)


@contextmanager
def synced_tasks(*shares):
	"""Tasks that lie in a region and have these shares; gives the type of space."""
	name = kind(by_rep())
	retry.run(lambda: doctypes.sync(TASK, name, "region", check_permissions=0, shares=list(shares)))
	yield name
	frappe.set_user("Administrator")
	frappe.db.rollback()
	frappe.delete_doc("Sync Entity", TASK)
	frappe.db.delete("Sync Record", {"document_type": TASK})
	frappe.db.commit()


@pytest.fixture(scope="module", autouse=True)
def shared(sales, tasks, people):  # noqa: F811
	"""Tasks of a region that the reps of their rows share, and those to whom they are assigned."""
	with synced_tasks({"path": ROWS}, {"path": "_assign", "space_type": people}) as name:
		yield name


@pytest.fixture
def two(rep):
	"""Devices of reps of two regions: (device, its row of the region, the other device, its row)."""
	north, south = region(), region()
	one, other = rep(north), rep(south)
	return one, one.rows[north], other, other.rows[south]


def task_of(result):
	"""The document of a result, as it was committed."""
	frappe.db.rollback()
	return frappe.get_doc(TASK, result["name"])


def of_tasks(changes):
	return [one for one in changes if one["type"] == TASK]


def test_a_record_made_for_two_regions_reaches_both_once(two):
	one, mine, other, theirs = two
	(made,) = one.push(create(TASK, note="x", region=mine.region, rows=rows(mine, theirs)))
	assert made["status"] == "accepted", made
	assert lies_in(task_of(made)) == {mine.region, theirs.region}
	for device in (one, other):
		(seen,) = of_tasks(device.pull())
		assert (seen["id"], seen["values"]["note"], seen.get("deleted")) == (made["id"], "x", None)
		assert of_tasks(device.pull()) == []


def test_a_record_says_which_spaces_of_the_user_share_it(two, rep, shared):
	one, mine, other, theirs = two
	both = rep(mine.region, theirs.region)
	(made,) = one.push(create(TASK, note="x", region=mine.region, rows=rows(mine, theirs)))
	joint, north, south = (
		space_of(task_of(made)),
		ids.space(shared, mine.region),
		ids.space(shared, theirs.region),
	)
	expected = {one: {joint, north}, other: {joint, south}, both: {joint, north, south}}
	for device, spaces in expected.items():
		(seen,) = of_tasks(device.pull())
		got = device.get("record", type=TASK, id=made["id"]).json()
		assert got.get("id") == made["id"], got
		assert seen["spaces"] == got["spaces"] and seen["spaces"][0] == joint
		assert set(seen["spaces"]) == spaces <= {held["space"] for held in device.joined}
	assert (made["space"], made["spaces"]) == (north, [joint, north])
	(again,) = one.push(update(TASK, made["id"], 9, note="y"))
	assert "spaces" not in again, "an error says nothing of where it lies"


def test_the_results_of_shared_records_name_their_spaces_and_others_do_not(two):
	one, mine, other, theirs = two
	sent = create(TASK, note="old", region=mine.region, rows=rows(mine, theirs))
	made, alone = one.push(sent, create(TASK, note="alone", region=mine.region))
	assert "spaces" not in alone and len(made["spaces"]) == 2
	(repeated,) = one.push(sent)
	assert repeated["spaces"] == made["spaces"]
	(stored,) = one.call("status", {"op_ids": [sent["op_id"]]}).json()["results"]
	assert stored["spaces"] == made["spaces"]
	for device in (one, other):
		device.pull()
	version = one.held[TASK, made["id"]]["version"]
	one.push(update(TASK, made["id"], version, note="mine"))
	(clash,) = other.push(update(TASK, made["id"], version, note="theirs"))
	assert clash["spaces"] == clash["record"]["spaces"] and clash["spaces"][0] == made["spaces"][0]
	(update_by_space,) = one.push(update(TASK, made["id"], version + 1, note="z", space=made["spaces"][0]))
	assert update_by_space["status"] == "accepted", update_by_space


def test_naming_the_parts_costs_one_statement_for_many_joint_spaces_and_none_without_changes(two, rep):
	one, mine, other, theirs = two

	def cost(*others):
		one.pull()
		for row in others:
			document(TASK, note="x", region=mine.region, rows=rows(row))
		seen = statements(one, {"cursor": one.cursor})
		found = of_tasks(one.pull())
		assert len(found) == len(others) and all(len(record["spaces"]) == 2 for record in found)
		return seen

	more = [rep(place := region()).rows[place] for _ in range(3)]
	few, many, none = cost(theirs), cost(theirs, *more), cost()
	assert len(few) == len(many), (few, many)
	assert sum("`tabSync Space Part`" in one for one in many) == 1 and len(none) <= 5, none


def test_both_push_to_it_without_naming_a_space(two):
	one, mine, other, theirs = two
	(made,) = one.push(create(TASK, note="x", region=mine.region, rows=rows(mine, theirs)))
	other.pull()
	seen = other.held[TASK, made["id"]]
	(changed,) = other.push(update(TASK, made["id"], seen["version"], note="theirs"))
	assert changed["status"] == "accepted", changed
	(again,) = of_tasks(one.pull())
	assert (again["values"]["note"], again["version"]) == ("theirs", changed["version"])


def test_a_conflict_has_both_sides_and_its_author_settles_it(two):
	one, mine, other, theirs = two
	(made,) = one.push(create(TASK, note="old", region=mine.region, rows=rows(mine, theirs)))
	for device in (one, other):
		device.pull()
	version = other.held[TASK, made["id"]]["version"]
	one.push(update(TASK, made["id"], version, note="mine"))
	(clash,) = other.push(update(TASK, made["id"], version, note="theirs"))
	assert clash["status"] == "conflict", clash
	assert clash["conflict"]["fields"] == {"note": {"base": "old", "server": "mine", "device": "theirs"}}
	assert [c["conflict"]["id"] for c in other.get("conflicts").json()["items"]] == [clash["conflict"]["id"]]
	assert one.get("conflicts").json()["items"] == []
	settling = update(TASK, made["id"], clash["version"], note="both")
	(settled,) = other.push({**settling, "resolves": clash["conflict"]["id"]})
	assert settled["status"] == "accepted", settled
	(seen,) = of_tasks(one.pull())
	assert seen["values"]["note"] == "both" and other.get("conflicts").json()["items"] == []


def test_who_leaves_their_part_drops_it_and_who_stays_keeps_it(two):
	one, mine, other, theirs = two
	(made,) = one.push(create(TASK, note="x", region=mine.region, rows=rows(mine, theirs)))
	for device in (one, other):
		device.pull()
	gone = frappe.get_doc(theirs.doctype, theirs.name)
	gone.user = None
	gone.save()
	frappe.db.commit()
	(told,) = of_tasks(other.pull())
	assert (told["id"], told["deleted"], told["reason"]) == (made["id"], True, "left")
	assert of_tasks(one.pull()) == [] and (TASK, made["id"]) in one.held


@pytest.fixture
def helper(server, site, people):
	"""The device of a person to whom the site assigns the tasks with the status ASSIGN when they are saved."""
	person = user("Hisabi User", ROLE)
	memberships.run(people)  # users of tests are made without hooks
	rule = {
		"doctype": "Assignment Rule",
		"name": new_id("rule"),
		"document_type": TASK,
		"description": "x",
		"rule": "Round Robin",
		"assign_condition": f'status == "{ASSIGN}"',
		"users": [{"user": person}],
		"assignment_days": [
			{"day": f"{day}day"} for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun")
		],
	}
	made = document(**rule)
	yield new_device(server, site, person)
	frappe.set_user("Administrator")
	frappe.delete_doc("Assignment Rule", made.name)
	frappe.db.commit()


def test_an_assignment_that_a_push_makes_moves_its_document_at_the_end(two, helper):
	"""Moved in the middle, the update of the same push would not find the record in its space any more."""
	one, mine, *_ = two
	made = create(TASK, note="x", status=ASSIGN, region=mine.region)
	results = one.push(made, update(TASK, made["id"], 1, note="y"))
	assert [result["status"] for result in results] == ["accepted", "accepted"], results
	assert lies_in(task_of(results[0])) == {mine.region, helper.user}
	for device in (one, helper):
		(seen,) = of_tasks(device.pull())
		assert (seen["id"], seen["values"]["note"]) == (made["id"], "y")
	assert one.push(made)[0]["already_applied"]
	assert frappe.db.count(TASK, {"name": results[0]["name"]}) == 1


# --- what only shares lead to a space


@pytest.fixture
def only_shares(shared):
	"""The tasks have no home: only the reps of their rows share them, and those of the region while they are open."""
	doc = frappe.get_doc("Sync Entity", TASK)
	before = {
		"space_path": doc.space_path,
		"shares": [{name: row.get(name) for name in SHARE} for row in doc.shares],
	}
	open_ones = {"path": "region", "access": "Read and write", "condition": '[["status", "=", "Open"]]'}
	retry.run(lambda: reshaped(space_path="", shares=[{"path": ROWS, "access": "Read and write"}, open_ones]))
	yield shared
	frappe.set_user("Administrator")
	frappe.db.rollback()
	retry.run(lambda: reshaped(**before))


def reshaped(**values):
	doc = frappe.get_doc("Sync Entity", TASK)
	doc.set("shares", [])
	doc.update(values)
	doc.save()
	frappe.db.commit()


def refused(device):
	return device.get("refused").json()["items"]


def test_a_create_finds_its_space_by_what_shares_it(two, only_shares):
	one, mine, _, theirs = two
	by_row = create(TASK, note="a", rows=rows(theirs, mine))
	by_region = create(TASK, note="b", status="Open", region=mine.region, rows=rows(theirs))
	alone = create(TASK, note="c", rows=rows(mine))
	made = one.push(by_row, by_region, alone)
	assert [result["status"] for result in made] == ["accepted"] * 3, made
	both = {mine.region, theirs.region}
	assert [lies_in(task_of(result)) for result in made] == [both, both, {mine.region}]
	assert {seen["id"] for seen in of_tasks(one.pull())} == {result["id"] for result in made}


def test_one_that_several_of_the_users_spaces_share_needs_no_space_named(rep, only_shares):
	device = rep(north := region(), south := region())
	(made,) = device.push(create(TASK, note="x", rows=rows(device.rows[south], device.rows[north])))
	assert made["status"] == "accepted", made
	assert lies_in(task_of(made)) == {north, south} and len(made["spaces"]) == 3


def test_a_create_that_nobody_shares_is_told_what_is_missing_and_listed(two, only_shares):
	one, mine, other, theirs = two
	nothing = create(TASK, note="a")
	shut = create(TASK, note="b", status="Done", region=mine.region)  # the condition of that share
	foreign = create(TASK, note=(note := new_id("note")), rows=rows(theirs))
	results = one.push(nothing, shut, foreign)
	assert [r["code"] for r in results] == ["shared_with_nobody"] * 3, (
		"also where a document of others would lead"
	)
	fields = [line["field"] for line in results[0]["detail"]]
	assert fields == ["rows.rep", "region"] and results[0]["space"] is None
	assert all("has to lead to a space of yours" in line["message"] for line in results[0]["detail"])
	listed = {item["op_id"]: item for item in refused(one)}
	assert list(listed) == [sent["op_id"] for sent in (nothing, shut, foreign)]
	assert listed[nothing["op_id"]]["change"]["values"] == {"note": "a"}
	assert listed[nothing["op_id"]]["detail"] == results[0]["detail"] and refused(other) == []
	(stored,) = one.call("status", {"op_ids": [nothing["op_id"]]}).json()["results"]
	assert (stored["code"], stored["space"]) == ("shared_with_nobody", None)
	(mended,) = one.push({**nothing, "values": {"note": "a", "rows": rows(mine)}})
	assert mended["status"] == "accepted", mended
	assert nothing["op_id"] not in {item["op_id"] for item in refused(one)}
	assert frappe.db.count(TASK, {"note": note}) == 0


def test_a_refused_create_is_kept_once_and_takes_no_answer_away(two):
	one, mine, *_ = two
	rest = {"op_id": new_id("op"), "type": "Nothing", "id": "x", "op": "create", "values": {}}
	one.push(rest, rest)
	one.push(rest)
	(kept,) = refused(one)
	assert (kept["code"], kept["attempts"], kept["space"]) == ("unknown_type", 2, None)
	sent = create(TASK, note="x", region=mine.region)
	(made,) = one.push(sent)
	one.push({**rest, "op_id": sent["op_id"]})
	assert one.push(sent)[0]["version"] == made["version"] and one.push(sent)[0]["already_applied"]
	one.push({**rest, "op_id": new_id("op")}, dry_run=True)
	assert len(refused(one)) == 1, "a dry run leaves nothing"


def test_the_desk_says_that_a_change_without_a_space_cannot_be_processed_there(two):
	one, *_ = two
	one.push(rest := create(TASK, note="x", region=region()))
	(kept,) = refused(one)
	assert kept["code"] == "space_access_denied"
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Item", {"op_key": ids.op_key(rest["op_id"])})
	(result,) = failed_items.process([name])
	assert (result["done"], result["error_code"]) == (False, "not_retryable")


@pytest.fixture
def with_files(shared):
	"""Tasks have attachments."""

	def switch(on):
		frappe.set_user("Administrator")
		entity = frappe.get_doc("Sync Entity", TASK)
		entity.attachments = on
		retry.run(lambda: entity.save() and frappe.db.commit())

	switch(1)
	yield
	switch(0)


def attach(identity, key, **more):
	return change("action", TASK, identity, action="attach", args={"key": key}, **more)


@pytest.fixture(params=["on the site", "in S3"])
def storage(request):
	"""Where uploads are kept."""
	return request.param == "in S3" and request.getfixturevalue("bucket")


def test_a_file_that_was_uploaded_for_a_part_is_attached_to_a_new_record_of_several_spaces(
	two, with_files, shared, storage
):
	one, mine, other, theirs = two
	key = uploaded(one, space=ids.space(shared, mine.region))
	made = create(TASK, note="x", region=mine.region, rows=rows(mine, theirs))
	results = one.push(made, attach(made["id"], key))
	assert [result["status"] for result in results] == ["accepted"] * 2, results
	for device in (one, other):
		device.pull()
		(shown,) = device.held[TASK, made["id"]]["attachments"]
		assert device.session.get(device.url + shown["url"], timeout=60).content == uploads.PNG


def test_a_file_goes_along_when_its_record_comes_to_several_spaces(two, with_files, shared, storage):
	one, mine, other, theirs = two
	key = uploaded(one, space=ids.space(shared, mine.region))
	made = create(TASK, note="x", region=mine.region)
	one.push(made, attach(made["id"], key))
	one.pull()
	version = one.held[TASK, made["id"]]["version"]
	(moved,) = one.push(update(TASK, made["id"], version, rows=rows(mine, theirs)))
	assert moved["status"] == "accepted", moved
	for device in (one, other):
		device.pull()
		(shown,) = device.held[TASK, made["id"]]["attachments"]
		assert device.session.get(device.url + shown["url"], timeout=60).content == uploads.PNG


def test_each_part_attaches_files_to_a_record_of_several_spaces(two, with_files, storage):
	one, mine, other, theirs = two
	made = create(TASK, note="x", region=mine.region, rows=rows(mine, theirs))
	one.push(made)
	for device, part in ((one, 0), (other, 1)):
		device.pull()
		lies = device.held[TASK, made["id"]]["spaces"]
		(result,) = device.push(attach(made["id"], uploaded(device, space=lies[part])))
		assert result["status"] == "accepted", result
	for device in (one, other):
		device.pull()
		for shown in device.held[TASK, made["id"]]["attachments"]:
			assert device.session.get(device.url + shown["url"], timeout=60).content == uploads.PNG
		assert len(device.held[TASK, made["id"]]["attachments"]) == 2
