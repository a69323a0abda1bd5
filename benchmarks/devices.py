"""Many devices at once: each pushes, pulls what is new, and begins again. Items that they get pushed in a second."""

import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.figures import Figure, compared
from benchmarks.http import POST, PULL, PUSH, checked, pull_body, push_body
from benchmarks.pull import at_end
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage
from benchmarks.support import Wallet

PART = "devices"


def measure(stage: Stage) -> list[Figure]:
	"""Figures of changes a second, by the number of devices at the same time."""
	sizes = stage.sizes
	devices = [_Device(stage, Wallet()) for _ in range(max(sizes.clients))]
	rates: dict[int, list[float]] = {count: [] for count in sizes.clients}
	for number in range(sizes.rounds + 1):
		for count in sizes.clients:
			rate = _rate(devices[:count], sizes)
			rates[count] += [rate] if number else []
	common = Wallet()
	shared = [_Device(stage, common) for _ in range(sizes.many)]
	together = [_rate(shared, sizes) for _ in range(sizes.rounds + 1)][1:]
	return [*_shown(rates, stage), _of_one_wallet(together, sizes.many), _gain(rates, sizes.many)]


class _Device:
	def __init__(self, stage: Stage, wallet: Wallet) -> None:
		self.wallet, self.http = wallet, stage.http(wallet)
		self.cursor = at_end(wallet)

	def work(self, until: float, count: int) -> int:
		"""Exchange until the time is over; the number of items that were accepted."""
		done = 0
		while time.perf_counter() < until:
			body = push_body(self.wallet, self.wallet.transactions(count))
			checked(self.http.call(POST, PUSH, body))
			answer = self.http.call(POST, PULL, pull_body(self.wallet, self.cursor))
			self.cursor = json.loads(answer)["message"]["next_cursor"]
			done += count
		return done


def _rate(devices: Sequence[_Device], sizes: Sizes) -> float:
	"""Accepted items a second, of devices that start together."""
	start = time.perf_counter()
	with ThreadPoolExecutor(len(devices)) as pool:
		until = start + sizes.seconds
		done = sum(pool.map(lambda device: device.work(until, sizes.exchange), devices))
	return done / (time.perf_counter() - start)


def _shown(rates: Mapping[int, list[float]], stage: Stage) -> Iterator[Figure]:
	for count, values in rates.items():
		yield Figure(
			PART,
			f"{count} at once, each in a wallet of its own, {stage.workers} workers",
			statistics.median(values),
			"items/s",
			at={"clients": count},
			spread=(min(values), max(values)),
		)


def _of_one_wallet(values: list[float], count: int) -> Figure:
	what, spread = f"{count} at once, all in one wallet", (min(values), max(values))
	return Figure(PART, what, statistics.median(values), "items/s", at={"shared": count}, spread=spread)


def _gain(rates: Mapping[int, list[float]], many: int) -> Figure:
	what = f"{many} at once, times what one gets through"
	return compared(PART, what, rates[many], rates[min(rates)], "at least", 1.7)
