"""Times: ISO-8601 with Z on the wire, naive in the site's time zone in the database, as Frappe keeps them."""

import math
import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from dateutil import parser as date_parser
from frappe.utils import get_datetime, getdate, now_datetime
from frappe.utils.data import get_system_timezone

UTC = timezone.utc
# As most clients write it; all other forms are left to a library, which takes longer.
USUAL = re.compile(
	r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:\.[0-9]{3}(?:[0-9]{3})?)?Z"
)
DAY = re.compile(r"(?!0000)\d{4}-\d{1,2}-\d{1,2}(?!\d)")
# Times between these can be written in every zone.
DAY_LONG = timedelta(days=1)
EARLIEST, LATEST = datetime(1, 1, 2), datetime(9999, 12, 30, 23, 59, 59)


def now() -> datetime:
	"""The site's present time, naive, with microseconds."""
	moment = now_datetime()
	return moment.replace(fold=datetime.now(zone()).fold) if is_twice(moment) else moment


def zone() -> ZoneInfo:
	"""The site's time zone, looked up once a request."""
	cached = getattr(frappe.local, "hisabi_sync_zone", None)
	if cached is None:
		cached = frappe.local.hisabi_sync_zone = ZoneInfo(get_system_timezone())
	return cached


def parse(text: str) -> datetime | None:
	"""A naive time in the site's zone from ISO-8601 text (no offset means UTC), or None."""
	try:
		return _moment(text).astimezone(zone()).replace(tzinfo=None)
	except (ValueError, OverflowError):
		return None


def _moment(text: str) -> datetime:
	if USUAL.fullmatch(text):
		return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
	moment = date_parser.isoparse(text)
	return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def shifted(moment: datetime, by: timedelta) -> datetime:
	"""A naive time from outside, moved by a duration; it stops at EARLIEST and LATEST."""
	try:
		moved = max(EARLIEST, min(LATEST, moment + by))
	except OverflowError:
		return EARLIEST if by < timedelta() else LATEST
	if _is_turned(moment.date(), zone()) or _is_turned(moved.date(), zone()):
		return (_aware(moment) + by).astimezone(zone()).replace(tzinfo=None)
	return moved


def between(earlier: datetime, later: datetime) -> timedelta:
	"""The duration between two naive times, also across a change of the clock."""
	try:
		return _aware(later) - _aware(earlier)
	except OverflowError:
		return later - earlier


def _aware(moment: datetime) -> datetime:
	return moment.replace(tzinfo=zone()).astimezone(UTC)


def before_repeat(moment: datetime) -> datetime:
	"""For a naive time in the hour that the site's clock shows twice, a time before that hour; any other time as it is.

	Within that hour the smaller time may be the later one, so none of its times shows what came before.
	"""
	first, second = _offsets(moment)
	return moment.replace(fold=0) + (second - first) if first > second else moment


def _offsets(moment: datetime) -> list[timedelta]:
	"""The zone's offsets for the first and the second time that its clock shows this."""
	return [moment.replace(tzinfo=zone(), fold=fold).utcoffset() or timedelta() for fold in (0, 1)]


def is_twice(moment: datetime) -> bool:
	"""Whether the site's clock shows a naive time twice, an hour apart, as in autumn."""
	if not _is_turned(moment.date(), zone()):
		return False
	first, second = _offsets(moment)
	return first > second


@lru_cache(maxsize=4096)
def _is_turned(day: date, site_zone: ZoneInfo) -> bool:
	"""Whether the zone's clock is turned on a day."""
	if not EARLIEST.date() < day < LATEST.date():
		return False
	begin = datetime(day.year, day.month, day.day, tzinfo=site_zone)
	end = (begin.replace(tzinfo=None) + DAY_LONG).replace(tzinfo=site_zone, fold=1)
	return begin.utcoffset() != end.utcoffset()


def is_after(left: datetime, right: datetime) -> bool:
	"""Whether a naive time is later than another, by their `fold` in the hour that the clock shows twice."""
	if left.fold == right.fold or abs(left - right) > DAY_LONG:
		return left > right
	return _aware(left) > _aware(right)


def text(moment: datetime) -> str:
	"""A naive time as people read it. A second reading is written with its offset, so that `to_datetime` restores it."""
	return str(moment.replace(tzinfo=zone()) if moment.fold else moment)


def from_milliseconds(value: Any) -> datetime | None:
	"""A naive time in the site's zone from milliseconds since 1970, or None."""
	try:
		return datetime.fromtimestamp(value / 1000, UTC).astimezone(zone()).replace(tzinfo=None)
	except (ValueError, OverflowError, OSError, TypeError):
		return None


def to_milliseconds(moment: datetime) -> int:
	"""Whole milliseconds since 1970 of a naive time in the site's zone, rounded up."""
	return math.ceil(_aware(moment).timestamp() * 1000)


def dump(moment: datetime | str | None) -> str | None:
	"""ISO-8601 with Z and microseconds from a naive time in the site's zone; None if that is outside of the calendar."""
	if moment is None:
		return None
	moment = to_datetime(moment)
	return _written(moment, moment.fold, zone())


@lru_cache(maxsize=4096)  # the records of a batch have one time
def _written(moment: datetime, _fold: int, site_zone: ZoneInfo) -> str | None:
	"""`_fold` is part of the cache's key: two times that differ only in it are equal in Python."""
	try:
		moment = moment.replace(tzinfo=site_zone).astimezone(UTC)
	except (OverflowError, ValueError):
		return None
	return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_datetime(value: Any) -> datetime:
	"""A datetime in the site's zone, without zone, of a datetime, a date or a text. Raises ValueError or TypeError."""
	if isinstance(value, datetime):
		return value
	if isinstance(value, date):
		return datetime(value.year, value.month, value.day)
	try:
		moment = datetime.fromisoformat(value)
	except (TypeError, ValueError):
		return get_datetime(_dated(value))
	return moment.astimezone(zone()).replace(tzinfo=None) if moment.tzinfo else moment


def to_date(value: Any) -> date:
	"""A date of a datetime, a date or a text. Raises ValueError or TypeError."""
	if isinstance(value, date) and not isinstance(value, datetime):
		return value
	try:
		return date.fromisoformat(value)
	except (TypeError, ValueError):
		return getdate(_dated(value))


def _dated(value: Any) -> Any:
	"""A text that begins with a date, for Frappe to read. Raises ValueError for any other: Frappe would read a bare number as
	a time of today.
	"""
	if isinstance(value, datetime) or (isinstance(value, str) and DAY.match(value)):
		return value
	raise ValueError("no time")
