"""MariaDB and Redis together; every bench shares them."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from devtool import mariadb, redis_server
from devtool.settings import Settings

SERVERS = (mariadb, redis_server)


def start(settings: Settings) -> None:
	"""Start both unless they run."""
	for server in SERVERS:
		server.start(settings)


def states(settings: Settings) -> dict[str, str]:
	"""{server: running, stopped or external}."""
	given = {"mariadb": settings.database, "redis": settings.redis_url}
	processes = [server.process(settings) for server in SERVERS]
	return {process.name: "external" if given[process.name] else process.state() for process in processes}


@contextmanager
def in_use(settings: Settings) -> Iterator[None]:
	"""Keeps the servers up, also against a `./dev stop`, while something relies on them."""
	with (settings.dev / "servers.lock").open("w") as lock:
		fcntl.flock(lock, fcntl.LOCK_SH)
		yield


def stop(settings: Settings) -> bool:
	"""Stop the servers unless somebody uses them; tells whether they are stopped."""
	if not settings.dev.is_dir():
		return True
	with (settings.dev / "servers.lock").open("w") as lock:
		try:
			fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			return False
		for server in SERVERS:
			server.process(settings).stop()
	return True
