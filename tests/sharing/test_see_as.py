"""See as: what a user or a device gets, and why a document is there or is not."""

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.desk.insight import visible_spaces
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import memberships, spaces
from tests.conflicts.conftest import make_person, web  # noqa: F401
from tests.sharing.test_mobile import rep
from tests.sharing.world import (
	REGION,
	REP,
	ROLE,
	VISIT,
	by_permission,
	by_rep,
	change,
	delete,
	document,
	kind,
	permit,
	region,
	user,
)
from tests.support import doctypes
from tests.support.phone import new_id


@pytest.fixture(scope="module")
def visits(sales):
	"""The space type in whose spaces visits lie."""
	name = kind(by_rep(), by_permission(member_role="viewer"))
	retry.run(lambda: doctypes.sync(VISIT, name, "region"))
	yield name
	frappe.set_user("Administrator")
	frappe.delete_doc("Sync Entity", VISIT)
	frappe.db.commit()


@pytest.fixture
def ask(web):  # noqa: F811
	"""Asks as a Sync Manager who may read the documents."""
	call = web(make_person("Sync Manager", "System Manager"))

	def ask(name, /, **given):
		frappe.db.commit()
		answer = call(f"see_as.{name}", **given)
		assert answer.status_code == 200, answer.text
		return answer.json()["message"]

	return ask


def step(why, name):
	return next(found for found in why["steps"] if found["step"] == name)


def test_spaces_with_role_rule_and_what_the_user_may_read(visits, ask):
	one, two, person = region(), region(), user(ROLE)
	document(REP, user=person, region=one)
	permit(person, two)
	spaces.set_member(spaces.ensure("tenant", new_id("tenant")), person, "admin")
	for note in ("a", "b"):
		document(VISIT, note=note, region=one)
	seen = ask("spaces", user=person)
	assert (seen["person"]["user"], seen["person"]["enabled"], seen["device"]) == (person, True, None)
	assert ROLE in seen["person"]["roles"] and seen["more"] is False
	found = {space["space_key"]: space for space in seen["spaces"]}
	assert (found[one]["role"], found[one]["rule"]) == ("member", f"{REP} names the user in user")
	assert (found[two]["role"], found[two]["rule"]) == ("viewer", f"User Permissions on {REGION}")
	by_hand = next(space for space in seen["spaces"] if space["space_type"] == "tenant")
	assert (by_hand["role"], by_hand["rule"]) == ("admin", None)
	# The User Permission on the other region hides the visits of this one.
	assert found[one]["counts"] == [{"entity_type": VISIT, "records": 2, "seen": 0}]
	assert found[two]["counts"] == []


def test_counts_are_what_a_device_pulls(visits, ask, server, site):
	one = region()
	app = rep(server, site, visits, one)
	row = document(REP, user=app.user, region=one)
	held = [document(VISIT, note=str(n), region=one) for n in range(3)]
	delete(held[0])
	(space,) = ask("spaces", user=app.user)["spaces"]
	pulled = [change for change in app.pull()[0] if change["action"] != "delete"]
	assert space["counts"] == [{"entity_type": VISIT, "records": 2, "seen": len(pulled)}]
	delete(row)
	(space,) = ask("spaces", user=app.user)["spaces"]
	assert (space["status"], space["counts"]) == ("removed", [])


def test_a_device_is_seen_as_its_user_with_what_it_confirmed(visits, ask):
	one, person = region(), user(ROLE)
	document(REP, user=person, region=one)
	device, _ = device_tokens.register(person, new_id("device"), "android", "Tablet")
	visit = document(VISIT, note="x", region=one)
	seen = ask("spaces", device=device.name)
	assert (seen["person"]["user"], seen["device"]["title"]) == (person, "Tablet")
	assert (seen["spaces"][0]["confirmed"], seen["spaces"][0]["position"]) == (None, 1)
	why = ask("why", device=device.name, document_type=VISIT, document=visit.name)
	assert "not confirmed any position" in step(why, "device")["text"] and why["seen"] is True
	row = {"doctype": "Sync Device Position", "device": device.name, "acknowledged": 1}
	space = ids.space(visits, one)
	doc = frappe.get_doc({**row, "space": space})
	doc.flags.ignore_permissions = True
	doc.insert(set_name=ids.digest(device.name, space))
	assert ask("spaces", device=device.name)["spaces"][0]["confirmed"] == 1
	why = ask("why", device=device.name, document_type=VISIT, document=visit.name)
	assert "includes the latest change" in step(why, "device")["text"]
	change(visit, note="y")
	why = ask("why", device=device.name, document_type=VISIT, document=visit.name)
	assert "comes with its next pull" in step(why, "device")["text"]


