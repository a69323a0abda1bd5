"""Who settles the conflict of his own change may no more than he may in a push; people who review may more."""

from contextlib import contextmanager

import frappe
import pytest

from tests.mobile.app import create, form, meter, new_app, new_person, question, update
from tests.mobile.test_conflicts import clash, resolve


@pytest.fixture(scope="module")
def survey(tenant):
	return form(tenant, question("note"), question("late"))


@pytest.fixture(scope="module")
def owner(server, site, tenant):
	return new_app(server, site, tenant, "owner")


@pytest.fixture(scope="module")
def manager(server, site, tenant):
	return new_app(server, site, tenant, None, user=new_person("Sync Manager"))


def answers_clash(app, other, survey):
	"""(id of the submission, conflict of `other`) after both changed the same answer."""
	(made,) = app.push(create("submission", form_id=survey, data={"note": "a"}))
	identity = made["server_id"]
	app.push(update("submission", identity, 1, data={"note": "b"}))
	(result,) = other.push(update("submission", identity, 1, data={"note": "c"}))
	assert result["status"] == "conflict"
	return identity, result["conflict_id"]


def approve(identity):
	frappe.db.rollback()
	doc = frappe.get_doc("Field Submission", identity)
	doc.status = "approved"
	doc.save()
	frappe.db.commit()


def held(app, identity):
	payload = app.held("submission", identity)["payload"]
	return payload["status"], payload["data"]["note"], payload["reviewed_by"]


def state_of(conflict):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Conflict", conflict, "status")


@contextmanager
def defined(entity_type, **values):
	before = frappe.db.get_value("Sync Entity", entity_type, list(values), as_dict=True)
	define(entity_type, values)
	try:
		yield
	finally:
		define(entity_type, before)


def define(entity_type, values):
	frappe.db.rollback()
	doc = frappe.get_doc("Sync Entity", entity_type)
	doc.update(values)
	doc.save()
	frappe.db.commit()


def test_an_author_approves_nothing(app, other, survey):
	identity, conflict = answers_clash(app, other, survey)
	payload = {"status": "approved", "data": {"note": "mine"}}
	body = resolve(other, conflict, "manual_merge", 400, payload=payload)
	assert (body["error_code"], body["argument"]) == ("invalid_argument", "payload.status")
	assert (held(app, identity), state_of(conflict)) == (("submitted", "b", None), "Open")
	answer = resolve(other, conflict, "manual_merge", payload={"data": {"note": "mine"}})
	assert (answer["status"], answer["resolution"], answer["server_payload"]["data"]) == (
		"Resolved",
		"manual_merge",
		{"note": "mine"},
	)
	assert held(app, identity) == ("submitted", "mine", None)


def test_a_tenants_owner_settles_and_reviews_nothing(app, other, owner, manager, survey):
	for person, status in ((owner, "submitted"), (manager, "approved")):
		identity, conflict = answers_clash(app, other, survey)
		payload = {"status": "approved", "data": {"note": "mine"}}
		resolve(person, conflict, "manual_merge", payload=payload)
		assert held(app, identity)[:2] == (status, "mine")


@pytest.mark.parametrize("who", ["other", "owner"])
def test_answers_that_a_settlement_changes_after_a_review_are_reviewed_again(app, other, owner, survey, who):
	identity, conflict = answers_clash(app, other, survey)
	approve(identity)
	person = {"other": other, "owner": owner}[who]
	for version in (1, 2, 4, 10**9, 2**53):
		body = resolve(person, conflict, "accept_client", 409, server_version=version)
		assert (body["error_code"], body["server_version"]) == ("record_changed", 3)
	assert held(app, identity)[:2] == ("approved", "b")
	resolve(person, conflict, "accept_client", server_version=3)
	assert held(app, identity) == ("submitted", "c", None)


@pytest.mark.parametrize(("given", "status"), [(1, 409), (2, 200), (3, 409), (10**9, 409)])
def test_a_version_that_the_record_does_not_have_was_seen_by_nobody(app, other, owner, given, status):
	_, conflict = clash(app, other)
	resolve(owner, conflict, "accept_client", status, server_version=given)


@pytest.mark.parametrize("resolution", ["accept_client", "manual_merge"])
@pytest.mark.parametrize(
	("definition", "code"),
	[
		({"policy": "immutable"}, "base_version_conflict"),
		({"policy": "server_only"}, "permission_denied"),
		({"write_role": "admin"}, "permission_denied"),
	],
	ids=lambda given: str(given),
)
def test_what_keeps_an_author_from_pushing_keeps_him_from_settling(
	app, other, owner, definition, code, resolution
):
	identity, conflict = clash(app, other)
	more = {"payload": {"reading": 7}} if resolution == "manual_merge" else {}
	with defined("meter", **definition):
		body = resolve(other, conflict, resolution, 400, **more)
		assert (body["error_code"], body["item_error_code"]) == ("resolution_refused", code)
		assert (app.held("meter", identity)["payload"]["reading"], state_of(conflict)) == (2, "Open")
		assert resolve(owner, conflict, resolution, **more)["status"] == "Resolved"


def test_a_settling_role_below_the_writing_role_settles_nothing(app, other, server, site, tenant):
	_, conflict = clash(app, other)
	admin = new_app(server, site, tenant, "admin")
	with defined("meter", write_role="owner"):
		body = resolve(admin, conflict, "accept_client", 400)
		assert body["item_error_code"] == "permission_denied"
	assert state_of(conflict) == "Open"


@pytest.mark.parametrize(
	("resolution", "more", "reading", "note"),
	[
		("accept_server", {}, 2, "old"),
		("accept_client", {}, 3, "mine"),
		("manual_merge", {"payload": {"reading": 2.5}}, 2.5, "mine"),
		("manual_merge", {"payload": {"reading": 2.5, "note": "both"}}, 2.5, "both"),
	],
)
def test_an_author_settles_with_the_rest_of_his_change(app, other, resolution, more, reading, note):
	identity, conflict = clash(app, other, note="mine")
	answer = resolve(other, conflict, resolution, **more)
	assert (answer["resolution"], answer["resolved_by"]) == (resolution, other.user)
	for payload in (answer["server_payload"], app.held("meter", identity)["payload"]):
		assert (payload["reading"], payload["note"]) == (reading, note)
	assert resolve(other, conflict, resolution, 409, **more)["error_code"] == "already_settled"


def test_an_author_gives_another_code(app, other):
	(made,) = app.push(meter())
	code = app.held("meter", made["server_id"])["payload"]["code"]
	item = meter(code=code, note="mine")
	(result,) = other.push(item)
	wrong = resolve(other, result["conflict_id"], "manual_merge", 400, payload={"code": code})
	assert wrong["item_error_code"] == "unique_violation"
	answer = resolve(other, result["conflict_id"], "manual_merge", payload={"code": f"{code}-b"})
	assert (answer["server_payload"]["code"], answer["server_payload"]["note"]) == (f"{code}-b", "mine")
