"""Whoever calls the server: over a bad line, with patience, and with every call in the journal."""

import time

from chaos.journal import Call
from chaos.line import Line, Lost

WORST_PAUSE = 1.0


class Over(Exception):
	"""The server did not come back long after the end of the run; whoever still waits gives up."""


class Caller:
	"""`credential` are headers. `person` is the number of the one who calls, -1 for those of the Desk."""

	def __init__(self, lab, name, person, credential, rng):
		self.lab, self.name, self.person, self.credential, self.rng = lab, name, person, credential, rng
		self.line = Line(lab.port, lab.site, rng, lab.weather)

	def call(self, path, body=None, space="", verb="POST", sure=False):
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

	def _note(self, started, path, space, answer):
		place = (started, self.lab.journal.now(), self.name, self.person, space, path)
		if answer is None:
			return self.lab.journal.called(Call(*place, 0))
		trace = "Traceback (most recent call last)" in answer.text
		text = answer.text[:600] if answer.status >= 500 or trace else ""
		self.lab.journal.called(Call(*place, answer.status, answer.code, trace, text))

	def insist(self, path, body=None, space="", verb="POST", sure=False):
		"""The Answer after as many tries as it takes; one that asks for another try is none."""
		for pause in self.pauses():
			try:
				answer = self.call(path, body, space, verb, sure)
			except Lost:
				answer = None
			if answer is not None and not is_temporary(answer):
				return answer
			time.sleep(pause)

	def pauses(self):
		"""Random pauses that grow, until the run is over."""
		longest = 0.05
		while True:
			self.lab.check_time()
			yield longest * self.rng.random()
			longest = min(longest * 2, WORST_PAUSE)


def is_temporary(answer):
	"""Whether the same request is to be sent again."""
	return answer.status >= 500 or answer.retryable
