"""Memberships follow the data of the site, in the transaction that changes it."""

import json
import os
import subprocess
import sys

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import followed, memberships, spaces
from tests.engine.writers import in_processes
from tests.sharing import world
from tests.sharing.world import (
	CREW,
	REGION,
	REP,
	ROLE,
	by_permission,
	by_rep,
	by_role,
	change,
	delete,
	document,
	keys,
	kind,
	member,
	permit,
	region,
	rule,
	user,
)
from tests.support.phone import new_id


def grant(person, *roles):
	doc = frappe.get_doc("User", person)
	doc.set("roles", [{"role": role} for role in roles])
	doc.save()
	frappe.db.commit()


def test_a_role_makes_members_of_every_space_and_of_a_space_that_comes_later():
	one = region()
	sales, person, other = kind(by_role()), user(), user("Hisabi User")
	assert keys(sales, person) == set()
	grant(person, ROLE)
	assert one in keys(sales, person)
	two = region()
	assert {one, two} <= keys(sales, person)
	grant(person, "Hisabi User")
	assert keys(sales, person) == keys(sales, other) == set()


def test_a_role_with_one_space_makes_members_of_that_space_and_those_below():
	one, other = region(), region()
	below = region(one)
	sales, person = kind(by_role(key=one), by_role(key=other, descendants=0)), user(ROLE)
	memberships.run(sales)
	above = region(other)
	assert keys(sales, person) == {one, below, other} and above not in keys(sales, person)


def test_somebody_who_is_disabled_leaves_and_comes_back():
	one, person = region(), user(ROLE)
	sales = kind(by_role(key=one))
	assert keys(sales, person) == {one}
	change(frappe.get_doc("User", person), enabled=0)
	assert keys(sales, person) == set()
	change(frappe.get_doc("User", person), enabled=1)
	assert keys(sales, person) == {one}


def test_everybody_is_a_member_of_the_space_of_the_site():
	person = user()
	sales = kind(
		rule("Users with a role", role="All", member_role="viewer"), key_kind="Site", key_doctype=None
	)
	assert member(sales, "site", person) == ("viewer", True)
	assert member(sales, "site", "Guest") is None
	assert frappe.db.get_value("Sync Space", ids.space(sales, "site"), "title") == "Sales"


def test_a_user_is_a_member_of_their_own_space():
	sales, person = kind(rule("The user", member_role="owner"), key_kind="User", key_doctype=None), user()
	memberships.run(sales)
	assert keys(sales, person) == {person} and member(sales, person, person) == ("owner", True)


def test_user_permissions_make_members_with_the_regions_below():
	top = region()
	north, south = region(top), region(top)
	city = region(north)
	sales, person = kind(by_permission()), user()
	held = permit(person, north)
	assert keys(sales, person) == {north, city}
	more = permit(person, south)
	assert keys(sales, person) == {north, city, south}
	delete(held)
	assert keys(sales, person) == {south}
	change(more, for_value=north, hide_descendants=1)
	assert keys(sales, person) == {north}


def test_a_user_permission_for_one_doctype_is_no_reason_to_see_others():
	one, person = region(), user()
	sales = kind(by_permission())
	permit(person, one, apply_to_all_doctypes=0, applicable_for=world.VISIT)
	assert keys(sales, person) == set()


def test_a_user_permission_goes_over_to_another_user():
	one, person, other = region(), user(), user()
	sales = kind(by_permission())
	held = permit(person, one)
	change(held, user=other)
	assert (keys(sales, person), keys(sales, other)) == (set(), {one})


def test_who_is_named_by_a_document_is_a_member():
	one, two, person, other = region(), region(), user(), user()
	sales = kind(by_rep())
	rep = document(REP, user=person, region=one)
	assert keys(sales, person) == {one}
	rep = change(rep, region=two)
	assert keys(sales, person) == {two}
	rep = change(rep, user=other)
	assert (keys(sales, person), keys(sales, other)) == (set(), {two})
	rep.db_set("region", one)
	assert frappe.db.get_value(REP, rep.name, "region") == one
	frappe.db.commit()
	assert keys(sales, other) == {one}
	change(rep, region=None)
	assert keys(sales, other) == set()
	change(rep, region=two)
	delete(rep)
	assert keys(sales, other) == set()


