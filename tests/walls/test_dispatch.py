"""A credential of ours opens what it was issued for, by whatever name Frappe would be led to something else."""

import json

import frappe
import pytest
import requests

from hisabi_sync.api.protocol import auth
from hisabi_sync.engine.identity import device_tokens
from tests.support.phone import new_id

LIST, WHO, KEYS = (
	"frappe.client.get_list",
	"frappe.auth.get_logged_user",
	"frappe.core.doctype.user.user.generate_keys",
)
REGISTER = "hisabi_sync.api.devices.register_device"
INFO = "/api/method/frappe.realtime.get_user_info"
# Where the call of ours on that path may answer, and whether an answer is its own.
OURS = {
	"cmd on a path of ours": lambda answer: isinstance(answer["message"]["devices"], list),
	"cmd on a printed path": lambda answer: set(answer) >= {"changes", "has_more", "next_token"},
}
# Where Frappe answers whoever asks.
FOR_EVERYBODY = ("a page", "cmd of a live event")
USER = {"doctype": "User", "fields": '["name"]'}
JSON, FORM, QUERY = "json", "data", "params"
# (HTTP method, path, where the arguments are, arguments)
DETOURS = {
	"cmd in the query": ("GET", INFO, QUERY, {"cmd": LIST, **USER}),
	"cmd in the body": ("POST", INFO, JSON, {"cmd": LIST, **USER}),
	"cmd in a form": ("POST", INFO, FORM, {"cmd": LIST, **USER}),
	"cmd of a live event": ("GET", "/", QUERY, {"cmd": "frappe.realtime.get_user_info"}),
	"keys of others": ("POST", INFO, JSON, {"cmd": KEYS, "user": "Administrator"}),
	"a device": ("POST", INFO, JSON, {"cmd": REGISTER, "device_id": "x"}),
	"a device at the root": ("POST", "/", JSON, {"cmd": REGISTER, "device_id": "x"}),
	"a short name": ("POST", "/x", JSON, {"cmd": "hisabi.register_device", "device_id": "x"}),
	"cmd on a path of ours": ("GET", "/api/method/hisabi.list_devices", QUERY, {"cmd": WHO}),
	"cmd on a printed path": ("POST", "/api/v1/mobile/sync/pull", JSON, {"cmd": WHO}),
	"cmd that is a list": ("POST", INFO, JSON, {"cmd": [WHO]}),
	"a method": ("GET", f"/api/method/{WHO}", QUERY, {}),
	"a method of v1": ("GET", f"/api/v1/method/{WHO}", QUERY, {}),
	"a method of v2": ("GET", f"/api/v2/method/{WHO}", QUERY, {}),
	"more of the path": ("GET", f"{INFO}/../{WHO}", QUERY, {}),
	"a beginning": ("GET", "/api/method/frappe.realtime.get_site_room", QUERY, {}),
	"a controller": ("GET", "/api/resource/User/Administrator", QUERY, {"run_method": "get_blocked_modules"}),
	"a controller by POST": ("POST", "/api/resource/User/Administrator", JSON, {"run_method": "get_all"}),
	"a controller by name": (
		"POST",
		"/api/method/run_doc_method",
		JSON,
		{"dt": "User", "dn": "Administrator", "method": "x"},
	),
	"a document": ("GET", "/api/resource/User/Administrator", QUERY, {}),
	"a document in data": ("PUT", "/api/resource/User/Administrator", JSON, {"data": '{"bio": "x"}'}),
	"a list": ("GET", "/api/resource/User", QUERY, {}),
	"many documents": (
		"POST",
		"/api/method/frappe.client.bulk_update",
		JSON,
		{"docs": '[{"doctype": "User", "docname": "Administrator", "bio": "x"}]'},
	),
	"a private file": ("GET", "/private/files/x", QUERY, {}),
	"a page": ("GET", "/app", QUERY, {}),
}


def send(server, site, headers, detour):
	verb, path, where, given = DETOURS[detour]
	headers = {"X-Frappe-Site-Name": site, **headers}
	return requests.request(
		verb, server.url + path, headers=headers, timeout=60, allow_redirects=False, **{where: given}
	)


@pytest.fixture(scope="module")
def strongest(site):
	"""A device token of Administrator's with all scopes there are."""
	_, token = device_tokens.register("Administrator", new_id("device"), scopes=auth.scopes.RIGHTS)
	frappe.db.commit()
	return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def jwt(family_jwt):
	return {"Authorization": f"Bearer {family_jwt}"}


