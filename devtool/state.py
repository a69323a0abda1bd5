"""What must be remembered between runs, and the lock that keeps two runs apart."""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from devtool import system
from devtool.settings import Settings
from devtool.steps import HELD, write_atomically


def load(settings: Settings) -> dict[str, Any]:
	"""What is remembered; an empty dict at first."""
	path = settings.dev / "state.json"
	return json.loads(path.read_text()) if path.is_file() else {}


def save(settings: Settings, **values: Any) -> None:
	"""Remember values, beside what is there."""
	text = json.dumps(load(settings) | values, indent=1, sort_keys=True)
	write_atomically(settings.dev / "state.json", text)


def remembered(settings: Settings, key: str, make: Callable[[], Any]) -> Any:
	"""The stored value, or a new one which is stored first."""
	known = load(settings)
	if key not in known:
		save(settings, **{key: make()})
	return load(settings)[key]


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
	"""Only one ./dev sets things up at a time; others wait for it."""
	# It holds passwords, and tokens of the demo site.
	settings.dev.mkdir(mode=0o700, parents=True, exist_ok=True)
	system.give_home(settings)
	with (settings.dev / "lock").open("w") as lock:
		try:
			fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			print("Waiting for another ./dev to finish its set-up.", flush=True)
			fcntl.flock(lock, fcntl.LOCK_EX)
		HELD.add(lock.fileno())
		try:
			yield
		finally:
			HELD.remove(lock.fileno())
