"""A token opens the calls of the contracts that it was issued for, and no other (promise 6, walls)."""

import frappe
import pytest
import requests

from hisabi_sync.api.protocol import routes, scopes
from hisabi_sync.engine.identity import device_tokens, devices
from tests.support.phone import Phone, new_id
from tests.support.users import PASSWORD
from tests.wallet_api.people import message, new_user, refused, sign_in
from tests.walls.calls import ENDPOINTS, answer, call

CONTRACTS = [scope for scope in scopes.RIGHTS if ":" not in scope]
FULL = routes.PACKAGE
CLOSED = [
	(name, scope)
	for name in ENDPOINTS
	for scope in CONTRACTS
	if scopes.needed(FULL + name) not in (scopes.ANY, scope)
]


@pytest.fixture(scope="module")
def tokens(server, site):
	"""{scope: phone of Administrator's with a token for this and nothing else}."""
	made = {}
	for scope in CONTRACTS:
		device_id = new_id(scope)
		_, token = device_tokens.register("Administrator", device_id, scopes=(scope,))
		made[scope] = Phone(server.url, site, token, device_id, None)
	frappe.db.commit()
	return made


def test_every_module_of_calls_has_a_scope():
	assert {name.partition(".")[0] for name in ENDPOINTS} <= {*scopes.MODULES}
	assert {scopes.needed(FULL + name) for name in ENDPOINTS} <= {*scopes.RIGHTS, scopes.ANY}


def test_calls_that_any_token_opens_are_about_the_device_or_need_no_credential():
	for name in ENDPOINTS:
		if scopes.needed(FULL + name) == scopes.ANY:
			assert ENDPOINTS[name].guest or name in scopes.OWN_DEVICE, name


@pytest.mark.parametrize(("name", "scope"), CLOSED)
def test_a_token_of_another_contract_is_refused(tokens, name, scope):
	"""Although its user, Administrator, has every right by his roles."""
	response = call(tokens[scope], name, {})
	assert answer(response) == (403, "insufficient_scope"), response.text[:300]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_token_of_its_own_contract_is_not(tokens, name):
	"""Else the refusals would say nothing."""
	needed = scopes.needed(FULL + name)
	if needed != scopes.ANY:
		assert answer(call(tokens[needed], name, {}))[1] != "insufficient_scope"


@pytest.fixture(scope="module")
def jwt(server, site, family_jwt):
	return Phone(server.url, site, family_jwt, None, None)


@pytest.mark.parametrize("name", [name for name in ENDPOINTS if not ENDPOINTS[name].guest])
def test_a_familys_jwt_opens_its_contract_only(jwt, name):
	response = call(jwt, name, {"device_id": "x"})
	inside = scopes.needed(FULL + name) == "family"
	assert (response.status_code == 401) != inside, response.text[:300]


# --- asking for scopes


def scopes_of(user, device_id):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Device", devices.ids.device(user, device_id), "scopes").split()


@pytest.mark.parametrize(
	("given", "granted"),
	[
		({}, ["wallet"]),
		({"contract": "mobile"}, ["mobile"]),
		({"contract": "batch", "scopes": ["playbook:edit", "family"]}, ["batch", "playbook:edit", "family"]),
		({"scopes": ["mobile", "wallet"]}, ["wallet", "mobile"]),
	],
)
def test_a_sign_in_gives_its_contract_and_what_was_asked_for(server, site, given, granted):
	user, device_id = new_user(PASSWORD), new_id("device")
	answered = message(sign_in(server, site, user, PASSWORD, device_id, **given))
	assert answered["scopes"] == scopes_of(user, device_id) == granted
	assert bool(answered["wallet_id"]) == ("wallet" in granted)
	renewed = rotated(server, site, answered["device_token"])
	assert scopes_of(user, device_id) == granted and renewed


def rotated(server, site, token):
	headers = {"Authorization": f"Bearer {token}", "X-Frappe-Site-Name": site}
	url = f"{server.url}/api/method/hisabi.rotate_token"
	return message(requests.post(url, json={}, headers=headers, timeout=30))["device_token"]


@pytest.mark.parametrize("given", [{"scopes": ["everything"]}, {"contract": "sync"}, {"scopes": 5}])
def test_scopes_that_are_none(server, site, given):
	refused(sign_in(server, site, new_user(PASSWORD), PASSWORD, **given), 417, "invalid_argument")


@pytest.mark.parametrize("scope", ["desk", "runs"])
def test_a_scope_is_granted_to_who_holds_the_right(server, site, scope):
	user = new_user(PASSWORD)
	body = refused(sign_in(server, site, user, PASSWORD, scopes=[scope]), 403, "scope_not_granted")
	assert body["scopes"] == [scope]
	frappe.db.rollback()
	assert not frappe.db.exists("Sync Device", {"user": user})


def test_who_works_in_the_desk_asks_for_it(server, site, people):
	user = people["manager"].user
	for given, status in (({}, 403), ({"scopes": ["desk"]}, 200)):
		device_id = new_id("device")
		token = message(sign_in(server, site, user, PASSWORD, device_id, **given))["device_token"]
		phone = Phone(server.url, site, token, device_id, None)
		assert phone.call("conflicts.counts").status_code == status
