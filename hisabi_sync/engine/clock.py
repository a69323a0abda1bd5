"""Times: ISO-8601 with Z on the wire, naive in the site's time zone in the database, as Frappe keeps them."""

from datetime import date, datetime, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

import frappe
from dateutil import parser as date_parser
from frappe.utils import get_datetime, getdate, now_datetime
from frappe.utils.data import get_system_timezone

UTC = timezone.utc


def now():
	"""The site's present time, naive, with microseconds."""
	return now_datetime()


def zone():
	"""The site's time zone, looked up once a request."""
	held = getattr(frappe.local, "hisabi_sync_zone", None)
	if held is None:
		held = frappe.local.hisabi_sync_zone = ZoneInfo(get_system_timezone())
	return held


def parse(text):
	"""A naive time in the site's zone from ISO-8601 text (no offset means UTC), or None."""
	try:
		moment = date_parser.isoparse(text)
		moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
		return moment.astimezone(zone()).replace(tzinfo=None)
	except (ValueError, OverflowError):
		return None


def from_milliseconds(value):
	"""A naive time in the site's zone from milliseconds since 1970, or None."""
	try:
		return datetime.fromtimestamp(value / 1000, UTC).astimezone(zone()).replace(tzinfo=None)
	except (ValueError, OverflowError, OSError, TypeError):
		return None


def dump(moment):
	"""ISO-8601 with Z and microseconds from a naive time in the site's zone."""
	if moment is None:
		return None
	moment = to_datetime(moment)
	return _written(moment, moment.fold, zone())


@lru_cache(maxsize=4096)  # the records of a batch have one time
def _written(moment, _fold, site_zone):
	"""`_fold` tells apart the two times of an hour that a clock shows twice; for Python they are equal."""
	moment = moment.replace(tzinfo=site_zone).astimezone(UTC)
	return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_datetime(value):
	if isinstance(value, datetime):
		return value
	try:
		return datetime.fromisoformat(value)
	except (TypeError, ValueError):
		return get_datetime(value)


def to_date(value):
	return value if isinstance(value, date) and not isinstance(value, datetime) else getdate(value)
