"""Cursors that are too long for a request: the server keeps them, and the device gets the name of the row.

A device has a few of them: the one that it sent last, and those of the pages after it, for an answer may get lost. Rows that no
device has used for a long time go with the logs (`clear_old_logs`); a device that comes back with one starts over.
"""

import base64
from datetime import timedelta

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids, wide_cursor
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.wide_cursor import LONGEST, WideCursor
from hisabi_sync.engine.store.write import STANDARD

DOCTYPE = "Sync Cursor"
MOST = 5  # rows of one device
USED_EVERY = timedelta(days=1)


def read(token: str | None, user: str) -> WideCursor:
	"""The WideCursor of a device's text; an empty one without a text. Raises RequestError invalid_cursor, resync_required."""
	if not token:
		return WideCursor()
	found = wide_cursor.decode(token, user)
	return _kept(found) if isinstance(found, str) else found


def _kept(name: str) -> WideCursor:
	rows = sql.select(DOCTYPE, ["body", "creation"], "name = %s", (name,))
	if not rows:
		raise RequestError("resync_required", reason="position_too_old")
	text, used = rows[0]
	if clock.now() - used > USED_EVERY:
		sql.update_in(DOCTYPE, {"creation": clock.now()}, [name])
	return wide_cursor.decode_body(base64.b64decode(text))


def write(wide: WideCursor, user: str, device: str | None) -> str:
	"""The text for a device, of at most LONGEST characters; what is longer is kept in a row."""
	text = wide_cursor.encode(wide, user)
	return text if len(text) <= LONGEST else wide_cursor.encode_name(_keep(wide, user, device), user)


def _keep(wide: WideCursor, user: str, device: str | None) -> str:
	raw, now = wide_cursor.body(wide), clock.now()
	name, holder = ids.digest(user, device, raw.hex()), device or user
	row = (name, now, now, user, user, holder, base64.b64encode(raw).decode())
	sql.insert_or(DOCTYPE, [*STANDARD, "holder", "body"], [row], "creation = VALUES(creation)")
	kept = sql.select(DOCTYPE, ["name"], "holder = %s", (holder,), "ORDER BY creation DESC, name")
	if old := [row[0] for row in kept[MOST:]]:
		frappe.db.delete(DOCTYPE, {"name": ["in", old]})
	return name
