"""`last_sync_at`: the position behind each instant that a device received.

An instant is only a name for a position. The server keeps the ones that it gave to a device and that the device may still
send; no clock decides what the device has seen. An instant that it never gave is taken for a time, and stands for a
position safely before that time. Instants have milliseconds, because a browser's clock knows no more.
"""

import json
from datetime import datetime, timedelta

import frappe

from hisabi_sync.engine import positions, pull
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, cursor, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.cursor import Cursor
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store.write import STANDARD

DOCTYPE = "Family Sync Point"
MOST = 20  # instants of a device that it has not come back with
MILLISECOND = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)


class Point:
	"""The instants of one device in one family: `[[instant, cursor], ...]`, the one it came back with last first."""

	def __init__(self, caller: Caller, lock: bool = False) -> None:
		self.name, self.space = ids.digest("instants", caller.device, caller.space), caller.space
		rows = sql.select(DOCTYPE, ["instants"], "name = %s", (self.name,), "FOR UPDATE" if lock else "")
		self.exists = bool(rows)
		kept = json.loads(rows[0][0] or "{}") if rows else {}
		self.came_back = bool(kept.get("came_back"))
		self.given = [(clock.to_datetime(at), token) for at, token in kept.get("given", [])]

	def text(self) -> str:
		"""The JSON that its row keeps."""
		given = [[at.isoformat(timespec="milliseconds"), token] for at, token in self.given]
		return json.dumps({"came_back": self.came_back, "given": given}, separators=(",", ":"))

	def find(self, moment: datetime) -> Cursor | None:
		"""The Cursor that an instant of this device stands for, also when it was cut to a second; else None."""
		exact = floor(moment)
		span = MILLISECOND if exact.microsecond else SECOND
		found = [self._decoded(token) for at, token in self.given if at == exact]
		found = found or [
			self._decoded(token) for at, token in self.given if exact <= at < clock.shifted(exact, span)
		]
		return min(filter(None, found), key=lambda held: held.position, default=None)

	def known(self) -> Cursor | None:
		"""The Cursor that the device came back with last, which says what it has for sure; else None."""
		return self._decoded(self.given[0][1]) if self.came_back and self.given else None

	def _decoded(self, token: str) -> Cursor | None:
		try:
			return cursor.decode(token, self.space)
		except RequestError:
			return None


def floor(moment: datetime) -> datetime:
	"""A moment without what is smaller than a millisecond."""
	return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def begin(
	caller: Caller, token: str | None, moment: datetime | None
) -> tuple[Cursor | None, datetime | None]:
	"""(Cursor or None for a first pull, instant by which it was named or None).

	`token` is preferred to `moment`. Raises RequestError invalid_cursor, resync_required.
	"""
	if token:
		return _checked(cursor.decode(token, caller.space), caller), None
	if moment is None:
		return None, None
	point = Point(caller)
	found = point.find(moment)
	if found:
		return _checked(found, caller), floor(moment)
	return _checked(_guess(caller, point, moment), caller), None


def _checked(begin: Cursor | None, caller: Caller) -> Cursor | None:
	"""Refuse a position that is too old before anything of the request is done."""
	if begin:
		pull.check(caller, begin)
	return begin


def _guess(caller: Caller, point: Point, moment: datetime) -> Cursor | None:
	"""Where to begin for an instant that was never given: never behind what the device has for sure.

	A time to come is no time of this server: nothing is known but what the device came back with before.
	"""
	latest = point.known()
	if moment > clock.now():
		return latest
	if moment < _opened_at(caller) - positions.MARGIN:
		return None  # there was nothing yet that the device could have
	start = positions.before(caller, moment) or 0
	if latest and latest.position <= start:
		return latest
	return Cursor(caller.space, start, None, visibility.mark(caller))


def _opened_at(caller: Caller) -> datetime:
	rows = sql.select("Sync Space", ["creation"], "name = %s", (caller.space,))
	return rows[0][0] if rows else datetime.max


def give(caller: Caller, token: str, came_from: datetime | None) -> datetime:
	"""A new instant for the position of a cursor token; to be committed. `came_from` is what the device came back with."""
	point = Point(caller)
	if not point.exists:
		_make(caller, point)
	point = Point(caller, lock=True)
	if came_from:
		point.given = [pair for pair in point.given if pair[0] >= came_from]
		point.came_back = True
	latest = max((at for at, _ in point.given), default=datetime.min)
	instant = max(floor(clock.now()), latest + MILLISECOND)
	kept = 1 if point.came_back else 0
	while len(point.given) >= MOST:
		del point.given[kept]  # forgotten, it is taken for a time
	point.given.append((instant, token))
	values = {"instants": point.text(), "modified": clock.now()}
	sql.update_in(DOCTYPE, values, [point.name])
	return instant


def _make(caller: Caller, point: Point) -> None:
	"""An empty row first, because a lock on a missing one would stand in the way of other devices."""
	now = clock.now()
	columns = [*STANDARD, "device", "family"]
	sql.upsert(
		DOCTYPE,
		columns,
		[(point.name, now, now, caller.user, caller.user, caller.device, caller.space_key)],
	)
	frappe.db.commit()
