"""How long a pull takes when nothing has changed, beside the shortest request that Frappe has."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.figures import Figure, percentile, times
from benchmarks.http import GET, PING, POST, PULL, pull_body
from benchmarks.pull import at_end
from benchmarks.stage import Stage

PART = "latency"
SHARES = {"median": 0.5, "p99": 0.99}


def measure(stage: Stage) -> list[Figure]:
	"""Figures of a ping and an empty pull, in milliseconds."""
	wallet = stage.largest
	http, body = stage.http(wallet), pull_body(wallet, at_end(wallet))
	calls = {
		"ping": lambda: http.call(GET, PING),
		"empty pull": lambda: http.call(POST, PULL, body),
	}
	_block(calls, 4 * stage.workers)  # the worker of this connection meets each call before it counts
	blocks = [_block(calls, stage.sizes.requests) for _ in range(stage.sizes.rounds)]
	return [*_shown(blocks), *_ratios(blocks)]


def _block(calls: Mapping[str, Callable[[], object]], count: int) -> dict[str, list[float]]:
	"""{name: seconds of each request}, asked in turns."""
	taken: dict[str, list[float]] = {name: [] for name in calls}
	for _ in range(count):
		for name, call in calls.items():
			taken[name].append(_taken(call))
	return taken


def _taken(call: Callable[[], object]) -> float:
	start = time.perf_counter()
	call()
	return time.perf_counter() - start


def _middle(
	blocks: Sequence[Mapping[str, list[float]]], name: str, share: float
) -> tuple[float, tuple[float, float]]:
	"""Milliseconds: the median over the blocks of a percentile of each, and its spread."""
	values = [percentile(block[name], share) * 1000 for block in blocks]
	return statistics.median(values), (min(values), max(values))


def _shown(blocks: Sequence[Mapping[str, list[float]]]) -> Iterator[Figure]:
	for name in blocks[0]:
		for word, share in SHARES.items():
			value, spread = _middle(blocks, name, share)
			at = {"call": name, "share": word}
			yield Figure(PART, f"{name}, {word}", value, "ms", spread=spread, at=at)


def _ratios(blocks: Sequence[Mapping[str, list[float]]]) -> Iterator[Figure]:
	for word, share in SHARES.items():
		ratio = _middle(blocks, "empty pull", share)[0] / _middle(blocks, "ping", share)[0]
		goal = ("at most", 3) if word == "p99" else (None, None)
		yield times(PART, f"empty pull, {word}, times that of ping", ratio, *goal)