def test_a_value_that_goes_back_within_one_save_is_followed():
	"""`db_set` has no other document of before than the save."""
	one, two, person = region(), region(), user()
	sales, rep = kind(by_rep()), document(REP, user=person, region=one)
	rep.region = two
	rep.save()
	rep.db_set("region", one)
	frappe.db.commit()
	assert keys(sales, person) == {one}


def test_rows_of_a_table_and_links_in_rows_name_members():
	one, two, person, other = region(), region(), user(), user()
	rep = document(REP, user=other)
	sales = kind(
		by_rep(source_doctype=CREW, user_path="seats.user"),
		by_rep(source_doctype=CREW, user_path="seats.rep.user", member_role="viewer"),
	)
	crew = document(CREW, region=one, seats=[{"user": person}, {"rep": rep.name}])
	assert member(sales, one, person) == ("member", True) and member(sales, one, other) == ("viewer", True)
	crew = change(crew, region=two)
	assert (keys(sales, person), keys(sales, other)) == ({two}, {two})
	change(rep, user=None)
	assert keys(sales, other) == set()
	change(crew, seats=[])
	assert keys(sales, person) == set()


def test_a_permission_on_a_tree_may_lead_to_another_document_by_a_path():
	"""Regions lead to the user who runs them: who may see a region is in that user's space."""
	north, south, boss, person = region(), region(), user(), user()
	city = region(north)
	change(frappe.get_doc(REGION, city), boss=boss)
	sales = kind(by_permission(key_path="boss"), key_kind="User", key_doctype=None)
	permit(person, north)
	assert keys(sales, person) == {boss}
	change(frappe.get_doc(REGION, city), **{world.PARENT: south})
	assert keys(sales, person) == set()
	change(frappe.get_doc(REGION, north), boss=person)
	assert keys(sales, person) == {person}


def test_a_cancelled_document_names_nobody():
	one, person = region(), user()
	sales = kind(by_rep(source_doctype=CREW, user_path="seats.user"))
	crew = document(CREW, region=one, seats=[{"user": person}])
	crew.submit()
	frappe.db.commit()
	assert keys(sales, person) == {one}
	crew.cancel()
	frappe.db.commit()
	assert keys(sales, person) == set()


def test_a_path_through_a_link_follows_the_document_in_between():
	one, person, other = region(), user(), user()
	rep = document(REP, user=person)
	sales = kind(by_rep(source_doctype=CREW, user_path="lead.user"))
	document(CREW, region=one, lead=rep.name)
	assert keys(sales, person) == {one}
	change(rep, user=other)
	assert (keys(sales, person), keys(sales, other)) == (set(), {one})


def test_the_space_of_a_user_is_for_those_who_lead_them():
	"""A team lead has the spaces of the reps of the team."""
	rep, lead = user(), user()
	row = document(REP, user=rep, team=lead)
	sales = kind(
		rule("The user", member_role="owner"),
		by_rep(user_path="team", key_path="user", member_role="viewer"),
		key_kind="User",
		key_doctype=None,
	)
	memberships.run(sales)
	assert keys(sales, lead) == {lead, rep} and member(sales, rep, lead) == ("viewer", True)
	change(row, team=None)
	assert keys(sales, lead) == {lead}


def test_a_region_that_moves_takes_its_members_along():
	north, south = region(), region()
	city = region(north)
	sales, one, other = kind(by_permission()), user(), user()
	permit(one, north)
	permit(other, south)
	change(frappe.get_doc(REGION, city), **{world.PARENT: south})
	assert (keys(sales, one), keys(sales, other)) == ({north}, {south, city})
	fresh = region(south)
	assert keys(sales, other) == {south, city, fresh}
	delete(frappe.get_doc(REGION, fresh))
	assert keys(sales, other) == {south, city}


def test_who_is_named_by_a_document_has_the_regions_below_if_the_rule_says_so():
	north = region()
	city = region(north)
	wide, narrow, person = kind(by_rep()), kind(by_rep(descendants=0)), user()
	document(REP, user=person, region=north)
	assert (keys(wide, person), keys(narrow, person)) == ({north, city}, {north})


