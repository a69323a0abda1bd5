"""Ports and paths at which servers on this machine listen."""

import os
import socket
import tempfile
from pathlib import Path

from devtool import state
from devtool.settings import Settings, digest

LOOPBACK = "127.0.0.1"
LONGEST_SOCKET_PATH = 100


def without_proxy() -> None:
	"""Keep a proxy that the environment names out of what this machine asks itself."""
	given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
	hosts = ",".join(filter(None, (given, LOOPBACK, "localhost")))
	os.environ |= {"no_proxy": hosts, "NO_PROXY": hosts}


def is_free(port: int) -> bool:
	"""Whether one may listen there; PermissionError for a port that this user may not have."""
	with socket.socket() as probe:
		probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		try:
			probe.bind((LOOPBACK, port))
		except PermissionError:
			raise
		except OSError:
			return False
	return True


def any_port() -> int:
	"""A port that nobody listens on now."""
	with socket.socket() as probe:
		probe.bind((LOOPBACK, 0))
		return probe.getsockname()[1]


def own_port(settings: Settings, key: str) -> int:
	"""The remembered port of a server that is about to start, or a new one when that is taken."""
	port = state.remembered(settings, key, any_port)
	if not is_free(port):
		port = any_port()
		state.save(settings, **{key: port})
	return port


def socket_path(folder: Path, name: str) -> Path:
	"""A place for a unix socket; the system allows only short paths."""
	path = folder / name
	if len(str(path)) <= LONGEST_SOCKET_PATH:
		return path
	return Path(tempfile.gettempdir()) / f"hisabi-{digest(path)}.sock"
