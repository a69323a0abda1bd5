"""The hour that the site's clock shows twice, in Europe/Berlin: nothing that is committed in it is skipped."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import frappe
import pytest

from hisabi_sync.engine import positions, pull
from hisabi_sync.engine.model import clock
from hisabi_sync.runs import watermark
from tests.engine.inside import Device, make_user, make_wallet
from tests.support.phone import account

BERLIN = ZoneInfo("Europe/Berlin")
# On 25 October 2026 the clock goes from 3:00 back to 2:00 at 01:00Z.
CHANGE = datetime(2026, 10, 25, 1, tzinfo=timezone.utc)


@pytest.fixture
def autumn(monkeypatch):
	"""A function that sets the site's clock to so many minutes after the change."""
	frappe.local.hisabi_sync_zone = BERLIN
	held = {"at": CHANGE}

	def now():
		held["at"] += timedelta(milliseconds=1)
		return held["at"].astimezone(BERLIN).replace(tzinfo=None, fold=0)

	monkeypatch.setattr(clock, "now", now)
	yield lambda minutes: held.update(at=CHANGE + timedelta(minutes=minutes))
	frappe.local.hisabi_sync_zone = None


@pytest.fixture
def device(site):
	user = make_user(7)
	return Device(user, make_wallet(user))


def instant(minutes):
	return clock.parse((CHANGE + timedelta(minutes=minutes)).isoformat())


@pytest.mark.parametrize("since", range(-90, 150, 10))
def test_a_pull_since_a_time_has_all_that_was_committed_after_it(autumn, device, since):
	made = {}
	for minutes in range(-120, 180, 20):
		autumn(minutes)
		item = account()
		device.push(item)
		made[item["entity_id"]] = minutes
	start = positions.before(_authorised(device), instant(since))
	items = pull.pull(device.caller(), start=start).items
	found = {item.client_id for item in items}
	assert {key for key, minutes in made.items() if minutes >= since} <= found


def _authorised(device):
	frappe.db.rollback()
	return device.caller()


@pytest.mark.parametrize("seen", range(-90, 150, 10))
@pytest.mark.parametrize("later", [5, 30, 59, 61, 90])
def test_an_incremental_run_looks_at_what_changed_after_its_watermark(autumn, seen, later):
	stamp = (CHANGE + timedelta(minutes=seen)).astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S.%f")
	changed = (CHANGE + timedelta(minutes=seen + later)).astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S.%f")
	assert watermark.earlier(stamp, 0) <= changed


def test_other_times_are_left_alone(autumn):
	for text in ("2026-10-25 01:59:59.000000", "2026-10-25 03:00:00.000000", "2026-03-29 02:30:00.000000"):
		assert watermark.earlier(text, 0) == text
	assert watermark.earlier("2026-10-25T02:30:00.000000Z", 0) == "2026-10-25T02:30:00.000000Z"
