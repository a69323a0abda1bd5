"""What was done in a run so far, so that also a slow one does everything at least once."""

import threading
from collections import Counter
from collections.abc import Iterable


class Shares:
	"""`names` are what has to be done; `done` counts it. Threads share it."""

	def __init__(self, names: Iterable[str] = ()) -> None:
		self.names, self.lock = set(names), threading.Lock()
		self.done: Counter[str] = Counter()

	def did(self, name: str) -> None:
		"""Count that something was done."""
		with self.lock:
			self.done[name] += 1

	def due(self, names: Iterable[str]) -> list[str]:
		"""Those of the names that nobody has done yet."""
		with self.lock:
			return [name for name in names if not self.done[name]]

	def left(self) -> list[str]:
		"""What has to be done still."""
		return sorted(self.due(self.names))
