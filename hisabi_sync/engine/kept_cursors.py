"""Cursors that are too long for a request: the server keeps them, and the device gets the name of the row.

A holder, which is a device or one of its databases, has a few of them: the one that it sent last, and those of the pages after it, for
an answer may get lost. Rows that nobody has used for a long time go with the logs (`clear_old_logs`); a device that comes back with one starts
over.
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
MOST = 5  # rows of one holder
USED_EVERY = timedelta(days=1)


def read(token: str | None, user: str) -> WideCursor:
	"""The WideCursor of a device's text; an empty one without a text. Raises RequestError invalid_cursor, resync_required."""
	if not token:
		return WideCursor()
	found = wide_cursor.decode(token, user)
	return _kept(found) if isinstance(found, str) else found


def _kept(name: str) -> WideCursor:
	found = _used(name)
	if found is None:
		raise RequestError("resync_required", reason="position_too_old")
	return found


def _used(name: str) -> WideCursor | None:
	"""The WideCursor of a row, which its use keeps for longer."""
	rows = sql.select(DOCTYPE, ["body", "creation"], "name = %s", (name,))
	if not rows:
		return None
	text, used = rows[0]
	if clock.now() - used > USED_EVERY:
		sql.update_in(DOCTYPE, {"creation": clock.now()}, [name])
	return wide_cursor.decode_body(base64.b64decode(text))


def write(wide: WideCursor, user: str, holder: str | None, sent: str | None = None) -> str:
	"""The text for a device, of at most LONGEST characters; what is longer is kept in a row, and so is that of the text that was `sent`."""
	text = wide_cursor.encode(wide, user)
	if len(text) <= LONGEST:
		return text
	name = _keep(wide, user, holder)
	_let_go(holder or user, _name_in(sent, user))
	return wide_cursor.encode_name(name, user)


def _name_in(sent: str | None, user: str) -> str | None:
	"""The name of the row of a text, if it has one. A text that nobody can read has none."""
	try:
		found = wide_cursor.decode(sent, user) if sent else None
	except RequestError:
		return None
	return found if isinstance(found, str) else None


def _keep(wide: WideCursor, user: str, holder: str | None) -> str:
	raw = wide_cursor.body(wide)
	name = ids.digest(user, holder, raw.hex())
	_insert(name, raw, holder or user, "creation = VALUES(creation)")
	return name


def _insert(name: str, raw: bytes, holder: str, otherwise: str) -> None:
	now, by = clock.now(), frappe.session.user
	row = (name, now, now, by, by, holder, base64.b64encode(raw).decode())
	sql.insert_or(DOCTYPE, [*STANDARD, "holder", "body"], [row], otherwise)


def _let_go(holder: str, sent: str | None) -> None:
	"""Delete all but the newest rows of a holder, and the one that they have now: answers may be lost again and again."""
	kept = sql.select(DOCTYPE, ["name"], "holder = %s", (holder,), "ORDER BY creation DESC, name")
	if old := [row[0] for row in kept[MOST:] if row[0] != sent]:
		frappe.db.delete(DOCTYPE, {"name": ["in", old]})


# --- for clients that keep a number instead of a text


def numbered(holder: str, number: int) -> WideCursor | None:
	"""The WideCursor that a holder got under a number, or None if it is not kept any more."""
	return _used(_name(holder, number))


def number(wide: WideCursor, holder: str, before: int) -> int:
	"""A number above `before` for a WideCursor. A number never stands for two of them, whatever became of the answer.

	It begins with the time, so that numbers of an earlier life of the app, whose rows are gone, are not given again.
	"""
	raw = wide_cursor.body(wide)
	mine = base64.b64encode(raw).decode()
	taken = max(before + 1, clock.to_milliseconds(clock.now()))
	while True:
		_insert(_name(holder, taken), raw, holder, "name = name")
		rows = sql.select(DOCTYPE, ["body"], "name = %s", (_name(holder, taken),))
		if rows and rows[0][0] == mine:
			_let_go(holder, _name(holder, before))
			return taken
		taken += 1


def _name(holder: str, number: int) -> str:
	return ids.digest(holder, str(number))