def said(response):
	"""What of an answer differs between callers."""
	return response.status_code, response.headers.get("Location"), response.text


@pytest.mark.parametrize("credential", ["strongest", "jwt"])
@pytest.mark.parametrize("detour", DETOURS)
def test_a_credential_of_ours_is_worth_nothing_elsewhere(request, server, site, person, credential, detour):
	"""With it, whatever Frappe is asked answers as it answers a stranger; our own calls refuse to go on."""
	headers = request.getfixturevalue(credential)
	count = frappe.db.count("Sync Device", {"user": ["in", ["Administrator", person]]})
	found, bare = send(server, site, headers, detour), send(server, site, {}, detour)
	frappe.db.rollback()
	assert frappe.db.count("Sync Device", {"user": ["in", ["Administrator", person]]}) == count
	assert "api_secret" not in found.text and person not in found.text
	if detour in OURS and found.status_code == 200:
		assert OURS[detour](found.json())
		return
	ours = found.headers["Content-Type"] == "application/json" and "retryable" in found.text
	# Released versions of Frappe refuse a credential that is none of theirs.
	assert ours or found.status_code in (bare.status_code, 401), (said(found), said(bare))
	assert found.status_code != 200 or detour in FOR_EVERYBODY


def test_live_events_are_for_devices_and_families(server, site, strongest, jwt, person):
	for user, headers in (("Administrator", strongest), (person, jwt)):
		found = requests.get(server.url + INFO, headers={"X-Frappe-Site-Name": site, **headers}, timeout=60)
		assert found.json().get("message", {}).get("user") == user, found.text


@pytest.mark.parametrize("name", sorted(auth.LIVE_EVENTS))
def test_live_events_are_whole_names(server, site, strongest, name):
	"""No name that merely begins like one."""
	for path in (f"/api/method/{name}x", f"/api/method/{name}.x", f"/api/method/{name}/x"):
		response = requests.get(
			server.url + path, headers={"X-Frappe-Site-Name": site, **strongest}, timeout=60
		)
		assert "Administrator" not in response.text


def test_a_call_of_ours_by_cmd_is_the_call_itself(server, site, people):
	"""An API key may do so; what fails before our code is told in the contract's shape as on its path."""
	url = f"{server.url}/api/method/frappe.ping"
	phone = people["owner"]
	for cmd in ("hisabi.list_devices", "hisabi_sync.api.devices.list_devices"):
		headers = {"X-Frappe-Site-Name": site, "Authorization": f"Bearer {phone.token}"}
		found = requests.post(url, json={"cmd": cmd}, headers=headers, timeout=60)
		assert phone.device_id in json.dumps(found.json()["message"]["devices"])
	found = requests.post(
		url, json={"cmd": "hisabi.nothing"}, headers={"X-Frappe-Site-Name": site}, timeout=60
	)
	assert (found.status_code, found.json()["error_code"]) == (404, "not_found")


ASKED = "/api/method/frappe.realtime."


def _live(phone, call, **given):
	"""(status, text without the name) of a question that the server of live events asks for a device."""
	url = f"{phone.url}{ASKED}{call}"
	response = requests.get(url, params=given, headers=phone.session.headers, timeout=60)
	return response.status_code, response.text.replace(given.get("docname", "-"), "NAME")


@pytest.mark.parametrize("doctype", ["User", "Role", "DocType", "No Such Type", "Activity Log"])
def test_live_events_tell_nothing_of_the_rest_of_the_site(people, doctype):
	"""Documents that are there and that are not, of DocTypes that are there or not: one refusal."""
	phone, there = people["owner"], "Administrator" if doctype == "User" else "User"
	answers = {_live(phone, "can_subscribe_doc", doctype=doctype, docname=n) for n in (there, new_id("no"))}
	answers |= {_live(phone, "can_subscribe_doc", doctype="Report", docname=there)}
	assert len(answers) == 1 and {status for status, _ in answers} == {403}
	assert _live(phone, "can_subscribe_doctype", doctype=doctype)[0] == 403


def test_live_events_tell_foreign_documents_from_missing_ones_not(people, world):
	frappe.db.rollback()
	name = frappe.db.get_value("Hisabi Account", {"wallet_id": world.ids["wallet"]})
	given = [{"doctype": "Hisabi Account", "docname": one} for one in (name, new_id("none"))]
	assert len({_live(people["stranger"], "can_subscribe_doc", **one) for one in given}) == 1
	assert _live(people["manager"], "can_subscribe_doc", **given[0])[0] == 200
