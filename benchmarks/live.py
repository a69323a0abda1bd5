"""What thousands of streams of live events cost, and how long an event takes from the commit to the device.

The streams are idle ones of many devices; one more device listens to the space in which a record is saved again and again.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import frappe
import requests

from benchmarks.figures import Figure, Goal, percentile
from benchmarks.stage import Stage
from benchmarks.support import USER, Wallet
from chaos.server import free_port
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.hisabi_wallet import wallets
from hisabi_sync.live.app import raise_limit

PART = "live"
IDLE = "bench-live@example.com"
DEVICES = 250  # of the idle user, of which each has as many streams as it takes
AT_ONCE = 16  # streams that are being opened
PATH = "/api/offline/v1/events"
LONGEST_LINE = 65536  # bytes; a position of many spaces is a few thousand
SETTLED = 2.0  # seconds in which nothing is opened any more
PAUSE = 0.05  # seconds between an event and the next commit


class Streams:
	"""Open streams of devices at a port."""

	def __init__(self, port: int) -> None:
		self.port = port
		self.writers: list[asyncio.StreamWriter] = []
		self.room = asyncio.Semaphore(AT_ONCE)

	async def open(self, token: str) -> asyncio.StreamReader:
		"""Open one, up to its first line."""
		async with self.room:
			reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=LONGEST_LINE)
			head = (
				f"GET {PATH} HTTP/1.1\r\nHost: {frappe.local.site}\r\nAuthorization: Bearer {token}\r\n\r\n"
			)
			writer.write(head.encode())
			status = await reader.readline()
			if b" 200 " not in status:
				raise RuntimeError((await reader.read(2000)).decode(errors="replace") or status)
			await reader.readuntil(b"retry: ")
		self.writers.append(writer)
		return reader

	def close(self) -> None:
		"""Close all."""
		for writer in self.writers:
			writer.close()


def measure(stage: Stage) -> list[Figure]:
	"""Figures of `sizes.streams` streams."""
	raise_limit()
	wallet = stage.wallet()
	idle = [_token(_idle_user(), f"bench-live-{number}") for number in range(DEVICES)]
	with _process(stage) as (process, port):
		measured = _measured(stage, wallet, idle, process.pid, port)
		return asyncio.run(measured)


def _idle_user() -> str:
	"""Somebody with a wallet of their own, in which nothing happens."""
	if not frappe.db.exists("User", IDLE):
		frappe.get_doc(
			{"doctype": "User", "email": IDLE, "first_name": "Benchmark", "send_welcome_email": 0}
		).insert()
		wallets.create(IDLE, "bench-live", "Benchmark")
		frappe.db.commit()
	return IDLE


def _token(user: str, device_id: str) -> str:
	_, token = device_tokens.register(user, device_id, "android", "Phone", ["site"])
	frappe.db.commit()
	return token


@contextmanager
def _process(stage: Stage) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
	"""The process of live events before the benchmarks' web server."""
	port = free_port()
	options = (
		f"--port={port}",
		f"--web={stage.server.url}",
		f"--events={frappe.conf.redis_queue}",
		f"--cache={frappe.conf.redis_cache}",
	)
	with (Path(stage.folder.name) / "live.log").open("ab") as log:
		process = subprocess.Popen(
			[sys.executable, "-m", "hisabi_sync.live", *options], stdout=log, stderr=log
		)
	try:
		_wait(port)
		yield process, port
	finally:
		process.terminate()
		process.wait(20)


def _wait(port: int) -> None:
	for _ in range(200):
		with suppress(requests.ConnectionError):
			requests.get(f"http://127.0.0.1:{port}/live/health", timeout=5)
			return
		time.sleep(0.1)
	raise RuntimeError("the process of live events does not answer")


def _resident(pid: int) -> float:
	"""Megabytes that a process holds now."""
	lines = Path(f"/proc/{pid}/status").read_text().splitlines()
	return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _ticks(pid: int) -> float:
	"""Seconds of CPU that a process has used."""
	used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
	return (int(used[11]) + int(used[12])) / 100


async def _measured(stage: Stage, wallet: Wallet, tokens: list[str], pid: int, port: int) -> list[Figure]:
	streams, count, before = Streams(port), stage.sizes.streams, _resident(pid)
	at = {"streams": count}
	try:
		began = time.perf_counter()
		await asyncio.gather(*(streams.open(tokens[n % DEVICES]) for n in range(count)))
		opened = count / (time.perf_counter() - began)
		await asyncio.sleep(SETTLED)
		held, share = _resident(pid), await _idle_share(stage, pid)
		told = await _delays(streams, wallet, stage.sizes.events)
	finally:
		streams.close()
	goal = Goal("at most", 500)
	return [
		Figure(PART, "the process without streams", before, "MB"),
		Figure(PART, f"the process with {count:,} idle streams", held, "MB", goal=goal, at=at),
		Figure(PART, "share of a processor that idle streams take", share, "%", at=at),
		Figure(PART, "streams opened in a second", opened, "", at=at),
		*_shown(told),
	]


async def _idle_share(stage: Stage, pid: int) -> float:
	"""Percent of one processor that the process takes while nothing happens."""
	used = _ticks(pid)
	await asyncio.sleep(stage.sizes.idle)
	return 100 * (_ticks(pid) - used) / stage.sizes.idle


async def _delays(streams: Streams, wallet: Wallet, count: int) -> list[float]:
	"""Milliseconds from the end of a commit until a listening device has the event, one after the other."""
	reader = await streams.open(_token(USER, "bench-live-listener"))
	found = []
	for _ in range(count):
		wallet.push(wallet.transactions(1))
		committed = time.perf_counter()
		await reader.readuntil(b"data: ")
		found.append((time.perf_counter() - committed) * 1000)
		await asyncio.sleep(PAUSE)
	return found


def _shown(told: list[float]) -> list[Figure]:
	spread, goal = (min(told), max(told)), Goal("at most", 1000)
	return [
		Figure(PART, "from a commit to its event, median", statistics.median(told), "ms", spread=spread),
		Figure(
			PART, "from a commit to its event, p99", percentile(told, 0.99), "ms", spread=spread, goal=goal
		),
	]
