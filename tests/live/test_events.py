"""The stream of events of the site contract."""

import frappe
import pytest
import requests

from hisabi_sync.engine.identity import devices
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.tenants import SPACE_TYPE
from tests.live.process import EVENTS, Stream, headers
from tests.mobile.app import join, new_tenant, new_user
from tests.site.app import create, new_device, update
from tests.support.waiting import until


def leave(tenant, user):
	spaces.set_member(ids.space(SPACE_TYPE, tenant), user, "member", "removed")
	frappe.db.commit()


def test_a_change_of_another_device_is_told_and_pulled_from_its_cursor(pair, opens, kinds):
	one, other = pair
	with opens(other) as stream:
		(made,) = one.push(create(kinds[0], title="A"))
		event = stream.next()
	assert (event.name, event.data["types"]) == ("message", [kinds[0]])
	other.cursor = event.data["cursor"]
	assert other.pull() == []
	one.push(update(kinds[0], made["id"], made["version"], title="B"))
	assert [record["values"]["title"] for record in other.pull()] == ["B"]


def test_changes_that_follow_each_other_are_one_event(pair, opens, kinds):
	one, other = pair
	with opens(other) as stream:
		one.push(create(kinds[0], title="A"))
		stream.next()
		for kind in (*kinds, kinds[0]):
			one.push(create(kind, title="A"))
		assert stream.next().data["types"] == sorted(kinds)
		assert stream.is_quiet()


def test_what_a_device_may_not_see_is_not_told(pair, server, site, opens, kinds):
	one, _ = pair
	stranger = new_device(server, site, new_user())
	join(new_tenant(), stranger.user, "member")
	with opens(stranger) as stream:
		one.push(create(kinds[0], title="A"))
		assert stream.is_quiet()


def test_a_stream_goes_on_where_it_was_broken_off(pair, opens, kinds):
	one, other = pair
	with opens(other) as stream:
		one.push(create(kinds[0], title="A"))
		last = stream.next().id
	one.push(create(kinds[1], title="Shop"))
	with opens(other, headers={"Last-Event-ID": last}) as stream:
		assert stream.next().data["types"] == [kinds[1]]
	with opens(other, since=last) as stream:
		assert stream.next().data["types"] == [kinds[1]]


def test_a_position_that_is_none_is_told_as_any_change(pair, opens):
	for wrong, name in (("0.nothing", "message"), ("f" * 8 + ".e30", "message"), ("x", "schema")):
		with opens(pair[1], headers={"Last-Event-ID": wrong}) as stream:
			event = stream.next()
			assert event.name == name and event.data.get("types") is None, wrong


def test_a_revoked_device_is_told_so_and_cut_off(pair, opens):
	with opens(pair[1]) as stream:
		devices.revoke(pair[1].name, "revoked_by_user")
		frappe.db.commit()
		event = stream.next(1.5)
		assert (event.name, event.data["error_code"]) == ("revoked", "device_revoked")
		assert stream.is_over(2)


def test_a_stream_goes_on_when_the_app_rotates_its_token(pair, opens, kinds):
	one, other = pair
	before = frappe.db.get_single_value("Sync Settings", "rotation_grace_minutes")
	frappe.db.set_single_value("Sync Settings", "rotation_grace_minutes", 0)
	frappe.db.commit()
	try:
		with opens(other) as stream:
			assert other.call("token/rotate").status_code == 200
			one.push(create(kinds[0], title="A"))
			assert stream.next().data["types"] == [kinds[0]]
			one.push(create(kinds[0], title="B"))
			assert stream.next().name == "message"
	finally:
		frappe.db.set_single_value("Sync Settings", "rotation_grace_minutes", before)
		frappe.db.commit()
	assert frappe.db.get_value("Sync Device", other.name, "status") == "Active"


@pytest.mark.parametrize(
	"spoil",
	[
		lambda p: p[:-1] + ("1" if p[-1] == "0" else "0"),
		lambda p: p.replace(".", ".9", 1),
		lambda p: "x",
		lambda p: "..",
	],
)
def test_a_pass_is_the_servers_own_and_opens_nothing_else(pair, spoil):
	one = pair[0]
	good = one.get("watch").json()["pass"]
	bare = {"X-Frappe-Site-Name": one.session.headers["X-Frappe-Site-Name"]}
	url = f"{one.url}/api/offline/v1/"
	assert requests.get(f"{url}watch", headers={**bare, "X-Stream-Pass": good}, timeout=30).status_code == 200
	assert (
		requests.post(f"{url}pull", headers={**bare, "X-Stream-Pass": good}, json={}, timeout=30).status_code
		== 401
	)
	assert (
		requests.get(f"{url}watch", headers={**bare, "X-Stream-Pass": spoil(good)}, timeout=30).status_code
		== 401
	)


