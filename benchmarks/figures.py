"""What a benchmark tells: figures, each beside its limit and its goal, as a table and as JSON."""

import json
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HEADS = ("what", "value", "spread", "limit", "times", "statements", "bytes/item", "goal")


@dataclass(frozen=True)
class Goal:
	"""What a figure's value should be: `at most` or `at least` a number."""

	word: str
	number: float

	def met_by(self, value: float) -> bool:
		"""Whether a value reaches the goal."""
		return value <= self.number if self.word == "at most" else value >= self.number


@dataclass(frozen=True)
class Figure:
	"""One measured value in its unit; `limit` is in the same unit and was measured in the same run.

	`at` says where on an axis the value belongs, such as {"items": 200, "stored": 10_000}.
	"""

	part: str
	what: str
	value: float
	unit: str
	at: dict = field(default_factory=dict)
	spread: tuple = ()
	limit: float | None = None
	limit_is: str = ""
	statements: int | None = None
	bytes_per_item: float | None = None
	goal: Goal | None = None

	def as_dict(self) -> dict[str, Any]:
		"""All of it for JSON, with its ratio to the limit and whether the goal is reached."""
		ratio = self.value / self.limit if self.limit else None
		met = self.goal.met_by(self.value) if self.goal else None
		return {**asdict(self), "spread": list(self.spread), "ratio": ratio, "met": met}


def milliseconds(part: str, what: str, times: Sequence[float], **more: Any) -> Figure:
	"""The Figure of a list of seconds: their median, with the smallest and the largest."""
	spread = (min(times) * 1000, max(times) * 1000)
	return Figure(part, what, statistics.median(times) * 1000, "ms", spread=spread, **more)


def times(
	part: str, what: str, value: float, word: str | None = None, number: float | None = None, **more: Any
) -> Figure:
	"""The Figure of a ratio, with a goal where there is one."""
	return Figure(
		part, what, value, "times", goal=Goal(word, number) if word and number is not None else None, **more
	)


def compared(
	part: str,
	what: str,
	above: Sequence[float],
	below: Sequence[float],
	word: str | None = None,
	number: float | None = None,
) -> Figure:
	"""The Figure of how many times `below` is in `above`, round by round, so that a machine may change its pace between."""
	found = [one / other for one, other in zip(above, below, strict=True)]
	value, spread = statistics.median(found), (min(found), max(found))
	return times(part, what, value, word, number, spread=spread)


def in_turns(rounds: int, works: Mapping[Any, Any]) -> dict[Any, list[float]]:
	"""{name: [seconds]} of works measured in turns, so that all meet the same moments of a noisy machine.

	A work is a function, or (prepare, function of what that returns); the first round does not count.
	"""
	measured: dict[Any, list[float]] = {name: [] for name in works}
	for _ in range(rounds + 1):
		for name, work in works.items():
			prepare, function = work if isinstance(work, tuple) else (tuple, lambda _, work=work: work())
			given = prepare()
			start = time.perf_counter()
			function(given)
			measured[name].append(time.perf_counter() - start)
	return {name: taken[1:] for name, taken in measured.items()}


def percentile(values: Iterable[float], share: float) -> float:
	"""The value below which a share (0 to 1) of the values lies."""
	ordered = sorted(values)
	return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show(figures: Sequence[Mapping[str, Any]]) -> None:
	"""One table for each part."""
	console = Console(width=None if Console().is_terminal else 160)
	for part in dict.fromkeys(figure["part"] for figure in figures):
		table = Table(*HEADS, title=part)
		for figure in figures:
			if figure["part"] == part:
				table.add_row(*cells(figure))
		console.print(table)


def cells(figure: Mapping[str, Any]) -> tuple[str, ...]:
	"""The texts of a row, in the order of HEADS."""
	return (
		figure["what"],
		f"{number(figure['value'])} {figure['unit']}".strip(),
		" to ".join(map(number, figure["spread"])),
		number(figure["limit"]),
		number(figure["ratio"]),
		number(figure["statements"]),
		number(figure["bytes_per_item"]),
		goal(figure),
	)


def number(value: float | None) -> str:
	"""A number as people read it: three digits that count."""
	if value is None:
		return ""
	digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
	return f"{value:,.{digits}f}"


def goal(figure: Mapping[str, Any]) -> str:
	"""The goal of a figure in words, an empty text without one."""
	if not figure["goal"]:
		return ""
	word = "reached" if figure["met"] else "MISSED"
	return f"{figure['goal']['word']} {number(figure['goal']['number'])}: {word}"


def write_json(path: Path, results: Mapping[str, Any]) -> None:
	"""Write results to a file, in an order that does not change."""
	path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
