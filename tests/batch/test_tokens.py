"""Tokens of the batch contract: short-lived, scoped, rotated; a copied one gives itself away."""

import frappe
import pytest
import requests

from hisabi_sync.engine.identity import device_tokens, devices
from hisabi_sync.engine.model import clock
from tests.batch.app import FarmApp, add, join, new_farm, patch, playbook
from tests.batch.test_idempotency import refused
from tests.mobile.app import new_user
from tests.support.phone import new_id
from tests.support.users import PASSWORD
from tests.wallet_api import people as accounts

TOKEN, ROTATE = "/v1/devices/token", "/v1/devices/token/rotate"


@pytest.fixture(scope="module")
def user(site):
	return accounts.new_user(PASSWORD)


@pytest.fixture
def ask(server, site, user):
	"""Ask for a token; the response."""

	def post(**given):
		body = {"username": user, "password": PASSWORD, "deviceId": new_id("device"), **given}
		headers = {"X-Frappe-Site-Name": site}
		return requests.post(server.url + TOKEN, json=body, headers=headers, timeout=30)

	return post


def app_of(server, site, user, answer, farm):
	return FarmApp(server.url, site, answer["deviceToken"], user, answer["deviceId"], farm)


def test_a_token_works_and_says_what_for(ask, server, site, user):
	answer = ask(scopes=["playbook:edit"], platform="android", name="Phone").json()
	assert set(answer) == {"deviceToken", "deviceId", "scopes", "expiresAt"}
	assert answer["scopes"] == ["sync", "playbook:edit"]
	farm = new_farm()
	join(farm, user, "admin")
	app = app_of(server, site, user, answer, farm)
	assert app.sync(patches=[patch(playbook(farm, "r1"), 1, add("r2"))])["conflicts"] == []


def test_a_token_is_short_lived(ask, user):
	answer = ask().json()
	frappe.db.rollback()
	expires = frappe.db.get_value("Sync Device", devices.ids.device(user, answer["deviceId"]), "expires_at")
	hours = (expires - clock.now()).total_seconds() / 3600
	assert 160 < hours <= 168 and answer["scopes"] == ["sync"]


@pytest.mark.parametrize(
	("given", "status", "code"),
	[
		({"password": "wrong"}, 401, "invalid_login"),
		({"password": {"$ne": 1}}, 401, "invalid_login"),
		({"username": None}, 401, "not_authenticated"),
		({"scopes": ["everything"]}, 422, "invalid_argument"),
		({"scopes": 5}, 422, "invalid_argument"),
		({"deviceId": "<b>"}, 422, "invalid_argument"),
		({"deviceId": None}, 422, "invalid_argument"),
	],
)
def test_what_gets_no_token(ask, given, status, code):
	refused(ask(**given), status, code)


def test_a_token_gives_no_other_token(ask, server, site, user):
	app = app_of(server, site, user, ask().json(), "none")
	refused(app.post({"deviceId": "another"}, path=TOKEN), 403, "permission_denied")


def test_rotation_keeps_the_scopes_and_the_grace(ask, server, site, user):
	farm = new_farm()
	join(farm, user, "member")
	first = ask(scopes=["playbook:edit"]).json()
	old = app_of(server, site, user, first, farm)
	second = old.post({}, path=ROTATE).json()
	assert second["scopes"] == first["scopes"] and second["deviceToken"] != first["deviceToken"]
	assert old.post({}, path=ROTATE).json()["deviceToken"] == second["deviceToken"], "a lost answer"
	new = app_of(server, site, user, second, farm)
	assert old.post(old.body()).status_code == new.post(new.body()).status_code == 200


def test_a_token_used_after_its_grace_revokes_the_device(ask, server, site, user):
	farm = new_farm()
	join(farm, user, "member")
	first = ask().json()
	old = app_of(server, site, user, first, farm)
	new = app_of(server, site, user, old.post({}, path=ROTATE).json(), farm)
	assert new.post(new.body()).status_code == 200
	past = {"previous_valid_until": frappe.utils.add_to_date(clock.now(), minutes=-1)}
	frappe.db.set_value("Sync Device", devices.ids.device(user, first["deviceId"]), past)
	frappe.db.commit()
	error = refused(old.post(old.body()), 401, "device_revoked")
	assert error["details"] == {"reason": "token_reused"}
	refused(new.post(new.body()), 401, "device_revoked")


def test_an_expired_token(ask, server, site, user):
	answer = ask().json()
	past = {"expires_at": frappe.utils.add_to_date(clock.now(), minutes=-1)}
	frappe.db.set_value("Sync Device", devices.ids.device(user, answer["deviceId"]), past)
	frappe.db.commit()
	app = app_of(server, site, user, answer, "none")
	refused(app.post(app.body()), 401, "device_expired")


def test_a_token_that_may_sync_may_not_edit(server, site):
	user, device_id = new_user(), new_id("device")
	_, token = device_tokens.register(user, device_id, scopes=("batch",))
	farm = new_farm()
	join(farm, user, "owner")
	app = FarmApp(server.url, site, token, user, device_id, farm)
	assert app.sync()["conflicts"] == []
	refused(app.post(app.body(patches=[patch("p", 1, add("r"))])), 403, "insufficient_scope")
