"""Playbooks: patches on the active version make the next one; versions and patches are a history that stays."""

import json

import frappe
import pytest

from hisabi_sync.api.protocol.scopes import EDIT_PLAYBOOKS
from hisabi_sync.hisabi_farm import patches
from tests.batch.app import add, change, new_app, observation, patch, playbook, remove
from tests.batch.races import at_once
from tests.mobile.app import new_person

PATCH, VERSION = "Field Playbook Patch", "Field Playbook Version"


@pytest.fixture
def wheat(farm):
	"""A playbook with the rules r1 and r2 in version 1."""
	return playbook(farm, "r1", "r2")


def state(key):
	"""(active version, ids of its rules, versions in the history, patches in the history)."""
	frappe.db.rollback()
	doc = frappe.get_doc("Field Playbook", {"client_id": key})
	rules = [rule.rule_id for rule in doc.rules]
	versions = frappe.get_all(VERSION, {"playbook": doc.name}, pluck="version", order_by="version")
	made = frappe.get_all(PATCH, {"playbook": doc.name}, pluck="version", order_by="version")
	return doc.version, rules, versions, made


def rows(doctype, key, version):
	name = frappe.db.get_value("Field Playbook", {"client_id": key})
	return frappe.get_doc(doctype, {"playbook": name, "version": version})


def test_a_patch_makes_the_next_version(app, other, wheat):
	other.sync()
	app.sync()
	given = patch(
		wheat, 1, add("r3", advice="Spray", parameters={"leaf": 5}), change("r1", dose="2"), remove("r2")
	)
	answer = app.sync(patches=[given])
	assert answer["acceptedCounts"]["playbookPatches"] == 1 and answer["conflicts"] == []
	assert answer["accepted"][0]["serverVersion"] == 2
	assert state(wheat) == (2, ["r1", "r3"], [1, 2], [1, 2])
	assert answer["downstream"]["playbook"].items() >= {"playbookId": wheat, "version": 2}.items()
	for phone, down in ((app, answer), (other, other.sync())):
		(held,) = [book for book in down["downstream"]["playbooks"] if book["playbookId"] == wheat]
		assert (held["version"], held["rules"][1]["advice"]) == (2, "Spray"), phone
		assert held["rules"][1]["parameters"] == {"leaf": 5} and held["rules"][0]["dose"] == "2"


def test_who_changed_which_rule_can_be_read(app, wheat):
	app.sync(
		patches=[patch(wheat, 1, change("r1", dose="2"), remove("r2"), createdAt="2026-03-01T08:00:00Z")]
	)
	made = rows(PATCH, wheat, 2)
	assert (made.author, made.device, made.source) == (app.user, app.device, "Device")
	assert (made.reason, made.base_version) == ("Trial", 1)
	told = {row.rule_id: (row.operation, row.summary) for row in made.operations}
	assert told["r1"] == ("change", "Dose: – → 2") and told["r2"][0] == "remove"
	version = rows(VERSION, wheat, 2)
	assert version.made_by == app.user and version.patch == made.name
	assert [rule["ruleId"] for rule in json.loads(version.rules)] == ["r1"]
	assert [rule["ruleId"] for rule in json.loads(rows(VERSION, wheat, 1).rules)] == ["r1", "r2"]


def test_a_patch_on_another_version_has_to_be_rebased(app, other, wheat):
	app.sync(patches=[patch(wheat, 1, change("r1", dose="2"))])
	late = patch(wheat, 1, change("r2", dose="3"))
	answer = app.sync(patches=[late])
	(conflict,) = answer["conflicts"]
	assert (conflict["entity"], conflict["id"]) == ("playbookPatch", late["patchId"])
	assert (conflict["code"], conflict["action"]) == ("base_version_mismatch", "rebase")
	assert (conflict["clientVersion"], conflict["serverVersion"]) == (1, 2)
	assert conflict["serverRecord"]["rules"][0]["dose"] == "2" and conflict["retryable"] is False
	assert frappe.db.get_value("Sync Conflict", conflict["conflictId"], "status") == "Open"
	assert state(wheat)[0] == 2
	rebased = {**late, "patchId": late["patchId"] + "-2", "baseVersion": conflict["serverVersion"]}
	assert app.sync(patches=[rebased])["conflicts"] == [] and state(wheat)[0] == 3


def test_a_patch_for_a_version_that_is_yet_to_come_is_a_conflict(app, wheat):
	(conflict,) = app.sync(patches=[patch(wheat, 7, change("r1", dose="2"))])["conflicts"]
	assert conflict["code"] == "base_version_mismatch"


