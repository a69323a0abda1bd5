"""Devices and their tokens. A token is `hsd_<device>_<random>.<tag>`; of its second half only a keyed hash is stored.

The tag tells that this server issued the token since the device was last registered. So every rotated token is known
for what it is, however many rotations ago it was, without a list of them. The successor of a token is computed from the
token and the site's key: a rotation whose answer got lost gives the same new token when it is repeated.

Tokens end by expiry, by revocation, with a change of the user's password (everything registered before it), and are
refused as long as the user is disabled.
"""

import base64
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe

from hisabi_sync.engine.database import retry, sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.secrets_hash import keyed_hash, same
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.engine.operations import budgets
from hisabi_sync.engine.store.write import STANDARD

PREFIX = "hsd_"
SEEN_EVERY = timedelta(minutes=5)
COLUMNS = (
	"d.name, d.device_id, d.user, d.status, d.token_hash, d.previous_token_hash, d.previous_valid_until, "
	"d.expires_at, d.last_seen, u.enabled, d.token_family, d.password_mark, d.revoked_reason, a.password, u.language, "
	"d.scopes, d.token_hours"
)
LISTED = "device_id device_name platform status creation last_seen expires_at revoked_reason".split()


@dataclass(slots=True)
class Device:
	name: str
	device_id: str
	user: str
	status: str = "Active"
	token_hash: str = ""
	previous_token_hash: str | None = None
	previous_valid_until: datetime | None = None
	expires_at: datetime | None = None
	last_seen: datetime | None = None
	enabled: int = 1
	token_family: str | None = None
	password_mark: str | None = None
	revoked_reason: str | None = None
	password_hash: str | None = None
	language: str | None = None
	scopes: str | None = None
	token_hours: int | None = None

	@property
	def granted(self) -> list[str]:
		"""Scopes of its token; one without any opens no contract."""
		return (self.scopes or "").split()


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
	_check_id(device_id)
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
		"token_hash": hash_secret(secret),
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


def require_room(user: str, device_id: str) -> None:
	"""Raises RequestError too_many_devices, unless the device is one of those that the user has."""
	if not frappe.db.exists("Sync Device", {"name": ids.device(user, device_id), "status": "Active"}):
		budgets.require("devices", user)


def count_active(user: str) -> int:
	"""Hook: devices of a user that work or will work again when they sign in."""
	where = "user = %s AND status = 'Active' AND (expires_at IS NULL OR expires_at > %s)"
	return sql.select("Sync Device", ["COUNT(*)"], where, (user, clock.now()))[0][0]


def _expiry(now: datetime, hours: int | None = None) -> datetime:
	if hours:
		return now + timedelta(hours=hours)
	return now + timedelta(days=frappe.get_cached_doc("Sync Settings").device_token_days or 180)


def hash_secret(secret: str) -> str:
	return keyed_hash("device_token", secret).hex()


def _tagged(name: str, family: str | None, random: str) -> str:
	return f"{random}.{_text(keyed_hash('device_token_tag', f'{name} {family} {random}')[:12])}"


def _text(raw: bytes) -> str:
	return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _password_mark(password_hash: str | None) -> str:
	"""Changes with the user's password; a user without one has a mark too."""
	return keyed_hash("password_mark", password_hash or "").hex()[:32]


def _password_hash(user: str) -> str | None:
	rows = frappe.db.sql(
		"SELECT password FROM `__Auth` WHERE doctype = 'User' AND name = %s AND fieldname = 'password'",
		(user,),
	)
	return rows[0][0] if rows else None


def of_token(token: str) -> Device:
	"""The Device of a token. Raises RequestError invalid_token, device_revoked or device_expired.

	A rotated token that comes back after its grace was copied: it revokes the device, whoever has the newer one.
	"""
	name, secret = _split(token)
	device = _load(name) if secret else None
	random = secret.rpartition(".")[0]
	expected = _tagged(name, (device and device.token_family) or "", random)
	if not same(secret, expected) or device is None:
		raise RequestError("invalid_token")
	_refuse_stopped(device)
	_refuse_rotated(device, hash_secret(secret))
	if device.expires_at and device.expires_at < clock.now():
		raise RequestError("device_expired")
	return device


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