def test_the_highest_role_counts_and_the_next_one_when_it_ends():
	one, person = region(), user(ROLE)
	sales = kind(by_role(key=one, member_role="viewer"), by_rep(member_role="admin"), by_permission())
	rep = document(REP, user=person, region=one)
	assert member(sales, one, person) == ("admin", True)
	permit(person, one)
	delete(rep)
	assert member(sales, one, person) == ("member", True)


def test_rows_by_hand_stay_whatever_the_rules_say():
	one, two, inside, outside = region(), region(), user(), user()
	sales = kind(by_rep())
	space = spaces.ensure(sales, one)
	spaces.set_member(space, inside, "owner")
	spaces.set_member(space, outside, "member", "removed")
	for person in (inside, outside):
		rep = document(REP, user=person, region=one)
		memberships.run(sales)
		change(rep, region=two)
		change(rep, region=one)
	assert member(sales, one, inside) == ("owner", False) and member(sales, one, outside) is None
	assert keys(sales, outside) == set()


def test_a_row_that_a_person_changed_is_theirs_from_then_on():
	one, person = region(), user()
	sales = kind(by_rep())
	rep = document(REP, user=person, region=one)
	row = frappe.get_doc("Sync Space Member", ids.member(ids.space(sales, one), person))
	with pytest.raises(frappe.ValidationError, match="make this membership again"):
		row.delete()
	change(row, role="admin")
	delete(rep)
	assert member(sales, one, person) == ("admin", False)
	assert row.delete() is None


def test_a_person_does_not_make_a_row_that_looks_like_one_of_a_rule():
	one, person = region(), user()
	sales = kind(by_rep())
	space = spaces.ensure(sales, one)
	document("Sync Space Member", space=space, user=person, role="member", rule="x")
	memberships.run(sales)
	assert member(sales, one, person) == ("member", False)


def test_a_renamed_region_keeps_its_members():
	one, person, other = region(), user(), user()
	sales = kind(by_rep(), by_permission())
	document(REP, user=person, region=one)
	permit(other, one)
	new = new_id("Renamed")
	frappe.rename_doc(REGION, one, new)
	frappe.db.commit()
	assert (keys(sales, person), keys(sales, other)) == ({new}, {new})


def test_a_renamed_user_stays_a_member_by_rule():
	one, person = region(), user()
	sales = kind(by_rep())
	document(REP, user=person, region=one)
	new = f"{new_id('renamed')}@example.com"
	frappe.rename_doc("User", person, new)
	frappe.db.commit()
	assert member(sales, one, new) == ("member", True) and keys(sales, person) == set()


def test_the_job_finds_what_no_hook_saw_and_changes_nothing_else():
	one, person, other = region(), user(), user()
	sales = kind(by_rep())
	document(REP, user=other, region=one)
	rep = document(REP, user=person)
	frappe.db.set_value(REP, rep.name, "region", one)
	frappe.db.commit()
	assert keys(sales, person) == set()
	before = frappe.db.get_value("Sync Space Member", ids.member(ids.space(sales, one), other), "modified")
	assert memberships.run(sales) == {"joined": 1, "left": 0}
	assert keys(sales, person) == {one} and memberships.run(sales) == {"joined": 0, "left": 0}
	after = frappe.db.get_value("Sync Space Member", ids.member(ids.space(sales, one), other), "modified")
	assert before == after
	frappe.db.delete(REP, {"name": rep.name})
	frappe.db.commit()
	assert memberships.run()["left"] >= 1 and keys(sales, person) == set()


def command(site, *arguments):
	line = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", site, *arguments]
	return subprocess.run(line, cwd=os.environ["SITES_PATH"], capture_output=True, text=True, timeout=120)


def test_the_command_does_what_the_job_does(site):
	one, person = region(), user()
	sales, rep = kind(by_rep()), document(REP, user=person)
	frappe.db.set_value(REP, rep.name, "region", one)
	frappe.db.commit()
	wrong = command(site, "hisabi-memberships", "--space-type", "nothing")
	assert wrong.returncode == 2 and "There is no Sync Space Type nothing" in wrong.stderr
	done = command(site, "hisabi-memberships", "--space-type", sales)
	assert done.returncode == 0, done.stderr
	assert json.loads(done.stdout) == {"joined": 1, "left": 0} and keys(sales, person) == {one}