@pytest.mark.parametrize("same", [True, False])
def test_of_patches_on_one_base_at_the_same_time_exactly_one_wins(server, site, app, wheat, same):
	phones = [new_app(server, site, app.farm, None, app.user) for _ in range(6)]

	def send(numbered):
		number, phone = numbered
		body = phone.body(patches=[patch(wheat, 1, add("new" if same else f"new-{number}"))])
		return phone.post(body).json()

	answers = at_once(send, list(enumerate(phones)))
	won = [answer["acceptedCounts"]["playbookPatches"] for answer in answers]
	assert sorted(won) == [0, 0, 0, 0, 0, 1], answers
	version, rules, versions, made = state(wheat)
	assert (version, versions, made) == (2, [1, 2], [1, 2]) and len(rules) == 3
	lost = [answer["conflicts"][0] for answer in answers if answer["conflicts"]]
	assert {(c["code"], c["action"], c["serverVersion"]) for c in lost} == {
		("base_version_mismatch", "rebase", 2)
	}


def test_patches_that_build_on_each_other_in_one_call(app, wheat):
	answer = app.sync(
		patches=[patch(wheat, 1, add("r3")), patch(wheat, 2, add("r4")), patch(wheat, 2, add("r5"))]
	)
	assert answer["acceptedCounts"]["playbookPatches"] == 2
	assert [entry["serverVersion"] for entry in answer["accepted"]] == [2, 3]
	assert state(wheat) == (3, ["r1", "r2", "r3", "r4"], [1, 2, 3], [1, 2, 3])


def test_a_patch_is_applied_once_whoever_sends_it_again(server, site, app, wheat):
	given = patch(wheat, 1, add("r3"))
	second = new_app(server, site, app.farm, None, app.user)
	for phone in (app, app, second):
		answer = phone.sync(patches=[given])
		assert answer["conflicts"] == [] and answer["accepted"][0]["serverVersion"] == 2
	assert state(wheat)[0] == 2
	(conflict,) = app.sync(patches=[{**given, "operations": [add("r4")]}])["conflicts"]
	assert conflict["code"] == "patch_id_reused"


@pytest.mark.parametrize(
	("operations", "code"),
	[
		([], "patch_invalid"),
		("add", "patch_invalid"),
		([5], "patch_invalid"),
		([{"op": "replace", "ruleId": "r1"}], "patch_invalid"),
		([{"op": "change", "ruleId": "r1", "rule": []}], "patch_invalid"),
		([{"op": "change", "ruleId": "r1", "rule": [1]}], "patch_invalid"),
		([{"op": "change", "ruleId": "r 1"}], "patch_invalid"),
		([{"op": "change", "ruleId": "r1", "rule": {"colour": "red"}}], "invalid_field"),
		([{"op": "change", "ruleId": "r1", "rule": {"severity": "enormous"}}], "invalid_choice"),
		([{"op": "change", "ruleId": "r1", "rule": {"priority": "first"}}], "invalid_field_type"),
		([{"op": "change", "ruleId": "r9", "rule": {}}], "patch_invalid"),
		([{"op": "add", "ruleId": "r1", "rule": {}}], "patch_invalid"),
		([{"op": "change", "ruleId": "r1", "rule": {"title": "r1"}}], "patch_invalid"),
		([{"op": "remove", "ruleId": "r1"}, {"op": "remove", "ruleId": "r1"}], "patch_invalid"),
	],
)
def test_patches_that_make_no_sense(app, wheat, operations, code):
	(conflict,) = app.sync(patches=[{**patch(wheat, 1), "operations": operations}])["conflicts"]
	assert conflict["code"] == code
	assert conflict["action"] == "correct" and state(wheat)[0] == 1


@pytest.mark.parametrize(
	("given", "code"),
	[
		({"baseVersion": None}, "missing_required_fields"),
		({"baseVersion": "one"}, "field_invalid"),
		({"baseVersion": []}, "field_invalid"),
		({"playbookId": "no-such"}, "not_found"),
		({"playbookId": 5}, "field_invalid"),
		({"patchId": "a "}, "invalid_client_id"),
		({"colour": "red"}, "invalid_field"),
	],
)
def test_patches_with_wrong_words(app, wheat, given, code):
	(conflict,) = app.sync(patches=[{**patch(wheat, 1, add("r3")), **given}])["conflicts"]
	assert conflict["code"] == code and state(wheat)[0] == 1


def test_editing_needs_the_role(app, other, wheat):
	obs = observation(notes="goes through")
	answer = other.sync([obs], patches=[patch(wheat, 1, add("r3"))])
	(conflict,) = answer["conflicts"]
	assert (conflict["code"], conflict["action"]) == ("permission_denied", "none")
	assert answer["acceptedCounts"]["observations"] == 1 and state(wheat)[0] == 1


