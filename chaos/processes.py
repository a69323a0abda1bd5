"""Killing processes together with what they have started: RQ's jobs, for one, run in sessions of their own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any


def kill(process: Popen[Any]) -> int:
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
