"""The Desk as people have it: web server and live events, each a process of its own."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.server import Server, free_port
from tests.support.waiting import until


class DeskServer(Server):
	"""Serves the Desk with its bundles and live events on one port; `./dev test` says how the relay is started."""

	application = "devtool.wsgi:application"

	def __init__(self, site, log):
		super().__init__(site, log)
		self.front, self.processes = free_port(), []

	@property
	def address(self):
		return f"http://localhost:{self.front}"

	def start(self):
		command = [sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{self.port}", "--workers=1"]
		self._start([*command, "--worker-class=gthread", "--threads=8", "--timeout=120", self.application])
		relay = shlex.split(os.environ["HISABI_RELAY"])
		self._start([*relay, f"--backend={self.url}", f"--port={self.front}"])
		self.wait()
		_wait_for_port(self.front)
		return self

	def _start(self, command):
		environment = {**os.environ, "FRAPPE_SITE": self.site}
		with self.log.open("ab") as out:
			process = subprocess.Popen(
				command,
				cwd=os.environ["SITES_PATH"],
				stdout=out,
				stderr=out,
				env=environment,
				start_new_session=True,
			)
		self.processes.append(process)

	def stop(self, sign=signal.SIGTERM):
		for process in self.processes:
			if process.poll() is None:
				os.killpg(process.pid, sign)
				process.wait(30)


def _wait_for_port(port, seconds=30):
	def answers():
		with socket.socket() as probe:
			return probe.connect_ex(("127.0.0.1", port)) == 0

	until(answers, seconds)


def is_ready():
	"""Whether the bundles are built and the browser is there."""
	assets = Path(os.environ["SITES_PATH"]) / "assets" / "assets.json"
	return bool(os.environ.get("HISABI_RELAY")) and "desk.bundle.js" in assets.read_text()