def test_editing_needs_the_scope(server, site, app, wheat):
	phone = new_app(server, site, app.farm, None, app.user, scopes=("batch",))
	given = patch(wheat, 1, add("r3"))
	answer = phone.sync([observation(notes="goes through")], patches=[given])
	(conflict,) = answer["conflicts"]
	assert conflict["code"] == "insufficient_scope" and state(wheat)[0] == 1
	refused = phone.post(phone.body(patches=[given]))
	assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
	assert refused.json()["error"]["details"] == {"required": EDIT_PLAYBOOKS}
	assert app.sync(patches=[given])["conflicts"] == []


def test_a_patch_of_another_farm_finds_nothing(server, site, app, wheat):
	from tests.batch.app import new_farm

	stranger = new_app(server, site, new_farm())
	(conflict,) = stranger.sync(patches=[patch(wheat, 1, add("r3"))])["conflicts"]
	(unknown,) = stranger.sync(patches=[patch("no-such", 1, add("r3"))])["conflicts"]
	differing = {name for name in conflict if conflict[name] != unknown[name]}
	assert differing == {"id"} and conflict["code"] == "not_found"


def test_a_retired_playbook_takes_no_patches(app, wheat):
	frappe.db.rollback()
	doc = frappe.get_doc("Field Playbook", {"client_id": wheat})
	doc.status = "retired"
	doc.save()
	frappe.db.commit()
	(conflict,) = app.sync(patches=[patch(wheat, 1, add("r3"))])["conflicts"]
	assert conflict["code"] == "patch_invalid" and doc.version == 1


# --- the Desk


def test_the_desk_makes_versions_too(app, wheat):
	app.sync()
	frappe.set_user(new_person("Sync Manager"))
	doc = frappe.get_doc("Field Playbook", {"client_id": wheat})
	doc.rules[0].dose = "5"
	doc.append("rules", {"title": "New", "advice": "Look"})
	doc.change_reason = "Trial of the season"
	doc.save()
	frappe.db.commit()
	made = rows(PATCH, wheat, 2)
	assert (made.source, made.author, made.reason) == ("Desk", frappe.session.user, "Trial of the season")
	assert sorted(row.operation for row in made.operations) == ["add", "change"]
	assert not frappe.db.get_value("Field Playbook", doc.name, "change_reason")
	(held,) = app.sync()["downstream"]["playbooks"]
	assert held["version"] == 2 and len(held["rules"]) == 3
	(conflict,) = app.sync(patches=[patch(wheat, 1, add("r3"))])["conflicts"]
	assert conflict["code"] == "base_version_mismatch"


def test_saving_without_a_change_makes_no_version(wheat):
	frappe.db.rollback()
	doc = frappe.get_doc("Field Playbook", {"client_id": wheat})
	doc.description = "For the northern fields"
	doc.version = 9
	doc.save()
	frappe.db.commit()
	assert state(wheat) == (1, ["r1", "r2"], [1], [1])


@pytest.mark.parametrize("doctype", [PATCH, VERSION])
def test_versions_and_patches_are_not_edited(wheat, doctype):
	frappe.db.rollback()
	row = rows(doctype, wheat, 1)
	row.made_at = "2020-01-01"
	for act in (row.save, row.delete):
		with pytest.raises(frappe.ValidationError):
			act()


def test_a_person_settles_a_patch_that_came_too_late(app, wheat):
	from hisabi_sync.engine.resolution import cases

	app.sync(patches=[patch(wheat, 1, change("r1", dose="2"))])
	(conflict,) = app.sync(patches=[patch(wheat, 1, change("r2", dose="3"))])["conflicts"]
	frappe.set_user("Administrator")
	cases.resolve(conflict["conflictId"], cases.Resolution("accept_client"))
	frappe.db.commit()
	assert state(wheat)[0] == 3
	doc = frappe.get_doc("Field Playbook", {"client_id": wheat})
	assert [rule.dose for rule in doc.rules] == ["2", "3"], "the patch was put upon the active version"


def test_a_difference_and_its_operations_are_each_others_reverse():
	before = [{"rule_id": "a", "dose": "1"}, {"rule_id": "b", "dose": "1"}]
	after = patches.applied(
		before, [("change", "a", {"dose": "2"}), ("remove", "b", {}), ("add", "c", {})], ()
	)
	assert [(s["operation"], s["rule_id"]) for s in patches.difference(before, after)] == [
		("remove", "b"),
		("change", "a"),
	]
