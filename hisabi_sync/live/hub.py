"""Who waits for what: streams by the spaces, the user and the device that concern them."""

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from sys import intern

Topic = str  # site, SPACE, USER or DEVICE, and its name; thousands of streams share one text
SPACE, USER, DEVICE = "space", "user", "device"
REMEMBERED = 30  # seconds for which an event is kept for streams that are just being opened
BEATS = 20  # seconds in which every stream is woken once, so that it can say that it lives
OF_A_DEVICE = 50  # streams: RxDB has one for each collection
A_FEW = 100  # so many streams at once ask the web server at the same moment; more are spread
SPREAD = 0.005  # seconds for each of them


def topic(site: str, kind: str, name: str) -> Topic:
	"""What streams can wait for."""
	return intern(f"{site}\n{kind}\n{name}")


def topics(site: str, spaces: Iterable[str], user: str, device: str) -> frozenset[Topic]:
	"""What concerns a device."""
	own = [(USER, user), (DEVICE, device), *((SPACE, name) for name in spaces)]
	return frozenset(topic(site, kind, name) for kind, name in own)


@dataclass(eq=False, slots=True)
class Stream:
	"""One open connection. `position` is what the web server said last; `changed` says that it is to be asked again."""

	site: str
	topics: frozenset[Topic]
	position: str
	woken: asyncio.Event = field(default_factory=asyncio.Event)
	changed: bool = False

	def wake(self, changed: bool) -> None:
		"""End its wait."""
		self.changed = self.changed or changed
		self.woken.set()

	async def wait(self) -> bool:
		"""Wait until it is woken; whether something changed."""
		await self.woken.wait()
		self.woken.clear()
		changed, self.changed = self.changed, False
		return changed


class Hub:
	"""All open streams of the process."""

	def __init__(self) -> None:
		self.by_topic: dict[Topic, set[Stream]] = {}
		self.streams: set[Stream] = set()
		self.recent: dict[Topic, float] = {}
		self.all_since = 0.0

	def is_full_for(self, site: str, device: str) -> bool:
		"""Whether a device has as many streams as it may."""
		return len(self.by_topic.get(topic(site, DEVICE, device), ())) >= OF_A_DEVICE

	def add(self, stream: Stream, asked_at: float) -> None:
		"""Keep a stream. What happened after `asked_at`, when the web server was asked, wakes it at once."""
		self.streams.add(stream)
		self._join(stream, stream.topics)
		self._wake_if_missed(stream, asked_at)

	def move(self, stream: Stream, topics: frozenset[Topic], asked_at: float) -> None:
		"""The same for a stream whose device is in other spaces now."""
		if topics != stream.topics:
			self._leave(stream, stream.topics - topics)
			self._join(stream, topics - stream.topics)
			stream.topics = topics
			self._wake_if_missed(stream, asked_at)

	def _wake_if_missed(self, stream: Stream, asked_at: float) -> None:
		missed = any(self.recent.get(topic, 0.0) >= asked_at for topic in stream.topics)
		if missed or self.all_since >= asked_at:
			stream.wake(True)

	def remove(self, stream: Stream) -> None:
		"""Forget a stream."""
		self.streams.discard(stream)
		self._leave(stream, stream.topics)

	def _join(self, stream: Stream, topics: Iterable[Topic]) -> None:
		for topic in topics:
			self.by_topic.setdefault(topic, set()).add(stream)

	def _leave(self, stream: Stream, topics: Iterable[Topic]) -> None:
		for topic in topics:
			waiting = self.by_topic.get(topic, set())
			waiting.discard(stream)
			if not waiting:
				self.by_topic.pop(topic, None)

	def tell(self, topics: Iterable[Topic]) -> None:
		"""Wake the streams that one of these topics concerns."""
		now = time.monotonic()
		for topic in topics:
			self.recent[topic] = now
			_wake(self.by_topic.get(topic, ()))

	def tell_all(self, site: str | None = None) -> None:
		"""Wake all streams of a site, or of every site."""
		self.all_since = time.monotonic()
		_wake([stream for stream in self.streams if site in (None, stream.site)])

	def beat(self, number: int) -> None:
		"""Wake one part of the streams, so that within BEATS numbers each is woken once; forget old events."""
		for stream in [stream for stream in self.streams if id(stream) // 64 % BEATS == number % BEATS]:
			stream.wake(False)
		oldest = time.monotonic() - REMEMBERED
		self.recent = {topic: at for topic, at in self.recent.items() if at > oldest}


def _wake(streams: Iterable[Stream]) -> None:
	"""A few at once; where there are many, at moments that are spread, for each of them asks the web server."""
	every = list(streams)
	later = asyncio.get_running_loop().call_later
	for stream in every:
		if len(every) <= A_FEW:
			stream.wake(True)
		else:
			later(random.random() * len(every) * SPREAD, stream.wake, True)
