"""What a demonstration site holds before anybody uses it: people, a wallet and a device with a token."""

import frappe

from hisabi_sync.engine import devices, spaces
from hisabi_sync.hisabi_wallet import wallets

PASSWORD = "hisabi-demo-2026"
WALLET, DEVICE = "demo-wallet", "demo-phone"
PEOPLE = {
	# user: (first name, roles, role in the demo wallet)
	"amal@hisabi.example": ("Amal", ["Hisabi User"], "owner"),
	"badr@hisabi.example": ("Badr", ["Hisabi User"], "member"),
	"manager@hisabi.example": ("Muna", ["Sync Manager"], None),
	"auditor@hisabi.example": ("Adel", ["Sync Auditor"], None),
}
OWNER = "amal@hisabi.example"


def prepare():
	"""Create what is missing and return what a person needs to know of it; the device gets a new token."""
	for email, (first_name, roles, _) in PEOPLE.items():
		_ensure_user(email, first_name, roles)
	if not spaces.exists("wallet", WALLET):
		wallets.create(OWNER, WALLET, "Household")
	for email, (_, _, role) in PEOPLE.items():
		if role:
			wallets.ensure_member(WALLET, email, role)
	_, token = devices.register(OWNER, DEVICE, "android", "Demo phone")
	frappe.db.commit()
	return {
		"users": [{"user": e, "password": PASSWORD, "roles": roles} for e, (_, roles, _) in PEOPLE.items()],
		"wallet_id": WALLET,
		"device_id": DEVICE,
		"device_token": token,
		"credentials": {"wallet": f"Bearer {token}"},
		"spaces": {"wallet": WALLET},
	}


def _ensure_user(email, first_name, roles):
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
