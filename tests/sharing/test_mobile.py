"""Devices sync the spaces of a type that somebody made, by the mobile contract."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import ids
from tests.mobile.app import App, create, new_app, update
from tests.mobile.test_conflicts import resolve
from tests.sharing.world import REP, ROLE, VISIT, by_rep, change, delete, document, kind, member, region, user
from tests.support import doctypes
from tests.support.phone import new_id


class Rep(App):
	"""An app in a space of a type of its own; `kind` is that type."""

	kind = ""

	@property
	def space(self):
		return ids.space(self.kind, self.tenant)

	def call(self, path, body=None, **options):
		return super().call(
			path, {"space_type": self.kind, "tenant_id": self.tenant, **(body or {})}, **options
		)


@pytest.fixture(scope="module")
def sales(sales):
	"""The space type, in whose spaces visits lie."""
	name = kind(by_rep(), by_rep(user_path="team", member_role="viewer"))
	retry.run(lambda: doctypes.sync(VISIT, name, "region"))
	yield name
	frappe.set_user("Administrator")
	frappe.delete_doc("Sync Entity", VISIT)
	frappe.db.commit()


def rep(server, site, sales, place, person=None):
	person = person or user("Hisabi User", ROLE)
	app = new_app(server, site, place, role=None, user=person)
	found = Rep(server.url, site, app.token, person, app.device_id, place)
	found.kind = sales
	return found


@pytest.fixture
def place():
	return region()


@pytest.fixture
def app(server, site, sales, place):
	"""A rep whom a document names."""
	app = rep(server, site, sales, place)
	app.row = document(REP, user=app.user, region=place)
	return app


def test_a_rep_pulls_and_pushes_what_lies_in_their_region(app, place):
	elsewhere = document(VISIT, note="not theirs", region=region())
	visit = document(VISIT, note="from the office", region=place)
	(made,) = app.push(create(VISIT, note="from the road"))
	assert made["status"] == "ok", made
	assert frappe.db.get_value(VISIT, made["name"], "region") == place
	changes, token = app.pull()
	assert {c["payload"]["note"] for c in changes} == {"from the office", "from the road"}
	(edited,) = app.push(update(VISIT, visit.name, 1, note="edited"))
	assert edited["status"] == "ok", edited
	(seen,) = app.pull(token)[0]
	assert (seen["id"], seen["payload"]["note"]) == (visit.name, "edited")
	assert app.call("sync/ack", {"ack_token": token, "device_id": app.device_id}).status_code == 200
	assert elsewhere.name not in {c["id"] for c in changes}


def test_who_enters_gets_the_space_whole_and_who_leaves_is_told_to_purge(app, place):
	other = region()
	visit = document(VISIT, note="over there", region=other)
	app.tenant = other
	assert app.call("sync/pull").json()["error_code"] == "space_access_denied"
	app.row = change(app.row, region=other)
	assert [c["id"] for c in app.pull()[0]] == [visit.name]
	delete(app.row)
	refused = app.call("sync/pull")
	assert (refused.status_code, refused.json()["error_code"]) == (403, "space_access_denied")
	assert refused.json()["purge"] is True
	refused = app.send(create(VISIT, note="late"))
	assert (refused.status_code, refused.json()["error_code"]) == (403, "space_access_denied")


def test_frappes_rights_are_no_grant_of_the_space_but_a_second_filter(server, site, sales, place):
	visit = document(VISIT, note="x", region=place)
	blind = rep(server, site, sales, place, user("Hisabi User"))
	document(REP, user=blind.user, region=place)
	assert blind.pull()[0] == []
	stranger = rep(server, site, sales, place)
	answer = stranger.call("sync/pull")
	assert (answer.status_code, answer.json()["error_code"]) == (403, "space_access_denied")
	assert frappe.db.exists(VISIT, visit.name)


def test_a_viewer_by_rule_reads_and_does_not_write(server, site, sales, place):
	lead = rep(server, site, sales, place)
	document(REP, team=lead.user, region=place)
	assert member(sales, place, lead.user) == ("viewer", True)
	assert lead.pull()[0] == []
	answer = lead.send(create(VISIT, note="no"))
	assert (answer.status_code, answer.json()["error_code"]) == (403, "space_read_only")


def test_spaces_are_listed_with_the_role_and_nothing_of_others(app, sales, place):
	document(VISIT, note="x", region=region())
	answer = app.session.get(f"{app.url}/api/v1/mobile/sync/spaces", timeout=60)
	assert answer.status_code == 200, answer.text
	expected = {"space_type": sales, "tenant_id": place, "title": place, "role": "member", "status": "Active"}
	assert answer.json()["spaces"] == [expected]
	only = app.session.get(
		f"{app.url}/api/v1/mobile/sync/spaces", params={"space_type": "tenant"}, timeout=60
	)
	assert only.json()["spaces"] == []


def test_without_a_key_it_is_the_first_space_of_the_type(app, place):
	document(VISIT, note="first", region=place)
	body = {"space_type": app.kind}
	answer = app.session.post(f"{app.url}/api/v1/mobile/sync/pull", json=body, timeout=60)
	assert [c["payload"]["note"] for c in answer.json()["changes"]] == ["first"]


@pytest.mark.parametrize("name", ["wallet", "family", "nothing", "Sales", "' OR 1=1", "x" * 300])
def test_a_type_that_the_contract_does_not_serve_is_answered_like_a_space_of_others(app, name):
	app.kind = name
	for path in ("sync/pull", "sync/push", "media/presign"):
		body = {"items": [], "device_id": app.device_id, "filename": "a.png", "content_type": "image/png"}
		answer = app.call(path, body)
		assert answer.json()["error_code"] in ("space_access_denied", "invalid_argument"), answer.text
		assert answer.status_code in (400, 403)
	listed = app.session.get(f"{app.url}/api/v1/mobile/sync/spaces", params={"space_type": name}, timeout=60)
	assert listed.status_code in (200, 400) and not listed.json().get("spaces")


def test_a_resource_type_of_tenants_is_unknown_in_spaces_of_another_type(app):
	(result,) = app.push(create("meter", code=new_id("code")))
	assert result["error_code"] == "resource_type_unknown"


def test_a_conflict_in_a_space_of_the_type_is_settled_by_its_author(server, site, sales, app, place):
	other = rep(server, site, sales, place)
	document(REP, user=other.user, region=place)
	visit = document(VISIT, note="old", region=place)
	assert app.push(update(VISIT, visit.name, 1, note="mine"))[0]["status"] == "ok"
	(lost,) = other.push(update(VISIT, visit.name, 1, note="theirs"))
	assert lost["status"] == "conflict", lost
	settled = resolve(other, lost["conflict_id"], resolution="accept_client")
	assert settled["resource_type"] == VISIT
	frappe.db.rollback()
	assert frappe.db.get_value(VISIT, visit.name, "note") == "theirs"
