"""Devices: one installation of an app each. Finding, describing and revoking them; `device_tokens` has their tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe

from hisabi_sync.engine.database import retry, sql, wake
from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.judge.policies import Clash, Edit, last_write_wins
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.engine.store.write import STANDARD

SEEN_EVERY = timedelta(minutes=5)
COLUMNS = (
	"d.name, d.device_id, d.user, d.status, d.token_hash, d.previous_token_hash, d.previous_valid_until, "
	"d.expires_at, d.last_seen, u.enabled, d.token_family, d.password_mark, d.revoked_reason, a.password, u.language, "
	"d.scopes, d.token_hours"
)
LISTED = "device_id device_name platform status creation last_seen expires_at revoked_reason".split()


@dataclass(slots=True)
class Device:
	"""A row of Sync Device, with what Frappe says of its user."""

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
		"""Scopes of its tokens; without any, they are good for no contract."""
		return (self.scopes or "").split()


def require_room(user: str, device_id: str) -> None:
	"""Raise RequestError too_many_devices if the user has their limit of devices and this is a new one."""
	if not frappe.db.exists("Sync Device", {"name": ids.device(user, device_id), "status": "Active"}):
		budgets.require("devices", user)


def revoke(name: str, reason: str) -> None:
	"""Stop the tokens of a device for good; `reason` is a stable code that the Desk shows."""
	frappe.db.sql(
		"""UPDATE `tabSync Device` SET status = 'Revoked', revoked_reason = %s, modified = %s
		WHERE name = %s AND status = 'Active'""",
		(reason, clock.now(), name),
	)
	wake.device(name)


def listing(user: str) -> list[dict[str, Any]]:
	"""All devices of a user as dicts with LISTED and name, the one seen last first."""
	rows = sql.select("Sync Device", ["name", *LISTED], "user = %s", (user,), "ORDER BY last_seen DESC, name")
	return [dict(zip(["name", *LISTED], row, strict=True)) for row in rows]


def load(name: str) -> Device | None:
	"""The Device of a row of Sync Device, with what its user is today; None if there is none."""
	rows = frappe.db.sql(
		f"""SELECT {COLUMNS} FROM `tabSync Device` d JOIN `tabUser` u ON u.name = d.user
		LEFT JOIN `__Auth` a ON a.doctype = 'User' AND a.name = d.user AND a.fieldname = 'password'
		WHERE d.name = %s""",  # noqa: S608
		(name,),
	)
	return Device(*rows[0]) if rows else None


def require_active(user: str, device_id: str) -> Device:
	"""The active Device that a signed-in user registered under a device id. Raises RequestError device_unknown."""
	device = find(user, device_id)
	if device is None:
		raise RequestError("device_unknown")
	if device.status != "Active":
		raise RequestError("device_revoked", reason=device.revoked_reason or "revoked")
	return device


def find(user: str, device_id: str) -> Device | None:
	"""The Device of a user under a device id, whatever its status, or None."""
	device = load(ids.device(user, device_id))
	return device if device and device.device_id == device_id else None


def check_id(device_id: str) -> None:
	"""Raise RequestError invalid_argument for an id that is not safe in a page of the Desk."""
	if not ids.is_device_id(device_id):
		raise RequestError("invalid_argument", argument="device_id")


def ensure(user: str, device_id: str) -> tuple[Device, bool]:
	"""The active Device of a user who signs in without a token of this server; it is made if it does not exist.

	Returns (device, whether it is new). Raises RequestError device_revoked.
	"""
	device = find(user, device_id)
	if device is None:
		check_id(device_id)
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


def load_by_name(name: str) -> Device | None:
	"""The Device with this name, whatever its status, or None."""
	return load(name)


def note_seen(device: Device) -> None:
	"""Remember that the device called, at most every few minutes."""
	now = clock.now()
	if device.last_seen is None or now - device.last_seen > SEEN_EVERY:
		_write_seen(device.name, now)


def _write_seen(name: str, now: datetime) -> None:
	"""Write without waiting long for the lock: another call that has it writes the same, or revokes the device."""
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


def describe(name: str, facts: Mapping[str, Any], at: datetime) -> None:
	"""Update a Sync Device with `facts`, {column: text}, that the device wrote at a time. The last write wins."""
	if not facts:
		return
	facts = {name: plain(text) for name, text in facts.items()}
	names = sorted(facts)
	rows = sql.select("Sync Device", ["described_at", *names], "name = %s", (name,))
	described_at, *present = rows[0]
	edit = _edit(facts, dict(zip(names, present, strict=True)), described_at, at)
	values = last_write_wins(edit, {}).values
	if values:
		_save_facts(name, {**values, "described_at": at}, at)


def _edit(
	facts: Mapping[str, Any], present: Mapping[str, Any], described_at: datetime | None, at: datetime
) -> Edit:
	differing = {name: value for name, value in facts.items() if value != present[name]}
	clashes = [Clash(name, None, present[name], value, described_at) for name, value in differing.items()]
	if described_at is None:
		return Edit(None, differing, differing, client_time=at)
	return Edit(None, differing, {}, tuple(clashes), stale=True, client_time=at)


def _save_facts(name: str, values: Mapping[str, Any], at: datetime) -> None:
	"""Write, unless another call has written a later description in between."""
	changes = ", ".join(f"{sql.quote(column)} = %s" for column in values)
	frappe.db.sql(
		f"UPDATE `tabSync Device` SET {changes} WHERE name = %s AND (described_at IS NULL OR described_at < %s)",  # noqa: S608
		(*values.values(), name, at),
	)
