"""What a demonstration site holds before anybody uses it: people, a wallet and a device with a token."""

from collections.abc import Iterable
from typing import Any

import frappe
from frappe.utils.password import set_encrypted_password

from hisabi_sync import tenants
from hisabi_sync.api.protocol import scopes
from hisabi_sync.demo import commerce, family, farm, field, households, words
from hisabi_sync.demo.home import Home
from hisabi_sync.demo.people import Person, Phone
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids

PASSWORD = "hisabi-demo-2026"
WALLET, DEVICE, APP = "demo-wallet", "demo-phone", "demo-app"
PEOPLE = {
	# user: (first name, roles, role in the demo wallet)
	"amal@hisabi.example": ("Amal", ["Hisabi User"], "owner"),
	"badr@hisabi.example": ("Badr", ["Hisabi User"], "member"),
	"manager@hisabi.example": ("Muna", ["Sync Manager"], None),
	"auditor@hisabi.example": ("Adel", ["Sync Auditor"], None),
	"operator@hisabi.example": ("Omar", ["Hisabi User"], None),
}
OWNER, MEMBER = "amal@hisabi.example", "badr@hisabi.example"
OPERATOR = "operator@hisabi.example"
TRANSACTIONS = 60
# The phones of the demo wallet's members; nobody but the demo device has been told a token.
PHONES = {
	OWNER: Phone(OWNER, DEVICE, "android", "Demo phone"),
	"badr@hisabi.example": Phone("badr@hisabi.example", "badr-phone", "ios", "iPhone 13"),
}


def prepare() -> dict[str, Any]:
	"""Create what is missing and return what a person needs to know of it; the device gets a new token."""
	for email, (first_name, roles, _) in PEOPLE.items():
		_ensure_user(email, first_name, roles)
	households.fill(_household(), TRANSACTIONS, households.Totals())
	_, token = device_tokens.register(OWNER, DEVICE, "android", "Demo phone", (scopes.WALLET,))
	_, app = device_tokens.register(OWNER, APP, "web", "Demo app", (scopes.SITE,))
	frappe.db.commit()  # each of the following begins a transaction of its own
	mobile = field.prepare(OWNER)
	commerce.prepare(OPERATOR, field.TENANT)
	home = family.prepare(OWNER, MEMBER)
	return {
		"users": [{"user": e, "password": PASSWORD, "roles": roles} for e, (_, roles, _) in PEOPLE.items()],
		"wallet_id": WALLET,
		"device_id": DEVICE,
		"device_token": token,
		"credentials": {
			"wallet": f"Bearer {token}",
			"mobile": f"Bearer {mobile}",
			"batch": f"Bearer {farm.prepare(OWNER)}",
			"family": f"Bearer {home['token']}",
			"site": f"Bearer {app}",
			"operator": api_key(OPERATOR),
		},
		"spaces": {
			"wallet": WALLET,
			"mobile": field.TENANT,
			"batch": farm.FARM,
			"family": family.FAMILY,
			"site": ids.space(tenants.SPACE_TYPE, field.TENANT),
			"operator": field.TENANT,
		},
		"jwt": home["jwt"],
	}


def api_key(email: str) -> str:
	"""A new API key of a user, as the value of an Authorization header.

	The user is not saved: Frappe would make whom it saves a System Manager where there is none but Administrator.
	"""
	key, secret = (frappe.generate_hash(length=20) for _ in range(2))
	frappe.db.set_value("User", email, "api_key", key)
	set_encrypted_password("User", email, secret, "api_secret")
	frappe.db.commit()
	frappe.clear_cache(user=email)
	return f"token {key}:{secret}"


def _household() -> Home:
	"""Amal and Badr, who have written a few things down already."""
	home = Home("demo", WALLET, "Household", "en", words.MONEY[0], [], households.last_day(WALLET))
	home.places = households.places(households.faker_of(home.key, home.language), home.language)
	for email, phone in PHONES.items():
		first_name, _, role = PEOPLE[email]
		home.people.append(Person(email, first_name, "", role or "", home.language, (phone,)))
	return home


def _ensure_user(email: str, first_name: str, roles: Iterable[str]) -> None:
	if frappe.db.exists("User", email):
		return
	user = frappe.get_doc(
		{"doctype": "User", "email": email, "first_name": first_name, "send_welcome_email": 0}
	)
	user.new_password = PASSWORD
	user.flags.no_welcome_mail = user.flags.ignore_password_policy = True
	user.extend("roles", [{"role": role} for role in roles])
	user.insert(ignore_permissions=True)
	# Frappe makes the first person of a site a System Manager.
	frappe.db.delete("Has Role", {"parent": email, "role": "System Manager"})
	frappe.clear_cache(user=email)