def test_why_a_document_is_there(visits, ask):
	one, person = region(), user(ROLE)
	document(REP, user=person, region=one)
	visit = document(VISIT, note="x", region=one)
	why = ask("why", user=person, document_type=VISIT, document=visit.name)
	assert why["seen"] is True
	assert [found["step"] for found in why["steps"]] == ["type", "path", "record", "member", "rights"]
	assert {found["ok"] for found in why["steps"]} == {True}
	assert step(why, "path")["detail"] == [f"region leads to {one}"]
	assert step(why, "member")["detail"] == [
		f"{REP} names the user in user: yes",
		f"User Permissions on {REGION}: no",
	]


def no_member(person, one):
	return "no member of the space"


def left(person, one):
	row = document(REP, user=person, region=one)
	delete(row)
	return "no rule names them any more"


def put_out(person, one):
	document(REP, user=person, region=one)
	space = frappe.db.get_value("Sync Space", {"space_key": one})
	change(frappe.get_doc("Sync Space Member", ids.member(space, person)), status="removed")
	return "removed the user from the space by hand"


@pytest.mark.parametrize("case", [no_member, left, put_out])
def test_why_a_document_is_not_there_for_somebody_outside(visits, ask, case):
	one, person = region(), user(ROLE)
	visit = document(VISIT, note="x", region=one)
	said = case(person, one)
	why = ask("why", user=person, document_type=VISIT, document=visit.name)
	assert why["seen"] is False and step(why, "member")["ok"] is False
	assert said in step(why, "member")["text"]


def test_why_a_document_is_not_there_by_its_path(visits, ask):
	visit = document(VISIT, note="x")
	why = ask("why", user=user(ROLE), document_type=VISIT, document=visit.name)
	assert why["seen"] is False and step(why, "path")["detail"] == ["region leads nowhere"]
	assert [found["step"] for found in why["steps"]] == ["type", "path"]


def test_why_a_document_is_not_there_by_frappes_rights(visits, ask):
	one, blind, narrow = region(), user("Hisabi User"), user(ROLE)
	for person in (blind, narrow):
		document(REP, user=person, region=one)
	permit(narrow, region())
	visit = document(VISIT, note="x", region=one)
	why = ask("why", user=blind, document_type=VISIT, document=visit.name)
	assert (why["seen"], step(why, "rights")["ok"], step(why, "member")["ok"]) == (False, False, True)
	assert "No role of the user" in step(why, "rights")["text"]
	why = ask("why", user=narrow, document_type=VISIT, document=visit.name)
	assert why["seen"] is False and "A User Permission" in step(why, "rights")["text"]


def test_why_a_document_is_not_there_by_its_type(ask):
	note = document("Note", title=new_id("note"), content="x", public=1)
	why = ask("why", user=user(), document_type="Note", document=note.name)
	assert why["seen"] is False and "has no Sync Entity" in step(why, "type")["text"]


def refused(web, person, name="spaces", /, **given):  # noqa: F811
	answer = web(person)(f"see_as.{name}", **given)
	body = answer.json()
	return answer.status_code, body.get("error_code") or body.get("message", {}).get("error_code")


def test_only_managers_of_all_spaces_may_look(visits, web):  # noqa: F811
	person = user(ROLE)
	for roles in (("Sync Auditor",), ("System Manager",)):
		assert refused(web, make_person(*roles), user=person) == (403, "permission_denied")
	kept = make_person("Sync Manager")
	space = spaces.ensure("tenant", new_id("tenant"))
	document("User Permission", user=kept, allow="Sync Space", for_value=space)
	assert refused(web, kept, user=person) == (403, "permission_denied")


