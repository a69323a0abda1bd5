"""A real web server for the tests: gunicorn on a free port, which tests may kill and start again."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

REPORT = "HISABI_ANSWERS"  # environment variable: file for answers that are not as documented


class Server:
	application = "tests.support.answers:application"

	def __init__(self, site, log, workers=2, application=None):
		self.site, self.log, self.workers = site, Path(log), workers
		self.application = application or self.application
		self.port = free_port()
		self.process = None
		self.report = self.log.with_suffix(".answers")

	@property
	def url(self):
		return f"http://127.0.0.1:{self.port}"

	def start(self):
		command = [
			sys.executable,
			"-m",
			"gunicorn",
			f"--bind=127.0.0.1:{self.port}",
			f"--workers={self.workers}",
		]
		command += ["--worker-class=gthread", "--threads=4", "--timeout=60", self.application]
		with self.log.open("ab") as out:
			self.process = subprocess.Popen(
				command,
				cwd=os.environ["SITES_PATH"],
				env=os.environ | {REPORT: str(self.report)},
				stdout=out,
				stderr=out,
				start_new_session=True,
			)
		self.wait()
		return self

	def wait(self, seconds=60):
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

	def unfit_answers(self):
		"""Answers so far that are not as the OpenAPI document says, one line each."""
		return self.report.read_text().splitlines() if self.report.exists() else []

	def worker_pids(self):
		"""Process ids of the gunicorn workers."""
		children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
		return [int(pid) for pid in children.split()]

	def stop(self, sign=signal.SIGTERM):
		if self.process and self.process.poll() is None:
			os.killpg(self.process.pid, sign)
			self.process.wait(30)


def free_port():
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]
