"""Documents that several spaces share lie in a joint space, whose members are the members of its parts."""

import frappe
import pytest
from frappe.desk.form import assign_to

from benchmarks.count_statements import Counted
from hisabi_sync.engine import reconcile
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import ids, joint
from hisabi_sync.engine.sharing import joint_spaces
from hisabi_sync.engine.store import load
from tests.engine.inside import elsewhere
from tests.sharing.world import (
	REGION,
	REP,
	RIGHTS,
	SEAT,
	VISIT,
	by_rep,
	change,
	delete,
	document,
	kind,
	region,
	user,
)
from tests.support import doctypes
from tests.support.phone import new_id

TASK = VISIT.replace("Visit", "Task")
ROWS = "rows.rep.region"


@pytest.fixture(scope="module", autouse=True)
def tasks(sales):
	"""Tasks of a region, with rows that name reps of any."""
	fields = [("region", "Link", REGION), ("rows", "Table", SEAT), "note", "status"]
	retry.run(lambda: doctypes.make(TASK, doctypes.columns(*fields), permissions=RIGHTS))
	frappe.db.commit()
	yield
	doctypes.remove(TASK)


@pytest.fixture
def synced():
	"""Makes an entity type of tasks with shares, in spaces of regions, and takes it away again."""

	def sync(*shares, path="region", **values):
		space_type = values.pop("space_type", None) or kind(by_rep())
		rows = [share if isinstance(share, dict) else {"path": share} for share in shares]
		given = {"check_permissions": 0, "shares": rows, **values}
		retry.run(lambda: doctypes.sync(TASK, space_type, path, **given))
		return space_type

	yield sync
	frappe.db.rollback()
	frappe.delete_doc("Sync Entity", TASK, ignore_missing=True)
	frappe.db.delete("Sync Record", {"document_type": TASK})
	frappe.db.commit()


def of_people():
	"""A type with a space for each user; those of these tests are made without hooks, so before it."""
	return kind({"kind": "The user", "member_role": "member"}, key_kind="User", key_doctype=None)


def lies_in(doc):
	"""The keys whose spaces share a document: of its space, or of the parts of its joint space."""
	frappe.db.rollback()
	filters = {"document_type": doc.doctype, "document_name": doc.name, "deleted_at": ["is", "not set"]}
	spaces = frappe.get_all("Sync Record", filters, pluck="space")
	assert len(spaces) < 2, "a document lies in one space"
	parts = frappe.get_all("Sync Space Part", {"parent": ["in", spaces]}, pluck="part")
	return set(frappe.get_all("Sync Space", {"name": ["in", parts or spaces]}, pluck="space_key"))


def space_of(doc):
	frappe.db.rollback()
	filters = {"document_type": doc.doctype, "document_name": doc.name, "deleted_at": ["is", "not set"]}
	return frappe.db.get_value("Sync Record", filters, "space")


def role(doc, person):
	row = frappe.db.get_value("Sync Space Member", ids.member(space_of(doc), person), ["role", "status"])
	return row[0] if row and row[1] == "active" else None


def rep(place, person=None):
	return document(REP, user=person or user(), region=place)


def rows(*reps):
	return [{"rep": one.name} for one in reps]


def test_rows_lead_to_several_spaces_that_share_the_document(synced):
	north, south, east = region(), region(), region()
	one, two, other = rep(north), rep(south), rep(east)
	synced(ROWS, path="")
	task = document(TASK, note="x", rows=rows(one, two))
	assert lies_in(task) == {north, south}
	assert (role(task, one.user), role(task, two.user), role(task, other.user)) == ("member", "member", None)


def test_one_key_is_a_space_as_it_is(synced):
	north = region()
	kept = synced(ROWS)
	task = document(TASK, region=north, rows=rows(rep(north)))
	assert space_of(task) == ids.space(kept, north)
	assert not frappe.db.exists("Sync Space Part", {"parent": space_of(task)})


