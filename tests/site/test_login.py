"""Signing in to the site contract: with a password, or with what Frappe has signed in already."""

import frappe
import pytest
import requests

from hisabi_sync.demo.site import api_key
from tests.mobile.app import join, new_tenant
from tests.site.app import PATHS, Device, new_device
from tests.support.phone import new_id
from tests.support.users import PASSWORD
from tests.wallet_api.people import new_user


def login(server, site, body, **headers):
	headers = {"X-Frappe-Site-Name": site, **headers}
	return requests.post(f"{server.url}{PATHS}login", json=body, headers=headers, timeout=60)


def test_a_password_gives_a_token_and_the_spaces(server, site):
	user, device_id, tenant = new_user(PASSWORD), new_id("device"), new_tenant()
	join(tenant, user, "member")
	answer = login(server, site, {"usr": user, "pwd": PASSWORD, "device_id": device_id, "contract": "site"})
	assert answer.status_code == 200, answer.text
	said = answer.json()
	assert (said["user"], said["device_id"], said["scopes"]) == (user, device_id, ["site"])
	assert said["expires_at"] and "language" in said
	assert [(one["space_type"], one["key"], one["role"]) for one in said["spaces"]] == [
		("tenant", tenant, "member")
	]
	device = Device(server.url, site, said["device_token"], user, device_id)
	assert device.call("pull").status_code == 200


def test_who_is_signed_in_with_frappe_needs_no_password(server, site):
	user = new_user(PASSWORD)
	key = api_key(user)
	said = login(server, site, {"device_id": "d"}, Authorization=key).json()
	assert said["user"] == user and said["device_token"].startswith("hsd_")


def test_a_session_of_the_browser_gives_a_token(server, site):
	user, session = new_user(PASSWORD), requests.Session()
	session.headers["X-Frappe-Site-Name"] = site
	assert session.post(f"{server.url}/api/method/login", data={"usr": user, "pwd": PASSWORD}).ok
	answer = session.post(f"{server.url}{PATHS}login", json={"device_id": "d"}, timeout=60)
	code = answer.json().get("error_code")
	assert answer.status_code == 200 or code == "csrf_token_invalid", answer.text


@pytest.mark.parametrize(
	("body", "status", "code"),
	[
		({"usr": "<user>", "pwd": "wrong", "device_id": "d"}, 401, "invalid_login"),
		({"usr": "nobody", "pwd": "x", "device_id": "d"}, 401, "invalid_login"),
		({"usr": "<user>", "device_id": "d"}, 401, "invalid_login"),
		({"usr": "<user>", "pwd": ["x"], "device_id": "d"}, 401, "invalid_login"),
		({"device_id": "d"}, 401, "not_authenticated"),
		({}, 400, "device_id_required"),
		({"usr": "<user>", "pwd": PASSWORD, "device_id": "<b>"}, 400, "invalid_argument"),
		({"usr": "<user>", "pwd": PASSWORD, "device_id": "d", "contract": "wallet"}, 400, "invalid_argument"),
		({"usr": "<user>", "pwd": PASSWORD, "device_id": "d", "scopes": ["desk"]}, 403, "scope_not_granted"),
	],
)
def test_what_is_refused(server, site, body, status, code):
	user = new_user(PASSWORD)
	answer = login(server, site, {**body, **({"usr": user} if body.get("usr") == "<user>" else {})})
	assert (answer.status_code, answer.json()["error_code"]) == (status, code)
	assert answer.json()["retryable"] is False


def test_a_device_token_registers_no_device(server, site):
	device = new_device(server, site, new_user())
	answer = device.call("login", {"device_id": "another"})
	assert (answer.status_code, answer.json()["error_code"]) == (403, "permission_denied")


def test_a_token_is_rotated_and_ends_with_the_logout(server, site):
	device = new_device(server, site, new_user())
	said = device.call("token/rotate").json()
	assert said["device_token"] != device.token
	assert device.call("token/rotate").json()["device_token"] == said["device_token"]
	later = Device(server.url, site, said["device_token"], device.user, device.device_id)
	assert later.call("logout", {"device_id": "another"}).json()["error_code"] == "device_mismatch"
	assert later.call("logout", {"device_id": device.device_id}).json() == {
		"device_id": device.device_id,
		"status": "revoked",
	}
	answer = later.call("pull")
	assert (answer.status_code, answer.json()["error_code"]) == (401, "device_revoked")


@pytest.mark.parametrize("path", ["token/rotate", "ack", "push", "status", "refused"])
def test_what_is_about_a_device_needs_one(server, site, path):
	key = api_key(new_user())
	headers = {"X-Frappe-Site-Name": site, "Authorization": key}
	send = requests.get if path == "refused" else requests.post
	given = {"cursor": "x", "changes": [], "op_ids": []} if path != "refused" else None
	answer = send(f"{server.url}{PATHS}{path}", json=given, headers=headers, timeout=60)
	assert answer.json()["error_code"] in ("device_token_required", "device_id_required"), answer.text


def test_with_frappes_own_credential_a_device_is_named(server, site):
	user = new_user()
	device, key = new_device(server, site, user), api_key(user)
	headers = {"X-Frappe-Site-Name": site, "Authorization": key}

	def push(device_id):
		body = {"device_id": device_id, "changes": []}
		return requests.post(f"{server.url}{PATHS}push", json=body, headers=headers, timeout=60)

	assert push(device.device_id).json()["results"] == []
	assert push("no device of mine").json()["error_code"] == "device_unknown"


@pytest.mark.parametrize("scope", ["wallet", "mobile", "family", "batch", "runs", "desk"])
def test_a_token_of_another_contract_opens_nothing_here(server, site, scope):
	device = new_device(server, site, new_user(), (scope,))
	answers = [device.call("pull"), device.call("push", {"changes": []}), device.get("conflicts")]
	assert {(a.status_code, a.json()["error_code"]) for a in answers} == {(403, "insufficient_scope")}


def test_calls_are_methods_too(server, site):
	device = new_device(server, site, new_user())
	url = f"{server.url}/api/method/hisabi_sync.api.site.pull"
	answer = device.session.post(url, json={}, timeout=60)
	assert answer.json()["message"]["changes"] == []
	assert frappe.db.exists("Sync Device", device.name)
