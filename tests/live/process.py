"""The process of live events, and streams as devices open them."""

import contextlib
import json
import queue
import socket
import subprocess
import sys
import threading
import time

import frappe
import requests

from tests.support.server import free_port
from tests.support.waiting import until

EVENTS = "/api/offline/v1/events"


class Live:
	"""`python -m hisabi_sync.live` for a web server."""

	def __init__(self, web, log, **options):
		self.port, self.log = free_port(), log
		given = {"web": web, "events": frappe.conf.redis_queue, "cache": frappe.conf.redis_cache, **options}
		words = [f"--{name}={value}" for name, value in {"port": self.port, **given}.items()]
		with log.open("ab") as out:
			command = [sys.executable, "-m", "hisabi_sync.live", *words]
			self.process = subprocess.Popen(command, stdout=out, stderr=out)
		until(self._answers, 20)

	@property
	def url(self):
		return f"http://127.0.0.1:{self.port}"

	def _answers(self):
		try:
			return self.count() is not None
		except requests.ConnectionError:
			return False

	def count(self):
		"""How many streams it holds."""
		return requests.get(f"{self.url}/live/health", timeout=5).json()["streams"]

	def stop(self):
		self.process.terminate()
		self.process.wait(20)


class Event:
	"""One event: its name, `message` without one, its id, its data, and when it came."""

	def __init__(self, lines):
		fields = dict(line.split(": ", 1) for line in lines if ": " in line)
		self.name, self.id = fields.get("event", "message"), fields.get("id")
		self.data, self.at = json.loads(fields["data"]), time.monotonic()


class Stream:
	"""An open stream. It begins to listen with `__enter__`."""

	def __init__(self, url, headers, path=EVENTS, **params):
		self.answer = requests.get(f"{url}{path}", headers=headers, params=params, stream=True, timeout=60)
		self.events, self.over = queue.Queue(), threading.Event()

	def __enter__(self):
		assert self.answer.status_code == 200, self.answer.text
		threading.Thread(target=self._listen, daemon=True).start()
		return self

	def __exit__(self, *_):
		# The thread that listens waits in `recv`, which closing the answer would wait for, too.
		with contextlib.suppress(OSError, AttributeError):
			self.answer.raw.connection.sock.shutdown(socket.SHUT_RDWR)
		self.answer.close()

	def _listen(self):
		block = []
		try:
			for line in self.answer.iter_lines(chunk_size=1, decode_unicode=True):
				if line:
					block.append(line)
				elif any(one.startswith("data: ") for one in block):
					self.events.put(Event(block))
				if not line:
					block = []
		except (requests.RequestException, AttributeError, ValueError):
			pass  # it was closed
		self.over.set()

	def next(self, seconds=10):
		"""The next event; fails when there is none in time."""
		return self.events.get(timeout=seconds)

	def is_quiet(self, seconds=1.5):
		"""Whether nothing comes for a while."""
		try:
			return not self.events.get(timeout=seconds)
		except queue.Empty:
			return True

	def is_over(self, seconds=10):
		return self.over.wait(seconds)


def headers(device):
	return {
		"Authorization": f"Bearer {device.token}",
		"X-Frappe-Site-Name": device.session.headers["X-Frappe-Site-Name"],
	}
