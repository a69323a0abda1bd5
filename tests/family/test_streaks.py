"""The arithmetic of streaks, against a plain statement of what a streak is."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.hisabi_family.streaks import Streak, expired, extended, of_days

START = date(2026, 1, 1)
days = st.sets(st.integers(0, 25), max_size=20)


def plain(numbers, today):
	"""(current, longest) by counting back from each day."""

	def row(end):
		return 0 if end not in numbers else 1 + row(end - 1)

	longest = max((row(n) for n in numbers), default=0)
	last = max(numbers, default=None)
	return (row(last) if last is not None and last >= today - 1 else 0), longest


def dates(numbers):
	return {START + timedelta(days=n) for n in numbers}


@given(days, st.integers(0, 30))
def test_from_scratch(numbers, today):
	found = of_days(dates(numbers), START + timedelta(days=today))
	known = {n for n in numbers}
	assert (found.current, found.longest) == plain(known, today)
	assert found.last == (max(dates(numbers)) if numbers else None)


@given(st.lists(st.tuples(days, st.integers(0, 5)), max_size=6))
def test_step_by_step_is_the_same_as_from_scratch(steps):
	"""Days that come in any order, while days pass: what is extended never differs from what is counted anew."""
	streak, known, today = Streak(), set(), 0
	for numbers, passed in steps:
		today += passed
		now = START + timedelta(days=today)
		streak = expired(streak, now)
		known |= numbers
		longer = extended(streak, dates(numbers), now)
		streak = of_days(dates(known), now) if longer is None else longer
		assert (streak.current, streak.longest) == plain(known, today)


def test_a_late_day_that_closes_a_gap_is_looked_up():
	monday = date(2026, 3, 2)
	streak = of_days({monday, monday + timedelta(days=2)}, monday + timedelta(days=2))
	assert (streak.current, extended(streak, {monday + timedelta(days=1)}, monday)) == (1, None)