def test_a_row_more_takes_the_document_to_the_joint_space_and_a_row_less_back(synced):
	north, south = region(), region()
	kept = synced(ROWS)
	task = document(TASK, region=north)
	assert space_of(task) == ids.space(kept, north)
	task = change(task, rows=rows(rep(south)))
	assert lies_in(task) == {north, south}
	task = change(task, rows=[])
	assert space_of(task) == ids.space(kept, north)


def test_what_a_row_leads_through_moves_the_document_in_its_transaction(synced):
	north, south, west = region(), region(), region()
	one = rep(south)
	synced(ROWS)
	task = document(TASK, region=north, rows=rows(one))
	frappe.get_doc(REP, one.name).update({"region": west}).save()
	held = frappe.get_all(
		"Sync Record", {"document_name": task.name, "deleted_at": ["is", "not set"]}, pluck="space"
	)
	assert frappe.get_all("Sync Space", {"name": held[0]}, pluck="title") == [
		" + ".join(sorted((north, west)))
	]
	frappe.db.commit()
	assert lies_in(task) == {north, west}


def test_documents_that_the_same_spaces_share_lie_together(synced):
	north, south = region(), region()
	synced(ROWS)
	one, two = (document(TASK, region=a, rows=rows(rep(b))) for a, b in ((north, south), (south, north)))
	assert space_of(one) == space_of(two)


def test_members_follow_those_of_the_parts(synced):
	north, south = region(), region()
	kept = synced(ROWS)
	task = document(TASK, region=north, rows=rows(rep(south)))
	late = rep(north)
	assert role(task, late.user) == "member", "who joins a part joins"
	change(late, region=region())
	assert role(task, late.user) is None, "who leaves the part leaves"
	by_hand = user()
	row = document(
		"Sync Space Member", space=ids.space(kept, south), user=by_hand, role="admin", status="active"
	)
	assert role(task, by_hand) == "admin"
	change(row, status="removed")
	assert role(task, by_hand) is None


def test_a_member_by_hand_of_the_joint_space_stays(synced):
	north, south = region(), region()
	one = rep(north)
	synced(ROWS)
	task = document(TASK, region=north, rows=rows(rep(south)))
	held = frappe.get_doc("Sync Space Member", ids.member(space_of(task), one.user))
	change(held, status="removed")
	change(one, team="x")
	joint_spaces.run()
	assert role(task, one.user) is None


def test_a_share_may_be_for_reading_alone(synced):
	north, south = region(), region()
	one, two = rep(north), rep(south)
	synced({"path": ROWS, "access": "Read only"})
	task = document(TASK, region=north, rows=rows(two))
	assert (role(task, one.user), role(task, two.user)) == ("member", "viewer")
	change(two, region=north)
	assert role(task, two.user) == "member"


def test_members_of_an_archived_space_may_only_read_what_it_shares(synced):
	north, south = region(), region()
	one, two = rep(north), rep(south)
	kept = synced(ROWS)
	task = document(TASK, region=north, rows=rows(two))
	archived = change(frappe.get_doc("Sync Space", ids.space(kept, north)), status="Archived")
	assert (role(task, one.user), role(task, two.user)) == ("viewer", "member")
	late = rep(north)
	assert role(task, late.user) == "viewer", "who joins it later may read as well"
	rep(south, one.user)
	assert role(task, one.user) == "member", "another part still lets them write"
	change(archived, status="Active")
	assert (role(task, late.user), role(task, two.user)) == ("member", "member")


def test_many_parts_cost_no_more_statements_than_two(synced):
	synced(ROWS, path="")

	def cost(count):
		reps = [rep(region()) for _ in range(count)]
		with Counted() as seen:
			document(TASK, rows=rows(*reps))
		return [one for one in seen if "`tabSync " in one]

	cost(2)
	few, many = cost(2), cost(6)
	assert len(few) == len(many), (few, many)


def test_assigned_users_have_the_document_in_their_own_space(synced):
	owner, helper = user(), user()
	people = of_people()
	synced("_assign", path="owner", space_type=people)
	task = document(TASK, note="x")
	frappe.db.set_value(TASK, task.name, "owner", owner)
	task = change(task, note="y")
	assert lies_in(task) == {owner}
	assign_to.add({"assign_to": [helper], "doctype": TASK, "name": task.name})
	frappe.db.commit()
	assert lies_in(task) == {owner, helper}
	assert (role(task, owner), role(task, helper)) == ("member", "member")
	assign_to.remove(TASK, task.name, helper)
	frappe.db.commit()
	assert lies_in(task) == {owner}


