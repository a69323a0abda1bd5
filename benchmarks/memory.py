"""The most memory that processes held during the run."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Goal
from benchmarks.http import GET, PING, POST, PULL, PUSH, checked, pull_body, push_body
from benchmarks.stage import Stage
from benchmarks.support import peak_memory
from chaos.server import Server

PART = "memory"


def measure(stage: Stage) -> list[Figure]:
	"""Figures of the most memory that a web worker and this process held."""
	return [*_of_worker(stage), _of_engine()]


def _of_engine() -> Figure:
	return Figure(
		PART, "this process, which called the engine", peak_memory(), "MB", goal=Goal("at most", 250)
	)


def _of_worker(stage: Stage) -> Iterator[Figure]:
	"""A web worker of its own: after its first request, and after the largest push and page."""
	log = Path(stage.folder.name) / "one.log"
	server = Server(stage.server.site, log, 1, "hisabi_sync.wsgi:application").start()
	try:
		wallet = stage.largest
		phone = stage.http(wallet, server)
		phone.call(GET, PING)
		yield Figure(PART, "a web worker after a ping", peak_memory(*server.worker_pids()), "MB")
		items = wallet.transactions(max(stage.sizes.pushed))
		checked(phone.call(POST, PUSH, push_body(wallet, items)))
		phone.call(POST, PULL, pull_body(wallet, None, max(stage.sizes.pages)))
		most = f"after a push of {len(items)} and a page of {max(stage.sizes.pages)}"
		yield Figure(PART, f"a web worker {most}", peak_memory(*server.worker_pids()), "MB")
	finally:
		server.stop()
