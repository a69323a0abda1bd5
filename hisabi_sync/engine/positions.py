"""How far each device has come in each space, and which position a time stands for."""

from datetime import timedelta

import frappe

from hisabi_sync.engine import clock, cursor, ids, sight, sql
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.write import STANDARD

# A change may be numbered this long before it is committed and seen, and clocks of several servers differ.
MARGIN = timedelta(minutes=5)


def name_of(caller):
	return ids.digest(caller.device, caller.space)


def acknowledged(caller):
	"""The position that the device has acknowledged in the caller's space, or None."""
	rows = sql.select("Sync Device Position", ["acknowledged"], "name = %s", (name_of(caller),))
	return rows[0][0] if rows else None


def acknowledge(caller, reached):
	"""Move the device's position forward to a Cursor, never back. Raises RequestError invalid_cursor."""
	if reached.position > caller.position:
		raise RequestError("invalid_cursor")
	if reached.snapshot is not None:
		return  # a first pull that has not come to its end holds nothing yet
	now = clock.now()
	columns = [*STANDARD, "device", "space", "acknowledged"]
	row = (name_of(caller), now, now, caller.user, caller.user, caller.device, caller.space, reached.position)
	marks = ", ".join(["%s"] * len(columns))
	frappe.db.sql(
		f"""INSERT INTO `tabSync Device Position` ({", ".join(columns)}) VALUES ({marks})
		ON DUPLICATE KEY UPDATE acknowledged = GREATEST(acknowledged, VALUES(acknowledged)),
		modified = VALUES(modified)""",  # noqa: S608
		row,
	)


def after_push(caller):
	"""The token with which a device goes on pulling after a push: where it said it was.

	Never behind its own changes, which the server may have completed with values that the device does not have.
	"""
	seen = acknowledged(caller)
	return cursor.encode(cursor.Cursor(caller.space, seen or 0, None if seen else 0, sight.mark(caller)))


def before(caller, moment):
	"""A position that lies safely before everything committed since the moment; None without a moment.

	It is the position before the newest batch that was older than the moment by the margin, so at most some changes are
	sent again.
	"""
	if moment is None:
		return None
	rows = frappe.db.sql(
		"""SELECT first_sequence FROM `tabSync Batch` WHERE space = %s AND creation < %s AND first_sequence > 0
		ORDER BY creation DESC LIMIT 1""",
		(caller.space, moment - MARGIN),
	)
	return rows[0][0] - 1 if rows else 0