def test_an_assignment_that_is_deleted_ends(synced):
	helper = user()
	people = of_people()
	synced("_assign", path="owner", space_type=people)
	task = document(TASK, note="x")
	assign_to.add({"assign_to": [helper], "doctype": TASK, "name": task.name})
	frappe.db.commit()
	assert helper in lies_in(task)
	frappe.delete_doc("ToDo", frappe.db.get_value("ToDo", {"reference_name": task.name}))
	frappe.db.commit()
	assert helper not in lies_in(task)


def test_spaces_of_several_types_may_share(synced):
	north, helper = region(), user()
	people = of_people()
	synced({"path": "_assign", "space_type": people})
	task = document(TASK, region=north)
	assign_to.add({"assign_to": [helper], "doctype": TASK, "name": task.name})
	frappe.db.commit()
	assert lies_in(task) == {north, helper}
	assert role(task, helper) == "member"


def test_only_documents_that_meet_the_condition_are_shared(synced):
	north, south = region(), region()
	synced({"path": ROWS, "condition": '[["status", "in", ["Open", "Late"]]]'})
	task = document(TASK, region=north, rows=rows(rep(south)), status="Open")
	assert lies_in(task) == {north, south}
	task = change(task, status="Done")
	assert lies_in(task) == {north}
	assert lies_in(change(task, status="Late")) == {north, south}


def test_documents_that_do_not_meet_the_condition_of_their_type_lie_nowhere(synced):
	north = region()
	synced(ROWS, condition='[["status", "=", "Open"]]')
	task = document(TASK, region=north, rows=rows(rep(region())), status="Done")
	assert lies_in(task) == set()
	task = change(task, status="Open")
	assert north in lies_in(task)
	assert lies_in(change(task, status="Done")) == set()


def test_history_and_client_id_go_along(synced):
	north, south = region(), region()
	synced(ROWS)
	task = change(document(TASK, region=north, note="first"), note="second")
	before = frappe.db.get_value("Sync Record", {"document_name": task.name}, ["client_id", "doc_version"])
	task = change(task, rows=rows(rep(south)))
	after = frappe.db.get_value(
		"Sync Record",
		{"space": space_of(task), "document_name": task.name},
		["client_id", "doc_version", "name"],
	)
	assert after[0] == before[0] and after[1] > before[1]
	assert frappe.db.count("Sync Version", {"record": after[2]}) >= 2


def test_a_deleted_document_leaves_a_tombstone_in_the_joint_space(synced):
	north, south = region(), region()
	synced(ROWS)
	task = document(TASK, region=north, rows=rows(rep(south)))
	space = space_of(task)
	delete(task)
	assert frappe.db.exists("Sync Record", {"space": space, "deleted_at": ["is", "set"]})


def test_the_daily_comparison_finds_what_no_hook_saw(synced):
	north, south, west = region(), region(), region()
	one = rep(south)
	synced(ROWS)
	task = document(TASK, region=north, rows=rows(one))
	frappe.db.set_value(REP, one.name, "region", west)  # as raw SQL, without a hook
	frappe.db.commit()
	reconcile.run(TASK)
	assert lies_in(task) == {north, west}


def test_an_empty_joint_space_is_removed(synced):
	north, south = region(), region()
	synced(ROWS)
	task = document(TASK, region=north, rows=rows(rep(south)))
	space = space_of(task)
	change(task, rows=[])
	joint_spaces.run()
	assert frappe.db.exists("Sync Space", space), "devices have not heard of the end yet"
	frappe.db.delete("Sync Record", {"space": space})
	frappe.db.commit()
	assert joint_spaces.run()["removed"] >= 1
	assert not frappe.db.exists("Sync Space", space)
	assert not frappe.db.exists("Sync Space Member", {"space": space})
	assert lies_in(change(task, rows=rows(rep(south)))) == {north, south}, (
		"it is made again when it is needed"
	)


