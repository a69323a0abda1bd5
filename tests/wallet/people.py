"""People with phones that a whole module shares, because a sign-in costs a password hash."""

import frappe
import requests

from hisabi_sync.hisabi_wallet import members
from tests.support.phone import Phone, new_id
from tests.support.users import PASSWORD, make_user


def sign_up():
	"""A new user who may sign in with PASSWORD."""
	return make_user("Hisabi User")


def sign_in(server, site, user, wallet_id=None, device_id=None):
	"""A phone of the user, in their default wallet when none is given."""
	device_id = device_id or new_id("device")
	response = requests.post(
		f"{server.url}/api/method/hisabi_sync.api.devices.login",
		json={"usr": user, "pwd": PASSWORD, "device_id": device_id, "platform": "android"},
		headers={"X-Frappe-Site-Name": site},
		timeout=30,
	)
	assert response.status_code == 200, response.text
	given = response.json()["message"]
	phone = Phone(server.url, site, given["device_token"], device_id, wallet_id or given["wallet_id"])
	phone.user = user
	return phone


def enlist(server, site, wallet_id, role):
	"""A phone of a new user who is a member of the wallet with a role."""
	user = sign_up()
	set_member(wallet_id, user, role)
	return sign_in(server, site, user, wallet_id)


def set_member(wallet_id, user, role, status="active"):
	members.ensure(wallet_id, user, role, status)
	frappe.db.commit()
