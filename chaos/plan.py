"""From a seed to everything that is going to happen. Pure; only the timing of a run is not in it."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

PEOPLE = 8
BLOCK = 3  # spaces that are busy at the same time
LIVES = 24  # devices of a space over its time
ROLES = ("admin", "member", "member", "member", "viewer")
ENDINGS = {"retires": 60, "vanishes": 30, "stays": 10}
HOUR = 3_600_000
SKEWS = (0, 0, 700, -90_000, 5 * HOUR, -26 * HOUR, 400 * 24 * HOUR)  # client's clock minus the server's, ms


@dataclass(frozen=True)
class Space:
	"""A wallet. `members` maps people to roles; the others are strangers to it."""

	number: int
	key: str
	owner: int
	members: tuple[tuple[int, str], ...]

	@property
	def people(self) -> tuple[int, ...]:
		"""Numbers of the owner and of all members."""
		return (self.owner, *(person for person, _ in self.members))


@dataclass(frozen=True)
class Life:
	"""One device: its user and space, the error of its clock, how often it syncs, and how it ends."""

	number: int
	space: Space
	person: int
	skew_ms: int
	exchanges: int
	ending: str
	seed: int


@dataclass(frozen=True)
class Event:
	"""Something that happens `at` seconds after the start."""

	at: float
	name: str
	seed: int


@dataclass(frozen=True)
class Plan:
	"""All that a seed decides: who exists, when devices live, and what happens when."""

	seed: int
	spaces: tuple[Space, ...]
	lives: tuple[Life, ...]
	faults: tuple[Event, ...]
	chores: tuple[Event, ...]


def make(
	seed: int,
	seconds: float,
	devices: int,
	faults: Collection[str],
	chores: Collection[str],
	pace: Mapping[str, float],
) -> Plan:
	"""A Plan with about this number of devices.

	`faults` and `chores` are names of what may happen; `pace` maps "faults" and "chores" to the mean seconds between two.
	"""
	rng = Random(seed)
	spaces = tuple(_space(rng, seed, n) for n in range(max(BLOCK, round(devices / LIVES))))
	lives = tuple(_lives(rng, spaces, devices))
	return Plan(
		seed,
		spaces,
		lives,
		tuple(_events(rng, seconds, faults, pace["faults"])),
		tuple(_events(rng, seconds, chores, pace["chores"])),
	)


def _space(rng: Random, seed: int, number: int) -> Space:
	owner, *others = rng.sample(range(PEOPLE), len(ROLES) + 1)
	return Space(number, f"w{seed}-{number}", owner, tuple(zip(others, ROLES, strict=True)))


def _lives(rng: Random, spaces: Sequence[Space], devices: int) -> Iterator[Life]:
	"""Devices block by block: the spaces of a block are busy at the same time."""
	numbers = itertools.count()
	for start in range(0, len(spaces), BLOCK):
		block = spaces[start : start + BLOCK]
		places = [space for space in block for _ in range(LIVES)]
		rng.shuffle(places)
		for space in places:
			if (number := next(numbers)) < devices:
				yield _life(rng, number, space)


def _life(rng: Random, number: int, space: Space) -> Life:
	(ending,) = rng.choices(list(ENDINGS), list(ENDINGS.values()))
	exchanges = rng.randint(1, 4)
	return Life(
		number, space, rng.choice(space.people), rng.choice(SKEWS), exchanges, ending, rng.getrandbits(32)
	)


def _events(rng: Random, seconds: float, names: Collection[str], mean: float) -> Iterator[Event]:
	"""Every name comes up as often as any other; the order and the gaps are the seed's."""
	at = 0.0
	order: list[str] = []
	while names:
		at += rng.uniform(0.5, 1.5) * mean
		if at >= seconds:
			return
		order = order or rng.sample(sorted(names), len(names))
		yield Event(round(at, 2), order.pop(), rng.getrandbits(32))