def _refuse_rotated(device: Device, given: str) -> None:
	if same(given, device.token_hash):
		return
	in_grace = device.previous_valid_until and device.previous_valid_until >= clock.now()
	if in_grace and same(given, device.previous_token_hash):
		return
	revoke(device.name, "token_reused")
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
			hash_secret(successor),
			_expiry(now, device.token_hours),
			now,
			now,
			name,
			hash_secret(secret),
		),
	)
	return f"{PREFIX}{name}_{successor}", (_load(name) or device).expires_at


def revoke(name: str, reason: str) -> None:
	"""Stop a device's token for good; `reason` is a stable code that people see in the Desk."""
	frappe.db.sql(
		"""UPDATE `tabSync Device` SET status = 'Revoked', revoked_reason = %s, modified = %s
		WHERE name = %s AND status = 'Active'""",
		(reason, clock.now(), name),
	)


def listing(user: str) -> list[dict[str, Any]]:
	"""All devices of a user as dicts with LISTED and name, the one seen last first."""
	rows = sql.select("Sync Device", ["name", *LISTED], "user = %s", (user,), "ORDER BY last_seen DESC, name")
	return [dict(zip(["name", *LISTED], row, strict=True)) for row in rows]


def _load(name: str) -> Device | None:
	rows = frappe.db.sql(
		f"""SELECT {COLUMNS} FROM `tabSync Device` d JOIN `tabUser` u ON u.name = d.user
		LEFT JOIN `__Auth` a ON a.doctype = 'User' AND a.name = d.user AND a.fieldname = 'password'
		WHERE d.name = %s""",  # noqa: S608
		(name,),
	)
	return Device(*rows[0]) if rows else None


def of_user(user: str, device_id: str) -> Device:
	"""The active Device that a signed-in user registered under a device id. Raises RequestError device_unknown."""
	device = find(user, device_id)
	if device is None:
		raise RequestError("device_unknown")
	if device.status != "Active":
		raise RequestError("device_revoked", reason=device.revoked_reason or "revoked")
	return device


def find(user: str, device_id: str) -> Device | None:
	"""The Device of a user under a device id, whatever its status, or None."""
	device = _load(ids.device(user, device_id))
	return device if device and device.device_id == device_id else None


def _check_id(device_id: str) -> None:
	"""Raises RequestError invalid_argument for an id that a page of the Desk would run."""
	if not ids.is_device_id(device_id):
		raise RequestError("invalid_argument", argument="device_id")


def ensure(user: str, device_id: str) -> tuple[Device, bool]:
	"""The active Device of a user under a device id, for one that signs in without a token of ours; made when missing.

	Returns (device, whether it is new). Raises RequestError device_revoked.
	"""
	device = find(user, device_id)
	if device is None:
		_check_id(device_id)
		now = clock.now()
		values = (
			ids.device(user, device_id),
			now,
			now,
			user,
			user,
			device_id,
			user,
			plain(device_id),
			"Active",
			now,
		)
		columns = [*STANDARD, "device_id", "user", "device_name", "status", "last_seen"]
		sql.upsert("Sync Device", columns, [values])
		return Device(values[0], device_id, user, last_seen=now), True
	if device.status != "Active":
		raise RequestError("device_revoked", reason=device.revoked_reason or "revoked")
	return device, False


def by_name(name: str) -> Device | None:
	"""The Device with this name, whatever its status, or None."""
	return _load(name)


def note_seen(device: Device) -> None:
	"""Remember that the device called, at most every few minutes."""
	now = clock.now()
	if device.last_seen is None or now - device.last_seen > SEEN_EVERY:
		_write_seen(device.name, now)


def _write_seen(name: str, now: datetime) -> None:
	"""Not worth waiting for: whoever has the row writes the same or ends the device."""
	try:
		frappe.db.sql(
			"SET STATEMENT innodb_lock_wait_timeout = 1 FOR UPDATE `tabSync Device` SET last_seen = %s WHERE name = %s",
			(now, name),
		)
		frappe.db.commit()
	except Exception as error:
		if not retry.is_turned_down(error):
			raise
		frappe.db.rollback()
