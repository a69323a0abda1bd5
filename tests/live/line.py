"""A line to Redis that can be cut."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit

from tests.support.server import free_port


class Line:
	"""Passes connections of a port of its own on to a Redis, until it is cut."""

	def __init__(self, url):
		parts = urlsplit(url)
		self.to, self.port = (parts.hostname, parts.port), free_port()
		self.listener, self.sockets = None, []

	def open(self):
		"""Take connections; gives the address."""
		self.listener = socket.create_server(("127.0.0.1", self.port))
		threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()
		return f"redis://127.0.0.1:{self.port}"

	def _accept(self, listener):
		with contextlib.suppress(OSError):
			while True:
				near, _ = listener.accept()
				far = socket.create_connection(self.to)
				self.sockets += [near, far]
				for one, other in ((near, far), (far, near)):
					threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

	def _pass_on(self, one, other):
		with contextlib.suppress(OSError):
			while data := one.recv(65536):
				other.sendall(data)

	def cut(self):
		"""End all connections, and take no more."""
		for one in (self.listener, *self.sockets):
			with contextlib.suppress(OSError):
				one.shutdown(socket.SHUT_RDWR)
			one.close()
		self.sockets = []
