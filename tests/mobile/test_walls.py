"""Other tenants' records, ids and files answer like unknown ones."""

import frappe
import pytest

from hisabi_sync import tenants
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from tests.mobile.app import (
	create,
	delete,
	form,
	join,
	meter,
	new_app,
	new_tenant,
	new_user,
	question,
	update,
)
from tests.support.phone import new_id


def same_but_for_ids(left, right):
	return {name: left[name] for name in left if name not in ("client_temp_id", "server_id")} == {
		name: right[name] for name in right if name not in ("client_temp_id", "server_id")
	}


def meters_of(tenant):
	frappe.db.rollback()
	return frappe.db.count("Field Meter", {"tenant": tenant})


def test_records_of_another_tenant_are_unknown(app, stranger):
	(made,) = app.push(meter(reading=1))
	identity = made["server_id"]
	for item, unknown in (
		(update("meter", identity, 1, reading=2), update("meter", "m-unknown", 1, reading=2)),
		(delete("meter", identity, 1), delete("meter", "m-unknown", 1)),
	):
		refused, expected = stranger.push(item, unknown)
		assert refused["error_code"] == "not_found" and same_but_for_ids(refused, expected)
	assert app.held("meter", identity)["payload"]["reading"] == 1
	assert identity not in {change["id"] for change in stranger.pull()[0]}


def test_links_to_another_tenant_are_unknown(app, stranger, tenant):
	(made,) = app.push(meter())
	foreign = form(tenant, question("note"))
	own = form(stranger.tenant, question("note"))
	results = stranger.push(
		create("submission", form_id=foreign, data={}),
		create("submission", form_id=own, meter_id=made["server_id"], data={}),
	)
	assert [result["error_code"] for result in results] == ["invalid_link", "invalid_link"]


@pytest.mark.parametrize("path", ["sync/push", "sync/pull", "sync/ack", "media/presign"])
def test_tenants_of_others(app, stranger, path):
	body = {
		"device_id": stranger.device_id,
		"items": [meter()],
		"filename": "a.jpg",
		"content_type": "image/jpeg",
	}
	answers = [
		stranger.call(path, {**body, "tenant_id": tenant, "ack_token": "x"})
		for tenant in (app.tenant, new_id("tenant"))
	]
	assert {answer.status_code for answer in answers} == {403}
	assert answers[0].json() == answers[1].json()


def test_a_user_of_several_tenants_names_one(server, site, app):
	first, second = new_tenant(), new_tenant()
	user = new_user()
	join(first, user, "member")
	both = new_app(server, site, second, user=user)
	both.push(meter("tmp-1"))
	assert meters_of(first) == 1
	both.push(meter("tmp-1"), tenant_id=second)
	response = both.call(
		"sync/push", {"device_id": both.device_id, "items": [meter("tmp-2")]}, headers={"X-Tenant-ID": second}
	)
	assert response.status_code == 200 and meters_of(second) == 2
	differing = both.call("sync/pull", {"tenant_id": first}, headers={"X-Tenant-ID": second})
	assert differing.status_code == 400


def test_viewers_read(server, site, app, tenant):
	viewer = new_app(server, site, tenant, "viewer")
	response = viewer.send(meter())
	assert (response.status_code, response.json()["error_code"]) == (403, "space_read_only")
	assert viewer.call("sync/pull").status_code == 200


def test_who_left_is_out(server, site, tenant):
	leaver = new_app(server, site, tenant)
	spaces.set_member(ids.space(tenants.SPACE_TYPE, tenant), leaver.user, "member", "removed")
	frappe.db.commit()
	for answer in (leaver.send(meter()), leaver.call("sync/pull")):
		assert (answer.status_code, answer.json()["error_code"]) == (403, "space_access_denied")


def test_a_user_without_a_tenant(server, site):
	nobody = new_app(server, site, new_tenant(), None)
	assert nobody.call("sync/pull").json()["error_code"] == "space_access_denied"
