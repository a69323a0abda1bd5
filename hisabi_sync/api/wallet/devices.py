"""Devices of the wallet contract: sign in, register, rotate, revoke. Source: docs/contracts/wallet.md, Devices."""

from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.api.protocol import auth, credentials, scopes
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.wallet.models import devices as models
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.identity import device_tokens, devices
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.hisabi_wallet import wallets


@endpoint("wallet", guest=True, takes=models.Login, gives=models.SignedIn)
def login(request: models.Login) -> dict[str, Any]:
	"""Sign in with user name and password for a device token, and learn the default wallet."""
	user = credentials.check(request.usr, request.pwd, request.device_id)
	frappe.db.commit()
	frappe.set_user(user)
	return _register(user, request)


@endpoint("wallet", takes=models.DeviceRegistration, gives=models.SignedIn)
def register_device(request: models.DeviceRegistration) -> dict[str, Any]:
	"""A device token for a user who is signed in; the same answer as that of `login`.

	A device token cannot register devices: a stolen token could otherwise outlive its revocation.
	"""
	if auth.device():
		raise RequestError("permission_denied")
	return _register(frappe.session.user, request)


def _register(user: str, request: models.Login | models.DeviceRegistration) -> dict[str, Any]:
	device_id = request.device_id
	if not ids.is_device_id(device_id):
		raise RequestError("invalid_argument", argument="device_id")

	granted = scopes.grant(user, request.contract or scopes.WALLET, request.scopes)

	def transaction() -> tuple[devices.Device, str, str | None]:
		devices.require_room(user, device_id)
		device, token = device_tokens.register(
			user, device_id, request.platform, request.device_name, scopes=granted
		)
		wallet_id = wallets.default_wallet(user) if scopes.WALLET in granted else None
		frappe.db.commit()
		return device, token, wallet_id

	device, token, wallet_id = retry.run(transaction)
	about = {"wallet_id": wallet_id, "user": user, "scopes": granted}
	return {**auth.token_answer(device, token, device.expires_at), **about}


@endpoint("wallet", takes=models.TokenRotation, gives=models.NewToken, writes=True)
def rotate_token(request: models.TokenRotation) -> dict[str, Any]:
	"""Called with the device token: the next token. The old one works on for a few minutes."""
	return auth.token_answer(*auth.rotate(request.device_id))


@endpoint("wallet", takes=models.DeviceRevocation, gives=models.RevokedDevice, writes=True)
def revoke_device(request: models.DeviceRevocation) -> dict[str, Any]:
	"""Revoke one of your devices. Repeating it is no error. A token of another contract revokes its own device only."""
	device, current = devices.find(frappe.session.user, request.device_id), auth.device()
	if current and current.device_id != request.device_id:
		scopes.check_scope(scopes.WALLET, current.granted)
	if device is None:
		raise RequestError("not_found")
	devices.revoke(device.name, "revoked_by_user")
	return {"device_id": request.device_id, "status": "revoked"}


@endpoint("wallet", methods=("GET", "POST"), takes=models.DeviceList, gives=models.OwnDevices)
def list_devices(request: models.DeviceList) -> dict[str, Any]:
	"""Your own devices, the one seen last first; `current` marks the device that asks."""
	now, current = clock.now(), auth.device()
	rows = devices.listing(frappe.session.user)
	return {
		"devices": [_row(row, now, current.name if current else None) for row in rows],
		"server_time": clock.dump(now),
	}


def _row(row: dict[str, Any], now: datetime, current: str | None) -> dict[str, Any]:
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
