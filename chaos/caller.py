"""Calls to the server: over a bad line, with patience, and with every call in the journal."""

import time
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

from chaos.journal import Call
from chaos.line import Answer, Line, Lost

if TYPE_CHECKING:
	from chaos.lab import Lab

WORST_PAUSE = 1.0


class Over(Exception):
	"""The server did not come back long after the end of the run; all that still wait give up."""


class Caller:
	"""`credential` are headers. `person` is the number of the one who calls, -1 for those of the Desk."""

	def __init__(self, lab: "Lab", name: str, person: int, credential: dict[str, str], rng: Random) -> None:
		self.lab, self.name, self.person, self.credential, self.rng = lab, name, person, credential, rng
		self.line = Line(lab.port, lab.site, rng, lab.weather)

	def call(
		self, path: str, body: object = None, space: str = "", verb: str = "POST", sure: bool = False
	) -> Answer:
		"""The Answer to one try, or Lost."""
		started = self.lab.journal.now()
		try:
			answer = self.line.send(verb, path, body, self.credential, sure)
		except Lost as lost:
			for answer in lost.answers:
				self._note(started, path, space, answer)
			if not lost.answers:
				self._note(started, path, space, None)
			raise
		for given in (answer, *answer.others):
			self._note(started, path, space, given)
		return answer

	def _note(self, started: float, path: str, space: str, answer: Answer | None) -> None:
		place = (started, self.lab.journal.now(), self.name, self.person, space, path)
		if answer is None:
			return self.lab.journal.called(Call(*place, 0))
		trace = "Traceback (most recent call last)" in answer.text
		text = answer.text[:600] if answer.status >= 500 or trace else ""
		self.lab.journal.called(
			Call(*place, answer.status, answer.code, trace, text, "Retry-After" in answer.headers)
		)

	def insist(  # type: ignore[return]  # pauses() end with Over only
		self, path: str, body: object = None, space: str = "", verb: str = "POST", sure: bool = False
	) -> Answer:
		"""The Answer after as many tries as it takes; one that asks for another try is none."""
		for pause in self.pauses():
			try:
				answer = self.call(path, body, space, verb, sure)
			except Lost:
				answer = None
			if answer is not None and not is_temporary(answer):
				return answer
			time.sleep(pause)

	def pauses(self) -> Iterator[float]:
		"""Random pauses that grow, until the run is over."""
		longest = 0.05
		while True:
			self.lab.check_time()
			yield longest * self.rng.random()
			longest = min(longest * 2, WORST_PAUSE)


def is_temporary(answer: Answer) -> bool:
	"""Whether the same request is to be sent again."""
	return answer.status >= 500 or answer.retryable
