"""Times on the wire."""

from zoneinfo import ZoneInfo

import frappe
import pytest

from hisabi_sync.engine.model import clock


@pytest.fixture
def summer_time():
	"""The site is where clocks are set back on 25 October 2026, at 3:00 to 2:00."""
	frappe.local.hisabi_sync_zone = ZoneInfo("Europe/Berlin")
	yield
	frappe.local.hisabi_sync_zone = None


def test_the_hour_that_a_clock_shows_twice_is_two_hours(summer_time):
	first, second = clock.parse("2026-10-25T00:30:00Z"), clock.parse("2026-10-25T01:30:00Z")
	assert (first == second, first.fold, second.fold) == (True, 0, 1)
	written = [clock.dump(moment) for moment in (first, second, first)]
	assert written == [
		"2026-10-25T00:30:00.000000Z",
		"2026-10-25T01:30:00.000000Z",
		"2026-10-25T00:30:00.000000Z",
	]


def test_a_time_is_written_for_the_zone_of_the_site_that_asks(summer_time):
	moment = clock.parse("2026-07-01T10:00:00Z")
	assert clock.dump(moment) == "2026-07-01T10:00:00.000000Z"
	frappe.local.hisabi_sync_zone = ZoneInfo("Asia/Riyadh")
	assert clock.dump(moment) == "2026-07-01T09:00:00.000000Z"
