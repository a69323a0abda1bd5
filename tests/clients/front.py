"""One address for the web server and the process of live events."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(__file__).with_name("front.mjs")


@contextmanager
def front(web, live):
	"""Gives the address of a proxy like the relay's, which sends streams to `live` and all else to `web`."""
	command = [os.environ.get("HISABI_NODE") or "node", str(PROGRAM), web, live]
	process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
	try:
		yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
	finally:
		process.terminate()
		process.wait(20)
