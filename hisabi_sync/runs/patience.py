"""How long to wait after a failure, and when to stop asking: backoff and circuit breaker. Pure."""

from dataclasses import dataclass

FIRST, LONGEST = 2.0, 300.0  # seconds between attempts of a record
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0  # seconds that a connection is paused
MAX_SHIFT = 30


def delay(attempts: int, chance: float, first: float = FIRST, longest: float = LONGEST) -> float:
	"""Seconds before the next attempt: doubles each time, and `chance` (0 to 1) spreads it over its upper half."""
	whole = min(longest, first * 2 ** min(max(attempts - 1, 0), MAX_SHIFT))
	return whole * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Breaker:
	"""What a connection's failures in a row lead to. `pause` is in seconds, 0 when the connection stays open."""

	failures: int
	pause: float


def failed(failures: int, limit: int) -> Breaker:
	"""One more failure. From `limit` on every further one pauses for twice as long; a limit of 0 never pauses."""
	count = failures + 1
	if not limit or count < limit:
		return Breaker(count, 0)
	return Breaker(count, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(count - limit, MAX_SHIFT)))
