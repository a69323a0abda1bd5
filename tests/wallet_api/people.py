"""People, phones and wallets that a module shares: a password hash is the dearest thing in these tests."""

import frappe
import requests

from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_wallet import members, wallets
from tests.support.phone import METHOD, Phone, new_id
from tests.support.users import make_user

ROLES = ("owner", "admin", "member", "viewer")


def new_user(password=None, **values):
	"""A new user; without a password, which costs time, he can only be given a device."""
	return make_user("Hisabi User", password=password, **values)


def new_phone(server, site, user, wallet_id=None, scopes=("wallet",)):
	"""A phone with a fresh token of the user."""
	device_id = new_id("device")
	_, token = device_tokens.register(user, device_id, "android", "Test phone", scopes)
	frappe.db.commit()
	phone = Phone(server.url, site, token, device_id, wallet_id)
	phone.user = user
	return phone


def new_wallet(owner, **others):
	"""A wallet with its owner and `role=user` members; returns its id."""
	frappe.set_user("Administrator")
	wallet_id = wallets.create(owner, new_id("wallet"), "Household")
	for role, user in others.items():
		members.ensure(wallet_id, user, role)
	frappe.db.commit()
	return wallet_id


def sign_in(server, site, user, pwd, device_id=None, headers=None, **extra):
	"""The response of a login."""
	return requests.post(
		f"{server.url}{METHOD}devices.login",
		json={"usr": user, "pwd": pwd, "device_id": device_id or new_id("device"), **extra},
		headers={"X-Frappe-Site-Name": site, **(headers or {})},
		timeout=30,
	)


def refused(response, status, code):
	"""Assert that a call was refused in the contract's shape; returns the body."""
	assert response.status_code == status, (response.status_code, response.text[:500])
	body = response.json()
	assert body["error_code"] == code, body
	assert {"error", "message", "retryable"} <= set(body) and "Traceback" not in response.text
	return body


def message(response):
	"""The payload of a call that went well."""
	assert response.status_code == 200, response.text[:500]
	return response.json()["message"]


def membership(wallet_id, user):
	"""(role, status) of the engine's membership and of the document, which agree; None where there is none."""
	frappe.db.rollback()
	name = spaces.ids.member(spaces.ids.space("wallet", wallet_id), user)
	engine = frappe.db.get_value("Sync Space Member", name, ["role", "status"])
	filters = {"wallet_id": wallet_id, "user": user, "is_deleted": 0}
	document = frappe.db.get_value("Hisabi Wallet Member", filters, ["role", "status"])
	assert engine == document, (engine, document)
	return document
