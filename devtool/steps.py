"""Set-up steps: what is shown, what is logged, what is skipped the next time."""

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devtool import Problem
from devtool.settings import ROOT, Settings

NEEDED_BYTES = 2 * 1024**3

TELL_SECONDS = 20
PERCENTAGE = re.compile(rb"\b\d{1,3} ?%")
PROGRESS_BYTES = 400

# What a log says -> what a person should know; the first match counts.
HINTS = (
	("No space left on device", "the disk is full"),
	("Disk quota exceeded", "the disk quota is used up"),
	("Temporary failure resolving", "Debian's package server cannot be reached"),
	("Unable to fetch some archives", "Debian's package server cannot be reached"),
	("invalid peer certificate", "the package registry's certificate is not trusted here"),
	("CERTIFICATE_VERIFY_FAILED", "the package registry's certificate is not trusted here"),
	("npm error code ETARGET", "the package registry does not have a pinned package"),
	("npm error code E404", "the package registry does not have a pinned package"),
	("npm error code EINTEGRITY", "a downloaded package is not the pinned one"),
	("npm error network", "the package registry cannot be reached"),
	("npm ERR! network", "the package registry cannot be reached"),
	("dns error", "the package registry cannot be reached"),
	("client error (Connect)", "the package registry cannot be reached"),
	("NewConnectionError", "the package registry cannot be reached"),
	("Failed to fetch", "the package registry cannot be reached"),
	("No matching distribution found", "the package registry does not have or did not give a pinned package"),
	("THESE PACKAGES DO NOT MATCH THE HASHES", "a downloaded package is not the pinned one"),
	("Hash mismatch", "a downloaded package is not the pinned one"),
	("Access denied for user", "the database refused the login"),
	("Can't connect to MySQL server", "the database server cannot be reached"),
	("Address already in use", "a port is taken"),
	("Permission denied", "a permission is missing"),
)


def short(path: Path) -> str:
	"""The path as a person in the project's folder would write it."""
	return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)


# Files that a step's programs keep open: the lock is not free before they end, even if ./dev was killed meanwhile.
HELD: set[int] = set()


@dataclass(frozen=True)
class Step:
	"""A step that is under way: a title for people and a log for details."""

	title: str
	log: Path

	def run(
		self,
		argv: Sequence[str | Path],
		env: Mapping[str, str] | None = None,
		cwd: Path | None = None,
	) -> None:
		"""Run a command into the log; a failure becomes a Problem that names the log."""
		with self.log.open("a") as log:
			child = subprocess.Popen(
				argv,
				env=env,
				cwd=cwd,
				stdin=subprocess.DEVNULL,
				stdout=log,
				stderr=subprocess.STDOUT,
				pass_fds=[*HELD],
			)
		if self._wait(child):
			raise self.problem()

	def _wait(self, child: subprocess.Popen[bytes]) -> int:
		"""Wait for the command, and tell how far it says it is when it takes long."""
		try:
			while True:
				try:
					return child.wait(timeout=TELL_SECONDS)
				except subprocess.TimeoutExpired:
					print(f" {progress(self.log)}", end="", flush=True)
		except BaseException:
			child.kill()
			child.wait()
			raise

	def problem(self) -> Problem:
		"""The Problem of a step that failed, with its log and a guess at the cause."""
		reason = hint(self.log.read_text(errors="replace"))
		return Problem(f"{self.title} failed{reason}; details are in {short(self.log)}.")


def progress(log: Path) -> str:
	"""The last percentage that a log names, or a dot; it is that of one of a program's own steps."""
	with log.open("rb") as file:
		file.seek(max(0, log.stat().st_size - PROGRESS_BYTES))
		found = PERCENTAGE.findall(file.read())
	return found[-1].decode() if found else "."


def hint(text: str) -> str:
	"""What a log says of the cause, as the end of a sentence; an empty text if unknown."""
	return next((f" because {meaning}" for pattern, meaning in HINTS if pattern in text), "")


@contextmanager
def step(settings: Settings, title: str, name: str) -> Iterator[Step]:
	"""Show a step's title and duration, and give it an empty log."""
	settings.logs.mkdir(parents=True, exist_ok=True)
	log = settings.logs / f"{name}.log"
	log.write_text("")
	started = time.monotonic()
	print(f"{title:<42}", end="", flush=True)
	try:
		yield Step(title, log)
	except BaseException:
		print("  failed", flush=True)
		raise
	print(f"{time.monotonic() - started:8.1f} s", flush=True)


def once(settings: Settings, title: str, name: str, inputs: str, action: Callable[[Step], None]) -> bool:
	"""Do a step unless it succeeded before with the same inputs; tells whether it was done."""
	stamp = settings.stamps / name
	wanted = fingerprint(inputs)
	if stamp.is_file() and stamp.read_text() == wanted:
		return False
	stamp.unlink(missing_ok=True)
	with step(settings, title, name) as current:
		action(current)
	write_atomically(stamp, wanted)
	return True


def fingerprint(inputs: str) -> str:
	"""A hash by which a step knows that its inputs are the same."""
	return hashlib.sha256(inputs.encode()).hexdigest()


def write_atomically(path: Path, text: str) -> None:
	"""Write a file so that a reader, or the next run, sees it whole or not at all."""
	path.parent.mkdir(parents=True, exist_ok=True)
	temporary = path.with_name(f"{path.name}.{os.getpid()}")
	temporary.write_text(text)
	temporary.replace(path)


def require_disk(settings: Settings) -> None:
	"""A first set-up needs about 2 GB; fail before it rather than in the middle."""
	if settings.stamps.is_dir():
		return
	if shutil.disk_usage(ROOT).free < NEEDED_BYTES:
		raise Problem("The set-up needs 2 GB of free disk space here, and there is less.")