def test_bulk_writing_and_a_space_of_its_own_are_for_types_without_shares(synced):
	from hisabi_sync.engine.entities.entity_types import registry

	synced(ROWS, write_mode="Bulk")
	entity = registry().by_doctype[TASK]
	assert not entity.bulk and not entity.key_field


@pytest.mark.parametrize(
	("values", "said"),
	[
		({"shares": [{"path": "rows.rep.user"}]}, "does not lead to one"),
		({"shares": [{"path": "region, rows.rep.region"}]}, "A share has one path"),
		({"shares": [{"path": "nothing"}]}, "has no field"),
		({"shares": [{"path": "rows.nothing.region"}]}, "neither a link nor a table"),
		({"shares": [{"path": "_assign"}]}, "does not lead to one"),
		({"shares": [{"path": ROWS, "condition": "{}"}]}, "A condition is a list"),
		({"shares": [{"path": ROWS, "condition": '[["status", "like", "x"]]'}]}, "A condition has terms"),
		({"shares": [{"path": ROWS, "condition": '[["status", "in", "x"]]'}]}, "A condition has terms"),
		({"shares": [{"path": ROWS, "condition": '[["nothing", "=", "x"]]'}]}, "has no field nothing"),
		({"condition": "[["}, "A condition is a list"),
		({"condition": '[["1=1 or status", "=", "x"]]'}, "has no field"),
		({"condition": '[["rows", "=", "x"]]'}, "has no field rows"),
		({"condition": '[["creation", ">", "soon"]]'}, "cannot be compared with soon"),
		({"condition": '[["docstatus", "in", [0, {}]]]'}, "cannot be compared"),
	],
)
def test_the_form_refuses_what_leads_nowhere(values, said):
	doc = {
		"doctype": "Sync Entity",
		"entity_type": TASK,
		"document_type": TASK,
		"space_type": kind(by_rep()),
		"space_path": "region",
	}
	with pytest.raises(frappe.ValidationError, match=said):
		frappe.get_doc({**doc, **values}).insert()
	frappe.db.rollback()


def test_a_path_or_a_share_is_needed():
	doc = {
		"doctype": "Sync Entity",
		"entity_type": TASK,
		"document_type": TASK,
		"space_type": kind(by_rep()),
		"space_path": "",
	}
	with pytest.raises(frappe.ValidationError, match="empty part"):
		frappe.get_doc(doc).insert()
	frappe.db.rollback()


def test_a_key_that_only_looks_like_a_joint_one_is_none():
	assert not joint.is_joint("joint:North") and not joint.is_joint(new_id("region"))
	parts = frozenset((joint.Part("a", "1"), joint.Part("a", "2")))
	assert joint.is_joint(joint.key("a", parts))


def test_who_becomes_a_member_while_the_joint_space_is_made_is_one_there_too(synced, site):
	north, south, late = region(), region(), user()
	synced(ROWS)
	one = rep(south)
	document(TASK, region=north)  # the space is there, so that only its members differ
	frappe.db.get_value(
		REP, one.name, "region"
	)  # from here on the transaction sees what was committed by now
	elsewhere(site, lambda: rep(north, late))
	task = document(TASK, region=north, rows=rows(one))
	assert role(task, late) == "member"


def test_making_a_joint_space_leaves_the_counters_of_its_parts_to_others(synced, site):
	north, south = region(), region()
	synced(ROWS)
	task = document(TASK, region=north, rows=rows(rep(south)))
	parts = frappe.get_all("Sync Space Part", {"parent": space_of(task)}, pluck="part")
	assert len(parts) == 2
	joint_spaces.follow_spaces([space_of(task)], load.LATEST)

	def count():
		frappe.db.sql("SET SESSION innodb_lock_wait_timeout = 1")
		frappe.db.sql("UPDATE `tabSync Space` SET sequence = sequence + 1 WHERE name IN %s", (parts,))

	elsewhere(site, count)
	frappe.db.rollback()
