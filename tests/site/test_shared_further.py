"""What shares of several kinds of space mean for devices: where a create goes, assignments, spaces of records, dry runs."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import memberships, spaces
from tests.sharing.test_joint_spaces import ROWS, TASK, lies_in, rows, tasks  # noqa: F401
from tests.sharing.world import REP, ROLE, delete, document, region, user
from tests.site.app import create, new_device, update
from tests.site.test_joint import of_tasks, people, reshaped, synced_tasks, task_of  # noqa: F401
from tests.support.phone import new_id

OWN = "rows.rep.user"  # to the spaces of the users of the reps in its rows


@pytest.fixture(scope="module", autouse=True)
def shared(sales, tasks, people):  # noqa: F811
	with synced_tasks({"path": ROWS}) as name:
		yield name


@pytest.fixture
def shape(shared):
	"""A function that gives the tasks another home and other shares, until the end of the test."""
	yield lambda **values: retry.run(lambda: reshaped(**values))
	frappe.set_user("Administrator")
	frappe.db.rollback()
	retry.run(lambda: reshaped(space_path="region", shares=[{"path": ROWS, "access": "Read and write"}]))


@pytest.fixture
def loner(server, site, people):  # noqa: F811
	"""A device of a person in no region, who has a space of their own; `row` names them as a rep."""
	person = user("Hisabi User", ROLE)
	memberships.run(people)  # users of tests are made without hooks
	device = new_device(server, site, person)
	device.row = document(REP, user=person)
	return device


def by_user(people, **values):  # noqa: F811
	return {"path": OWN, "space_type": people, "access": "Read and write", **values}


# --- through shares of another kind


def test_a_create_goes_through_a_space_of_another_kind(loner, rep, people, shape):  # noqa: F811
	shape(shares=[by_user(people)])
	made = create(TASK, note="x", rows=rows(loner.row))
	results = loner.push(made, update(TASK, made["id"], 1, note="y"))
	assert [one["status"] for one in results] == ["accepted", "accepted"], results
	assert results[0]["space"] == ids.space(people, loner.user) and lies_in(task_of(results[0])) == {
		loner.user
	}
	(seen,) = of_tasks(loner.pull())
	assert (seen["id"], seen["values"]["note"], seen["spaces"]) == (made["id"], "y", results[0]["spaces"])
	assert of_tasks(loner.pull()) == []
	again = loner.push(made, update(TASK, made["id"], seen["version"], note="z"))
	assert again[0]["already_applied"] and again[1]["status"] == "accepted", again
	assert frappe.db.count(TASK, {"name": results[0]["name"]}) == 1


def test_the_home_that_it_names_beside_is_a_space_of_the_user(loner, rep, people, shape, shared):  # noqa: F811
	shape(shares=[by_user(people)])
	other = rep(place := region())
	sent = create(TASK, note="x", region=place, rows=rows(loner.row))
	(refused,) = loner.push(sent)
	assert (refused["status"], refused["code"]) == ("error", "space_access_denied"), refused
	spaces.set_member(ids.space(shared, place), loner.user, "viewer")
	frappe.db.commit()
	(made,) = loner.push(sent)
	assert made["status"] == "accepted", made
	assert lies_in(task_of(made)) == {place, loner.user}
	for device in (loner, other):
		(seen,) = of_tasks(device.pull())
		assert seen["id"] == made["id"]


def test_a_space_of_another_kind_is_named_or_not_but_never_a_wrong_one(loner, people, shape):  # noqa: F811
	shape(shares=[by_user(people)])
	mine = ids.space(people, loner.user)
	named, astray = loner.push(
		create(TASK, note="x", space=mine, rows=rows(loner.row)), create(TASK, note="y", space=mine)
	)
	assert named["status"] == "accepted", named
	assert (astray["status"], astray["code"]) == ("error", "invalid_link"), astray


def test_what_nothing_leads_to_a_space_of_the_user_says_which_fields_would(loner, rep, people, shape):  # noqa: F811
	shape(shares=[by_user(people)])
	other = rep(place := region())
	foreign, nothing = loner.push(
		create(TASK, note="x", rows=rows(other.rows[place])), create(TASK, note="y")
	)
	assert [one["code"] for one in (foreign, nothing)] == ["shared_with_nobody"] * 2
	assert [line["field"] for line in nothing["detail"]] == ["rows.rep"]


@pytest.mark.parametrize("access", ["Read and write", "Read only"])
def test_the_schema_tells_of_what_only_a_share_brings(loner, people, shape, access):  # noqa: F811
	shape(shares=[by_user(people, access=access)])
	(told,) = [one for one in loner.get("schema").json()["types"] if one["type"] == TASK]
	may = access == "Read and write"
	assert (told["may"]["create"], told["may"]["write"]) == (may, may), told


def test_a_share_for_reading_alone_takes_no_creates(loner, people, shape):  # noqa: F811
	shape(shares=[by_user(people, access="Read only")])
	(refused,) = loner.push(create(TASK, note="x", rows=rows(loner.row)))
	assert refused["code"] == "space_access_denied", refused


# --- only assignments


def assigned(people, **values):  # noqa: F811
	return {"path": "_assign", "space_type": people, "access": "Read and write", **values}


def todos(name):
	frappe.db.rollback()
	filters = {"reference_type": TASK, "reference_name": name}
	return frappe.get_all("ToDo", filters, ["allocated_to", "status"], as_list=True)


def test_what_only_an_assignment_brings_is_assigned_to_its_maker(loner, people, shape):  # noqa: F811
	shape(space_path="", shares=[assigned(people)])
	made, note = create(TASK, note=(note := new_id("note"))), note
	(tried,) = loner.push(made, dry_run=True)
	assert (
		tried["status"] == "accepted"
		and frappe.db.count("ToDo", {"reference_type": TASK, "allocated_to": loner.user}) == 0
	)
	results = loner.push(made, update(TASK, made["id"], 1, status="Open"))
	assert [one["status"] for one in results] == ["accepted", "accepted"], results
	assert loner.push(made)[0]["already_applied"]
	assert todos(results[0]["name"]) == ((loner.user, "Open"),) or todos(results[0]["name"]) == [
		(loner.user, "Open")
	]
	(seen,) = of_tasks(loner.pull())
	assert (seen["values"]["note"], seen["values"]["status"]) == (note, "Open")
	(edited,) = loner.push(update(TASK, made["id"], seen["version"], note="y"))
	assert edited["status"] == "accepted", edited


@pytest.mark.parametrize(
	"share", [{"access": "Read only"}, {"condition": '[["status", "=", "Open"]]'}], ids=str
)
def test_where_members_may_not_write_what_is_assigned_a_create_says_so(loner, people, shape, share):  # noqa: F811
	shape(space_path="", shares=[assigned(people, **share)])
	(refused,) = loner.push(create(TASK, note="x", status="Done"))
	assert (refused["status"], refused["code"], refused["space"]) == ("error", "only_assigned", None), refused
	assert "assigned to you" in refused["message"]
	(kept,) = loner.get("refused").json()["items"]
	assert kept["code"] == "only_assigned"


# --- spaces of records


def test_a_part_that_the_user_joins_or_leaves_is_told_with_the_next_pull(rep):
	one, other = rep(north := region()), rep(south := region())
	shared = create(TASK, note="x", region=north, rows=rows(one.rows[north], other.rows[south]))
	alone = create(TASK, note="y", region=north)
	one.push(shared, alone)
	assert len(of_tasks(one.pull())) == 2 and len(one.held[TASK, shared["id"]]["spaces"]) == 2
	row = document(REP, user=one.user, region=south)
	(again,) = of_tasks(one.pull(limit=1))
	assert (again["id"], len(again["spaces"])) == (shared["id"], 3)
	assert of_tasks(one.pull()) == [] and of_tasks(other.pull())[0]["id"] == shared["id"]
	delete(row)
	(again,) = of_tasks(one.pull())
	assert (again["id"], len(again["spaces"])) == (shared["id"], 2)
	assert of_tasks(one.pull()) == []


def test_a_first_pull_in_small_pages_has_each_record_once(rep):
	one, other = rep(north := region(), middle := region()), rep(south := region())
	sent = [
		create(TASK, note="x", region=place, rows=rows(*with_))
		for place, with_ in ((north, [other.rows[south]]), (middle, [one.rows[north]]), (north, []))
	]
	one.push(*sent)
	assert sorted(seen["id"] for seen in of_tasks(one.pull(limit=1))) == sorted(one["id"] for one in sent)


# --- dry runs


def test_a_dry_run_names_the_spaces_in_which_records_would_lie(rep):
	one, other = rep(north := region()), rep(south := region())
	sent = create(TASK, note="x", region=north, rows=rows(other.rows[south]))
	(tried,) = one.push(sent, dry_run=True)
	(made,) = one.push(sent)
	assert tried["record"]["spaces"] == tried["spaces"] == made["spaces"] and len(made["spaces"]) == 2