def test_a_pass_ends_with_its_device(pair):
	one = pair[0]
	headers = {
		"X-Frappe-Site-Name": one.session.headers["X-Frappe-Site-Name"],
		"X-Stream-Pass": one.get("watch").json()["pass"],
	}
	devices.revoke(one.name, "revoked_by_user")
	frappe.db.commit()
	answer = requests.get(f"{one.url}/api/offline/v1/watch", headers=headers, timeout=30)
	assert (answer.status_code, answer.json()["error_code"]) == (401, "device_revoked")


def test_a_user_who_is_switched_off_is_cut_off(pair, opens):
	with opens(pair[1]) as stream:
		person = frappe.get_doc("User", pair[1].user)
		person.db_set("enabled", 0)
		frappe.db.commit()
		assert stream.next(1.5).name == "revoked"
		assert stream.is_over(2)


def test_who_leaves_a_space_is_told_at_once_and_of_nothing_in_it_afterwards(pair, opens, kinds):
	one, other = pair
	one.push(create(kinds[0], title="A"))
	other.pull()
	with opens(other) as stream:
		leave(one.tenant, other.user)
		gone = stream.next(1.5)
		assert (gone.name, gone.data) == ("purge", {"spaces": [ids.space(SPACE_TYPE, one.tenant)]})
		assert stream.next().name == "message"
		one.push(create(kinds[0], title="B"))
		assert stream.is_quiet()


def test_who_joins_a_space_is_told_at_once_and_of_what_happens_there(pair, opens, kinds, server, site):
	one, _ = pair
	guest = new_device(server, site, new_user())
	with opens(guest) as stream:
		join(one.tenant, guest.user, "member")
		assert stream.next(1.5).name == "message"
		one.push(create(kinds[0], title="A"))
		assert stream.next().data["types"] == [kinds[0]]


def test_an_edit_of_what_is_synced_is_told(pair, opens, kinds):
	with opens(pair[1]) as stream:
		entity = frappe.get_doc("Sync Entity", kinds[0])
		entity.client_minimum = (entity.client_minimum or 0) + 1
		entity.save()
		frappe.db.commit()
		names = {stream.next().name}
		entity.reload()
		entity.client_minimum = 0
		entity.save()
		frappe.db.commit()
		assert "schema" in names


def test_a_ticket_opens_one_stream(pair, opens, live, kinds, site):
	one, other = pair
	answer = other.call("events/ticket")
	ticket = answer.json()["ticket"]
	bare = {"X-Frappe-Site-Name": site}

	with Stream(live.url, bare, ticket=ticket) as stream:
		one.push(create(kinds[0], title="A"))
		assert stream.next().data["types"] == [kinds[0]]
	again = Stream(live.url, bare, ticket=ticket).answer
	assert (again.status_code, again.json()["error_code"]) == (401, "invalid_token")


@pytest.mark.parametrize(
	("credential", "status", "code"),
	[
		({}, 401, "not_authenticated"),
		({"Authorization": "Bearer hsd_nothing"}, 401, "invalid_token"),
	],
)
def test_strangers_get_the_refusal_of_the_web_server(live, site, credential, status, code):

	answer = Stream(live.url, {"X-Frappe-Site-Name": site, **credential}).answer
	assert (answer.status_code, answer.json()["error_code"]) == (status, code)


def test_a_token_of_another_contract_opens_no_stream(server, site, opens):
	phone = new_device(server, site, new_user(), scopes=("wallet",))
	answer = opens(phone).answer
	assert (answer.status_code, answer.json()["error_code"]) == (403, "insufficient_scope")


def test_without_the_process_a_stream_says_when_to_ask_again(pair, server):
	for params in ({}, {"ticket": "anything"}):
		given = (
			headers(pair[0]) if not params else {"X-Frappe-Site-Name": headers(pair[0])["X-Frappe-Site-Name"]}
		)
		answer = pair[0].session.get(f"{server.url}{EVENTS}", headers=given, params=params, timeout=10)
		assert (answer.status_code, answer.text) == (200, "retry: 15000\n\n")


def test_a_device_that_is_gone_leaves_no_stream_behind(pair, opens, live):
	until(lambda: live.count() == 0, 10)
	with opens(pair[0]):
		until(lambda: live.count() == 1, 10)
	until(lambda: live.count() == 0, 10)
