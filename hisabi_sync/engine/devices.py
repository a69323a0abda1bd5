"""Devices and their tokens. A token is `hsd_<device>_<secret>`; only a keyed hash of the secret is stored."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

import frappe
from frappe.utils.password import get_encryption_key

from hisabi_sync.engine import clock, ids, sql
from hisabi_sync.engine.errors import RequestError

PREFIX = "hsd_"
SEEN_EVERY = timedelta(minutes=5)
COLUMNS = (
	"d.name, d.device_id, d.user, d.status, d.token_hash, d.previous_token_hash, d.previous_valid_until, "
	"d.expires_at, d.last_seen, u.enabled"
)


@dataclass(slots=True)
class Device:
	name: str
	device_id: str
	user: str
	status: str = "Active"
	token_hash: str = ""
	previous_token_hash: str | None = None
	previous_valid_until: object = None
	expires_at: object = None
	last_seen: object = None
	enabled: int = 1


def register(user, device_id, platform=None, device_name=None):
	"""Create or renew a device of a user; returns (device, token). The token is not stored and not shown again."""
	now = clock.now()
	name = ids.device(user, device_id)
	secret = secrets.token_urlsafe(32)
	expires_at = now + timedelta(days=frappe.get_cached_doc("Sync Settings").device_token_days or 180)
	values = {
		"name": name,
		"modified": now,
		"modified_by": user,
		"owner": user,
		"creation": now,
		"device_id": device_id,
		"user": user,
		"platform": platform,
		"device_name": device_name or device_id,
		"status": "Active",
		"token_hash": hash_secret(secret),
		"previous_token_hash": None,
		"previous_valid_until": None,
		"revoked_reason": None,
		"expires_at": expires_at,
		"last_seen": now,
	}
	sql.upsert("Sync Device", list(values), [tuple(values.values())])
	return Device(name, device_id, user, expires_at=expires_at), f"{PREFIX}{name}_{secret}"


def hash_secret(secret):
	"""Keyed hash with a key derived from the site's encryption key, so that a stolen table opens nothing."""
	key = hmac.new(get_encryption_key().encode(), b"hisabi_sync.device_token", sha256).digest()
	return hmac.new(key, secret.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def of_token(token):
	"""The Device of a token. Raises RequestError invalid_token, device_revoked or device_expired."""
	name, _, secret = token.removeprefix(PREFIX).partition("_")
	device = _load(name) if token.startswith(PREFIX) and secret else None
	expected = device.token_hash if device else hash_secret("")
	if not hmac.compare_digest(expected or "", hash_secret(secret)) or device is None:
		raise RequestError("invalid_token")
	if device.status != "Active" or not device.enabled:
		raise RequestError("device_revoked")
	if device.expires_at and device.expires_at < clock.now():
		raise RequestError("device_expired")
	return device


def _load(name):
	rows = frappe.db.sql(
		f"SELECT {COLUMNS} FROM `tabSync Device` d JOIN `tabUser` u ON u.name = d.user WHERE d.name = %s",  # noqa: S608
		(name,),
	)
	return Device(*rows[0]) if rows else None


def of_user(user, device_id):
	"""The active Device that a signed-in user registered under a device id. Raises RequestError device_unknown."""
	device = _load(ids.device(user, device_id))
	if device is None or device.device_id != device_id:
		raise RequestError("device_unknown")
	if device.status != "Active":
		raise RequestError("device_revoked")
	return device


def note_seen(device):
	"""Remember that the device called, at most every few minutes."""
	now = clock.now()
	if device.last_seen is None or now - device.last_seen > SEEN_EVERY:
		frappe.db.set_value("Sync Device", device.name, "last_seen", now, update_modified=False)
		frappe.db.commit()
