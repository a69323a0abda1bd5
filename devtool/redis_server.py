"""The project's own Redis server, and the numbered databases that the benches use in it."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from devtool import network, state
from devtool.processes import Process, wait_for
from devtool.settings import Settings
from devtool.steps import Step, step
from devtool.system import executable

PURPOSES = ("cache", "queue")


def process(settings: Settings, argv: tuple[str, ...] = ()) -> Process:
	"""The server's process; `argv` is needed to start it."""
	return Process(
		name="redis",
		pid_file=settings.dev / "run" / "redis.pid",
		log=settings.dev / "logs" / "redis-server.log",
		argv=argv,
		# Debian's redis-tools has the server as redis-check-rdb; the name it is called by decides.
		executable=executable("redis-server", "redis-check-rdb"),
	)


def start(settings: Settings) -> None:
	"""Start the server unless it runs or somebody else's is used."""
	if settings.redis_url or process(settings).pid():
		return
	with step(settings, "Redis", "redis"):
		home = settings.dev / "redis"
		home.mkdir(parents=True, exist_ok=True)
		port = network.own_port(settings, "redis_port")
		server = process(settings, _argv(home, port))
		server.start()
		if not wait_for(lambda: _answers(port) or not server.pid(), 20) or not server.pid():
			raise Step("Redis", server.log).problem()


def _argv(home: Path, port: int) -> tuple[str, ...]:
	options = {
		"bind": network.LOOPBACK,
		"port": port,
		"unixsocket": network.socket_path(home, "server.sock"),
		"dir": home,
		"databases": 64,
		"save": "",
		"appendonly": "no",
	}
	return ("redis-server", *(word for name, value in options.items() for word in (f"--{name}", str(value))))


def _answers(port: int) -> bool:
	try:
		with socket.create_connection((network.LOOPBACK, port), timeout=1) as connection:
			connection.sendall(b"PING\r\n")
			return connection.recv(16).startswith(b"+PONG")
	except OSError:
		return False


def urls(settings: Settings, bench: Path) -> dict[str, str]:
	"""The addresses of a bench's own databases in Redis, by purpose."""
	given = settings.redis_url or f"redis://{network.LOOPBACK}:{state.load(settings)['redis_port']}"
	parts = urlsplit(given)
	# A given address may say from which database on we are free to use them.
	first = int(parts.path.strip("/") or 0) + _first_database(settings, bench)
	numbers = range(first, first + len(PURPOSES))
	return {
		purpose: parts._replace(path=f"/{number}").geturl()
		for purpose, number in zip(PURPOSES, numbers, strict=True)
	}


def _first_database(settings: Settings, bench: Path) -> int:
	known = state.load(settings).get("redis_databases", {})
	key = str(bench.relative_to(settings.dev))
	if key not in known:
		known[key] = len(known) * len(PURPOSES)
		state.save(settings, redis_databases=known)
	return known[key]
