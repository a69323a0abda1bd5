"""Devices of the wallet contract: sign in, register. Source: contracts/wallet.md, devices and wallets."""

import frappe

from hisabi_sync.api import arguments as args
from hisabi_sync.api.http import endpoint
from hisabi_sync.engine import clock, devices
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.hisabi_wallet import wallets


@endpoint("wallet", guest=True)
def login(given):
	"""`{usr, pwd, device_id, platform?, device_name?}` -> a device token, shown once, and the default wallet."""
	user = _check_password(args.text(given, "usr"), given.get("pwd"))
	frappe.set_user(user)
	return _register(given)


def _check_password(usr, pwd):
	if not isinstance(pwd, str) or not pwd:
		raise RequestError("invalid_login")
	try:
		frappe.local.login_manager.authenticate(user=usr, pwd=pwd)
	except frappe.AuthenticationError:
		frappe.clear_messages()
		raise RequestError("invalid_login") from None
	return frappe.local.login_manager.user


@endpoint("wallet")
def register_device(given):
	"""`{device_id, platform?, device_name?}` of a signed-in user -> the same answer as `login`."""
	return _register(given)


def _register(given):
	device_id = args.text(given, "device_id")
	platform, name = (args.optional_text(given, key) for key in ("platform", "device_name"))
	user = frappe.session.user
	device, token = devices.register(user, device_id, platform, name)
	return {
		"device_token": token,
		"device_id": device.device_id,
		"wallet_id": wallets.default_wallet(user),
		"expires_at": clock.dump(device.expires_at),
		"user": user,
	}
