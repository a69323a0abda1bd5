"""Processes that outlive the command that started them."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devtool.steps import write_atomically


@dataclass(frozen=True)
class Process:
	"""A process known by its pid file; `executable` is the program if argv[0] is only its name."""

	name: str
	pid_file: Path
	log: Path
	argv: tuple[str, ...] = ()
	env: Mapping[str, str] | None = None
	cwd: Path | None = None
	executable: str | None = None
	patience: float = 15.0

	def start(self) -> None:
		"""Start it in a session of its own, so that Ctrl-C in the terminal does not reach it."""
		self.log.parent.mkdir(parents=True, exist_ok=True)
		with self.log.open("a") as log:
			child = subprocess.Popen(
				self.argv,
				executable=self.executable,
				env=self.env,
				cwd=self.cwd,
				stdin=subprocess.DEVNULL,
				stdout=log,
				stderr=subprocess.STDOUT,
				start_new_session=True,
			)
		write_atomically(self.pid_file, json.dumps([child.pid, _started(child.pid)]))

	def pid(self) -> int | None:
		"""The process's id while it runs; a number that the system gave to another process is not ours."""
		if not self.pid_file.is_file():
			return None
		pid, started = json.loads(self.pid_file.read_text())
		return pid if started is not None and _started(pid) == started else None

	def state(self) -> str:
		"""`running` or `stopped`."""
		return "running" if self.pid() else "stopped"

	def stop(self) -> bool:
		"""Ask it to end, insist after a while; tells whether it ran."""
		pid = self.pid()
		if pid:
			_signal(pid, signal.SIGTERM)
			if not wait_for(lambda: self.pid() is None, self.patience):
				_signal(pid, signal.SIGKILL)
		self.pid_file.unlink(missing_ok=True)
		return pid is not None


def _started(pid: int) -> str | None:
	"""When the process started, in clock ticks since the boot; None when it has ended."""
	try:
		fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
	except OSError:
		return None
	return None if fields[0] == "Z" else fields[19]


def _signal(pid: int, number: int) -> None:
	try:
		os.killpg(pid, number)
	except ProcessLookupError:
		pass


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
	"""Whether the condition became true in time."""
	deadline = time.monotonic() + seconds
	while not condition():
		if time.monotonic() > deadline:
			return False
		time.sleep(0.05)
	return True
