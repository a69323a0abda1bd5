"""Times from outside never break arithmetic, and never cost a neighbour."""

from datetime import datetime, timedelta, timezone

import pytest

from hisabi_sync.engine.model import clock
from tests.batch.app import observation
from tests.family.app import task
from tests.support.phone import account

UNSET = "0001-01-01T00:00:00Z"  # what .NET and Go write for "never"


def tomorrow():
	return (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()


@pytest.mark.parametrize("moment", [-62135596800000, 253402300799999, 0, -1, 2**60, -(2**60)])
@pytest.mark.parametrize("ahead", [1, -1])
def test_an_unset_time_beside_a_clock_that_is_wrong(wallet, moment, ahead):
	client_time = (datetime.now(timezone.utc) + timedelta(days=ahead)).isoformat()
	item, odd = account(), account(client_modified_ms=moment)
	answers = wallet.app.push(item, odd, client_time=client_time)
	assert [answer["status"] for answer in answers] == ["accepted", "accepted"]


@pytest.mark.parametrize("moment", [UNSET, "9999-12-31T23:59:59Z", "0001-01-02T00:00:00+14:00"])
def test_an_unset_time_in_a_batch_call(batch, moment):
	given = [observation(updatedAt=moment), observation(notes="fine")]
	answer = batch.app.sync(given, requestedAt=tomorrow())
	assert given[1]["observationId"] in {entry["id"] for entry in answer["accepted"]}


@pytest.mark.parametrize("moment", [UNSET, "9999-12-31T23:59:59Z"])
def test_an_unset_time_in_a_delta(family, moment):
	odd, good = task(timestamp=moment), task(timestamp=tomorrow())
	answer = family.app.sync(odd, good)
	assert ("task", good["entity_id"]) in family.app.held
	assert {error["code"] for error in answer["errors"]} <= {"field_invalid"}


def test_a_delta_since_the_end_of_time(family):
	family.app.sync()
	family.app.last_sync_at = "9999-12-31T00:00:00.999Z"
	assert family.app.send().status_code == 200


@pytest.mark.parametrize("edge", [datetime.min, datetime.max, clock.EARLIEST, clock.LATEST])
@pytest.mark.parametrize("by", [timedelta.max, timedelta.min, timedelta(days=1), timedelta(-1), timedelta()])
def test_arithmetic_on_times_stays_in_the_calendar(edge, by):
	moved = clock.shifted(edge, by)
	assert clock.EARLIEST <= moved <= clock.LATEST
	assert clock.parse(clock.dump(moved)) == moved
