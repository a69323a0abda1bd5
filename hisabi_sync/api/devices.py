"""Devices of the wallet contract: sign in, register, rotate, revoke. Source: contracts/wallet.md, devices and wallets."""

import re

import frappe
from frappe.utils.html_utils import sanitize_html

from hisabi_sync.api import arguments as args
from hisabi_sync.api import auth, credentials
from hisabi_sync.api.http import endpoint
from hisabi_sync.api.models import devices as models
from hisabi_sync.engine import clock, devices, retry
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.hisabi_wallet import wallets

PRINTABLE = re.compile(r"[^<>\x00-\x1f]+")  # a device id is shown in the Desk


@endpoint("wallet", guest=True, takes=models.Login, gives=models.SignedIn)
def login(given):
	"""Sign in with user name and password for a device token, and learn the default wallet."""
	user = credentials.check(given.usr, given.pwd, given.device_id)
	frappe.db.commit()
	frappe.set_user(user)
	return _register(user, given)


@endpoint("wallet", takes=models.DeviceRegistration, gives=models.SignedIn)
def register_device(given):
	"""A device token for a user who is signed in; the same answer as that of `login`.

	A device token does not register devices: whoever copied one could outlive its revocation.
	"""
	if auth.device():
		raise RequestError("permission_denied")
	return _register(frappe.session.user, given)


def _harmless(text):
	"""Without scripts, and as long as before although some characters are written longer."""
	return text and sanitize_html(text)[: args.MAX_TEXT]


def _register(user, given):
	device_id = given.device_id
	if not PRINTABLE.fullmatch(device_id):
		raise RequestError("invalid_argument", argument="device_id")
	described = _harmless(given.platform), _harmless(given.device_name)

	def transaction():
		device, token = devices.register(user, device_id, *described)
		wallet_id = wallets.default_wallet(user)
		frappe.db.commit()
		return device, token, wallet_id

	device, token, wallet_id = retry.run(transaction)
	return {**_token(token, device_id, device.expires_at), "wallet_id": wallet_id, "user": user}


def _token(token, device_id, expires_at):
	return {"device_token": token, "device_id": device_id, "expires_at": clock.dump(expires_at)}


@endpoint("wallet", takes=models.TokenRotation, gives=models.NewToken)
def rotate_token(given):
	"""Called with the device token: the next token. The old one works on for a few minutes."""
	device = auth.device()
	if device is None:
		raise RequestError("device_token_required")
	if given.device_id:
		auth.device_for(given.device_id)
	token, expires_at = devices.rotate(device, auth.token())
	return _token(token, device.device_id, expires_at)


@endpoint("wallet", takes=models.DeviceRevocation, gives=models.RevokedDevice)
def revoke_device(given):
	"""Stop a device of one's own. Repeating it is no error."""
	device = devices.find(frappe.session.user, given.device_id)
	if device is None:
		raise RequestError("not_found")
	devices.revoke(device.name, "revoked_by_user")
	return {"device_id": given.device_id, "status": "revoked"}


@endpoint("wallet", methods=("GET", "POST"), takes=models.DeviceList, gives=models.OwnDevices)
def list_devices(given):
	"""One's own devices, the one seen last first; `current` is the one that asks."""
	now, current = clock.now(), auth.device()
	rows = devices.listing(frappe.session.user)
	return {
		"devices": [_row(row, now, current.name if current else None) for row in rows],
		"server_time": clock.dump(now),
	}


def _row(row, now, current):
	expired = row["expires_at"] and row["expires_at"] < now
	return {
		"device_id": row["device_id"],
		"device_name": row["device_name"],
		"platform": row["platform"],
		"status": "revoked" if row["status"] != "Active" else "expired" if expired else "active",
		"revoked_reason": row["revoked_reason"],
		"registered_at": clock.dump(row["creation"]),
		"last_seen": clock.dump(row["last_seen"]),
		"expires_at": clock.dump(row["expires_at"]),
		"current": row["name"] == current,
	}