def test_very_many_people_are_left_to_a_worker(monkeypatch):
	monkeypatch.setattr(followed, "AT_ONCE", 1)
	waiting = []
	monkeypatch.setattr(memberships, "soon", waiting.append)
	one, people = region(), [user(), user()]
	sales = kind(by_rep(source_doctype=CREW, user_path="seats.user"))
	waiting.clear()
	document(CREW, region=one, seats=[{"user": person} for person in people])
	assert waiting == [sales] and keys(sales, people[0]) == set()
	assert memberships.run(sales)["joined"] == 2


def test_a_change_that_is_rolled_back_makes_nobody_a_member():
	one, person = region(), user()
	sales = kind(by_rep())
	frappe.get_doc({"doctype": REP, "user": person, "region": one}).insert()
	assert member(sales, one, person)
	frappe.db.rollback()
	assert keys(sales, person) == set()


def _unname(rep):
	change(frappe.get_doc(REP, rep), region=None)


def test_of_two_reasons_that_end_at_the_same_moment_none_is_left(site):
	"""Neither transaction sees that the other reason ends."""
	one, person = region(), user()
	sales = kind(by_rep())
	first, second = document(REP, user=person, region=one), document(REP, user=person, region=one)
	doc = frappe.get_doc(REP, first.name)
	doc.region = None
	doc.save()
	in_processes(site, (_unname, second.name))
	assert member(sales, one, person), "the other's reason still counts here"
	frappe.db.commit()
	assert keys(sales, person) == set()


def test_what_no_rule_names_costs_no_statement():
	kind(by_rep())
	doc = document("ToDo", description="x")
	registry()
	with Counted() as seen:
		for handler in (followed.on_change, followed.after_delete):
			handler(doc)
		followed.after_rename(doc, old="a", new="b")
	assert seen == []


def saved(doc, **values):
	"""Statements of the hook when a document is saved."""
	doc = frappe.get_doc(doc.doctype, doc.name)
	doc.load_doc_before_save()
	doc.update(values)
	doc.db_update()
	with Counted() as seen:
		followed.on_change(doc)
	frappe.db.commit()
	return seen


def test_the_cost_of_a_hook_does_not_grow_with_members_and_a_save_that_changes_nothing_costs_nothing():
	one, two, person = region(), region(), user()
	sales, rep = kind(by_rep()), document(REP, user=person, region=one)
	few = saved(rep, region=two)
	assert 0 < len(few) <= 8, few
	for _ in range(5):
		document(REP, user=user(), region=one)
	assert len(saved(rep, region=one)) <= len(few)
	assert saved(rep, region=one) == []
	assert keys(sales, person) == {one}


def test_rules_that_end_take_their_members_with_them_and_so_does_the_end_of_the_type():
	one, person, other = region(), user(), user()
	sales = kind(by_rep(), by_permission())
	document(REP, user=person, region=one)
	permit(other, one)
	doc = frappe.get_doc("Sync Space Type", sales)
	doc.remove(doc.rules[0])
	doc.save()
	frappe.db.commit()
	memberships.run(sales)
	assert (keys(sales, person), keys(sales, other)) == (set(), {one})
	frappe.delete_doc("Sync Space Type", sales)
	frappe.db.commit()
	assert keys(sales, other) == set()


def test_a_rule_that_cannot_be_read_any_more_leaves_members_as_they_are():
	one, person = region(), user()
	sales = kind(by_rep())
	document(REP, user=person, region=one)
	frappe.db.set_value("Sync Membership Rule", {"parent": sales}, "user_path", "no_such_field")
	entity_types.forget()
	frappe.db.commit()
	assert "no_such_field" in registry().space_types[sales].problem
	memberships.run(sales)
	assert keys(sales, person) == {one}
	doc = frappe.get_doc("Sync Space Type", sales)
	doc.run_method("onload")
	assert "no_such_field" in doc.problem, "the form says why"
