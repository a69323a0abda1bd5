"""What the app adds to saves of documents that are not synced: whole requests, with and without its hooks."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence

from benchmarks.figures import Figure, Goal
from benchmarks.stage import Stage

PART = "desk"


def measure(stage: Stage) -> list[Figure]:
	"""Figures of saves, each beside the same save without the app's hooks."""
	stage.key  # noqa: B018 - the program below signs in with it
	found: list[Figure] = []
	for doctype, words, goal in (
		("ToDo", "a save of a ToDo", Goal("at most", 3)),
		("Hisabi Account", "a save of an account, which the app numbers for devices", None),
	):
		name = "" if goal else stage.wallet().account_name
		given = _run(stage.key, doctype, name, stage.sizes.pairs)
		found += _shown(words, given, goal)
	return found


def _run(*arguments: object) -> list[list[float]]:
	command = [sys.executable, "-m", "benchmarks.tax", *map(str, arguments)]
	done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
	if done.returncode:
		raise RuntimeError(done.stderr)
	return json.loads(done.stdout.splitlines()[-1])


def _shown(words: str, pairs: Sequence[Sequence[float]], goal: Goal | None) -> Iterator[Figure]:
	"""`pairs`: [milliseconds with the app's hooks, and without] of saves that followed each other."""
	bare = statistics.median(without for _, without in pairs)
	tax = statistics.median(with_app - without for with_app, without in pairs)
	low, high = _likely([with_app - without for with_app, without in pairs])
	spread = (low / bare * 100, high / bare * 100)
	yield Figure(PART, f"{words}, without the app's hooks", bare, "ms")
	yield Figure(PART, f"{words}, with them", bare + tax, "ms", limit=bare, limit_is="the same without them")
	yield Figure(PART, f"{words}: the app's share", tax / bare * 100, "%", spread=spread, goal=goal)


def _likely(values: Sequence[float]) -> tuple[float, float]:
	"""Between what the true median lies with 95 % certainty, by the ranks of the values."""
	ordered, count = sorted(values), len(values)
	away = 0.98 * count**0.5
	return ordered[max(0, int(count / 2 - away))], ordered[min(count - 1, int(count / 2 + away))]
