"""The arithmetic of streaks: days in a row on which something was done. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Streak:
	"""`current` is the row that ends with `last`, 0 once a day was missed; `longest` is the longest row ever."""

	current: int = 0
	longest: int = 0
	last: date | None = None


def of_days(days: Iterable[date], today: date) -> Streak:
	"""The streak of a set of days, from scratch."""
	streak = Streak()
	for day in sorted(set(days)):
		current = streak.current + 1 if streak.last and day == streak.last + DAY else 1
		streak = Streak(current, max(streak.longest, current), day)
	return expired(streak, today)


def extended(streak: Streak, days: Iterable[date], today: date) -> Streak | None:
	"""The streak with more days; None where earlier days have to be looked at to know it."""
	for day in sorted(set(days)):
		if streak.last is None or day > streak.last + DAY:
			current = 1
		elif day == streak.last:
			continue
		elif day > streak.last and streak.current:
			current = streak.current + 1
		else:
			return None
		streak = Streak(current, max(streak.longest, current), day)
	return expired(streak, today)


def expired(streak: Streak, today: date) -> Streak:
	"""The same, with a current streak of 0 when yesterday was missed."""
	missed = streak.last is None or streak.last < today - DAY
	return Streak(0 if missed else streak.current, streak.longest, streak.last)
