"""Tokens of devices. A token is `hsd_<device>_<random>.<tag>`; of its second half only a keyed hash is stored.

The tag proves that this server issued the token since the device was last registered. So the server recognises every
rotated token, however old, without a list of them. The next token is computed from the present one and the site's key: if
the answer to a rotation gets lost, the repeated rotation gives the same new token.

Tokens end by expiry, by revocation, with a change of the user's password (everything registered before it), and are
refused as long as the user is disabled.
"""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.identity import devices
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.secrets_hash import keyed_hash, same
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.engine.store.write import STANDARD

PREFIX = "hsd_"


def register(
	user: str,
	device_id: str,
	platform: str | None = None,
	device_name: str | None = None,
	scopes: Iterable[str] = (),
	hours: int | None = None,
) -> tuple[Device, str]:
	"""Create or renew a device of a user; returns (device, token). The token is not stored and not shown again.

	`scopes` are what its tokens open; they are valid for `hours`, or as long as the site's settings say.
	"""
	devices.check_id(device_id)
	name, family, now = ids.device(user, device_id), secrets.token_hex(8), clock.now()
	secret = _tagged(name, family, secrets.token_urlsafe(32))
	values: dict[str, Any] = {
		**dict(zip(STANDARD, (name, now, now, user, user), strict=True)),
		"device_id": device_id,
		"user": user,
		"platform": plain(platform) or None,
		"device_name": plain(device_name or device_id),
		"status": "Active",
		"token_family": family,
		"token_hash": _hash_secret(secret),
		"password_mark": _password_mark(_password_hash(user)),
		"previous_token_hash": None,
		"previous_valid_until": None,
		"revoked_reason": None,
		"expires_at": _expiry(now, hours),
		"last_seen": now,
		"scopes": " ".join(scopes),
		"token_hours": hours or 0,
	}
	sql.upsert("Sync Device", list(values), [tuple(values.values())])
	device = Device(name, device_id, user, expires_at=values["expires_at"], scopes=values["scopes"])
	return device, f"{PREFIX}{name}_{secret}"


def _expiry(now: datetime, hours: int | None = None) -> datetime:
	if hours:
		return now + timedelta(hours=hours)
	return now + timedelta(days=frappe.get_cached_doc("Sync Settings").device_token_days or 180)


def _hash_secret(secret: str) -> str:
	"""What the database keeps of the secret part of a token: 64 hexadecimal digits."""
	return keyed_hash("device_token", secret).hex()


def _tagged(name: str, family: str | None, random: str) -> str:
	return f"{random}.{_text(keyed_hash('device_token_tag', f'{name} {family} {random}')[:12])}"


def _text(raw: bytes) -> str:
	return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _password_mark(password_hash: str | None) -> str:
	"""A hash that changes with the password of the user."""
	return keyed_hash("password_mark", password_hash or "").hex()[:32]


def _password_hash(user: str) -> str | None:
	rows = frappe.db.sql(
		"SELECT password FROM `__Auth` WHERE doctype = 'User' AND name = %s AND fieldname = 'password'",
		(user,),
	)
	return rows[0][0] if rows else None


def authenticate(token: str) -> Device:
	"""The Device of a token. Raises RequestError invalid_token, device_revoked or device_expired.

	A rotated token that is used after its grace period must be a copy: the device is revoked.
	"""
	name, secret = _split(token)
	device = devices.load(name) if secret else None
	random = secret.rpartition(".")[0]
	expected = _tagged(name, (device and device.token_family) or "", random)
	if not same(secret, expected) or device is None:
		raise RequestError("invalid_token")
	_refuse_stopped(device)
	_refuse_rotated(device, _hash_secret(secret))
	_refuse_expired(device)
	return device


def require_alive(device: Device) -> None:
	"""Raise RequestError device_revoked or device_expired for a device whose tokens are not good any more."""
	_refuse_stopped(device)
	_refuse_expired(device)


def _refuse_expired(device: Device) -> None:
	if device.expires_at and device.expires_at < clock.now():
		raise RequestError("device_expired")


def _split(token: str) -> tuple[str, str]:
	name, _, secret = token.removeprefix(PREFIX).partition("_")
	return name, secret if token.startswith(PREFIX) else ""


def _refuse_stopped(device: Device) -> None:
	reason = None
	if device.status != "Active":
		reason = device.revoked_reason or "revoked"
	elif not device.enabled:
		reason = "user_disabled"
	elif not same(device.password_mark, _password_mark(device.password_hash)):
		reason = "password_changed"
	if reason:
		raise RequestError("device_revoked", reason=reason)


def _refuse_rotated(device: Device, token_hash: str) -> None:
	if same(token_hash, device.token_hash):
		return
	in_grace = device.previous_valid_until and device.previous_valid_until >= clock.now()
	if in_grace and same(token_hash, device.previous_token_hash):
		return
	devices.revoke(device.name, "token_reused")
	frappe.db.commit()  # the request itself is refused and rolled back
	raise RequestError("device_revoked", reason="token_reused")


def rotate(device: Device, token: str) -> tuple[str, datetime | None]:
	"""The token that follows this one, and when it expires; the old one works on for the grace period."""
	name, secret = _split(token)
	successor = _tagged(name, device.token_family, _text(keyed_hash("device_token_next", secret)))
	now = clock.now()
	grace = timedelta(minutes=frappe.get_cached_doc("Sync Settings").rotation_grace_minutes or 0)
	# A repeat finds the hash replaced already and changes nothing.
	frappe.db.sql(
		"""UPDATE `tabSync Device` SET previous_token_hash = token_hash, previous_valid_until = %s, token_hash = %s,
		expires_at = %s, last_seen = %s, modified = %s WHERE name = %s AND token_hash = %s AND status = 'Active'""",
		(
			now + grace,
			_hash_secret(successor),
			_expiry(now, device.token_hours),
			now,
			now,
			name,
			_hash_secret(secret),
		),
	)
	return f"{PREFIX}{name}_{successor}", (devices.load(name) or device).expires_at
