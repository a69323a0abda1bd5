"""A real web server: gunicorn on a free port, and killing a process together with all that it has started."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any

import requests


class Server:
	"""Serves a site of the bench at SITES_PATH. A subclass may choose another `application`."""

	application = "devtool.wsgi:application"

	def __init__(
		self,
		site: str,
		log: str | Path,
		workers: int = 2,
		application: str | None = None,
		options: Sequence[str] = (),
	) -> None:
		self.site, self.log, self.workers = site, Path(log), workers
		self.application = application or self.application
		self.port = free_port()
		self.process: subprocess.Popen[bytes] | None = None
		self.options = options

	def environment(self) -> dict[str, str]:
		"""Environment variables of the server beside those of this process."""
		return {}

	@property
	def url(self) -> str:
		"""Where the server answers."""
		return f"http://127.0.0.1:{self.port}"

	def start(self) -> "Server":
		"""Start gunicorn and wait until it answers."""
		command = [
			sys.executable,
			"-m",
			"gunicorn",
			f"--bind=127.0.0.1:{self.port}",
			f"--workers={self.workers}",
		]
		command += ["--worker-class=gthread", "--threads=4", "--timeout=60", *self.options, self.application]
		with self.log.open("ab") as out:
			self.process = subprocess.Popen(
				command,
				cwd=os.environ["SITES_PATH"],
				env=os.environ | self.environment(),
				stdout=out,
				stderr=out,
				start_new_session=True,
			)
		self.wait()
		return self

	def wait(self, seconds: float = 60) -> None:
		"""Until the server answers; raises when it does not."""
		deadline = time.monotonic() + seconds
		while time.monotonic() < deadline:
			try:
				headers = {"X-Frappe-Site-Name": self.site}
				if requests.get(f"{self.url}/api/method/ping", headers=headers, timeout=5).ok:
					return
			except requests.RequestException:
				time.sleep(0.1)
		raise RuntimeError(f"The test server does not answer; see {self.log}")

	def worker_pids(self) -> list[int]:
		"""Process ids of the gunicorn workers."""
		pid = self.process.pid  # type: ignore[union-attr]  # it was started
		children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
		return [int(pid) for pid in children.split()]

	def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
		"""Send the processes a signal and wait for their end."""
		if self.process and self.process.poll() is None:
			os.killpg(self.process.pid, sign)
			self.process.wait(30)


def free_port() -> int:
	"""A port that nobody listens on now."""
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def kill_tree(process: Popen[Any]) -> int:
	"""SIGKILL to a Popen that leads a group, and to all that it has started; returns how many were not in its group."""
	os.kill(process.pid, signal.SIGSTOP)  # it starts nothing more
	elsewhere = [pid for pid in started_by(process.pid) if _group(pid) != process.pid]
	for pid in elsewhere:
		_kill(pid)
	os.killpg(process.pid, signal.SIGKILL)
	process.wait(30)
	return len(elsewhere)


def started_by(pid: int) -> Iterator[int]:
	"""Ids of the processes that one has started, and of those that they have started."""
	for file in Path("/proc").glob(f"{pid}/task/*/children"):
		for child in map(int, file.read_text().split()):
			yield child
			yield from started_by(child)


def _group(pid: int) -> int | None:
	try:
		return os.getpgid(pid)
	except ProcessLookupError:
		return None


def _kill(pid: int) -> None:
	try:
		os.kill(pid, signal.SIGKILL)
	except ProcessLookupError:
		pass
