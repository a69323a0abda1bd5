"""What a push may leave behind of refused items, and what it has left behind."""

import json
from collections import Counter
from dataclasses import dataclass, field

SHORT = 200  # characters that are kept of what is too large to be kept
NOT_KEPT = '{"not_kept": '


@dataclass(slots=True)
class Allowance:
	"""Bytes that may be kept, and counts by the name of a budget: of this transaction, and of what is committed."""

	bytes_left: float = float("inf")
	made: Counter[str] = field(default_factory=Counter)
	kept: Counter[str] = field(default_factory=Counter)

	def begin(self) -> None:
		"""A transaction begins, perhaps once more."""
		self.made = Counter()

	def commit(self) -> None:
		self.kept.update(self.made)
		self.made = Counter()

	def failed(self, text: str, held: int | None) -> str:
		"""What is kept of a refused item's text; `held` is what a repeat of it holds already, in bytes, or None."""
		self.made["failed_items"] += held is None
		size = len(text.encode("utf-8", "replace"))
		grown = max(size - (held or 0), 0)
		if grown > SHORT and grown > self.bytes_left - self.kept["failed_bytes"] - self.made["failed_bytes"]:
			return shortened(text, size)
		self.made["failed_bytes"] += grown
		return text


def shortened(text: str, size: int) -> str:
	"""JSON that tells what is missing."""
	said = json.dumps({"bytes": size, "begins": text[:SHORT]}, ensure_ascii=False)
	return f"{NOT_KEPT}{said}}}"