def test_a_manager_is_told_nothing_of_documents_that_they_may_not_read(visits, web):  # noqa: F811
	manager, visit = make_person("Sync Manager"), document(VISIT, note="x", region=region())
	for name in (visit.name, "nothing"):
		answer = refused(web, manager, "why", user=manager, document_type=VISIT, document=name)
		assert answer == (404, "not_found")
	for doctype in ("Nothing", "System Settings", "Has Role", "' OR 1"):
		answer = refused(web, manager, "why", user=manager, document_type=doctype, document="x")
		assert answer == (404, "not_found")


@pytest.mark.parametrize("given", [{}, {"user": "nobody@example.com"}, {"device": "nothing"}])
def test_whom_nobody_knows(web, given):  # noqa: F811
	status, code = refused(web, make_person("Sync Manager"), **given)
	assert (status, code) in ((404, "not_found"), (417, "invalid_argument"))


def test_the_cost_does_not_grow_with_spaces(visits):
	person, top = user(ROLE), region()
	permit(person, top)
	frappe.db.commit()

	def cost():
		with Counted() as seen:
			found, _more = visible_spaces.spaces(person, None)
		return len(found), len(seen)

	cost()
	few = cost()
	for _ in range(4):
		region(top)
	memberships.run(visits)
	cost()
	many = cost()
	assert many[0] == few[0] + 4 and many[1] == few[1]


@pytest.fixture
def shared(visits):
	"""Visits lie in one region, and are shown to the region that they name."""
	one = region()
	entity = frappe.get_doc("Sync Entity", VISIT)
	entity.space_path = f'"{one}"'
	entity.append("shares", {"path": "region", "access": "Read only"})
	retry.run(entity.save)
	frappe.db.commit()
	yield one
	entity = frappe.get_doc("Sync Entity", VISIT)
	entity.space_path, entity.shares = "region", []
	retry.run(entity.save)
	frappe.db.commit()


def test_a_joint_space_says_by_which_parts_the_user_is_in_it(shared, ask):
	two, person = region(), user(ROLE)
	row = document(REP, user=person, region=two)
	visit = document(VISIT, region=two)

	def joint():
		(found,) = [
			s for s in ask("spaces", user=person)["spaces"] if s["title"] == " + ".join(sorted((two, shared)))
		]
		return found["role"], found["rule"]

	assert joint() == ("viewer", f"As a member of {two} (only to read)")
	document(REP, user=person, region=shared)
	names = sorted((f"{two} (only to read)", shared))
	assert joint() == ("member", f"As a member of {', '.join(names)}")
	home = frappe.get_doc("Sync Space", ids.space(visits_kind(), shared))
	change(home, status="Archived")
	role, why = joint()
	assert role == "viewer" and f"{shared} (archived, so only to read)" in why
	assert (
		f"{shared} (archived"
		in step(ask("why", user=person, document_type=VISIT, document=visit.name), "member")["text"]
	)
	change(home, status="Active")
	change(row, region=None)
	assert joint() == ("member", f"As a member of {shared}")


def visits_kind():
	return frappe.db.get_value("Sync Entity", {"document_type": VISIT}, "space_type")


def test_a_document_that_several_spaces_share_is_there_by_one_of_them(shared, ask):
	two, person, stranger = region(), user(ROLE), user(ROLE)
	document(REP, user=person, region=two)
	visit = document(VISIT, region=two)
	why = ask("why", user=person, document_type=VISIT, document=visit.name)
	assert why["seen"] is True
	assert step(why, "path")["text"].endswith(" + ".join(sorted((shared, two))))
	assert f"{two} (Read only)" in step(why, "path")["detail"]
	assert step(why, "member")["detail"] == [], "a joint space has no rules"
	assert "viewer" in step(why, "member")["text"] and step(why, "member")["text"].endswith(
		f"{two} (only to read)"
	)
	assert ask("why", user=stranger, document_type=VISIT, document=visit.name)["seen"] is False
