"""A line that breaks at a chosen place: in front of the server it drops requests or answers."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

BEFORE, AFTER = "before", "after"
BUSY = b'{"error": {"code": "unavailable", "message": "", "retryable": true, "details": {}}}'


class Line:
	"""A proxy of a server. `faults` are taken one for each request: BEFORE, AFTER, an HTTP status, or None for none."""

	def __init__(self, target):
		self.target, self.faults = target, []
		self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self.server.line = self
		self.url = f"http://127.0.0.1:{self.server.server_port}"

	def __enter__(self):
		threading.Thread(target=self.server.serve_forever, daemon=True).start()
		return self

	def __exit__(self, *_):
		self.server.shutdown()
		self.server.server_close()

	def fault(self):
		return self.faults.pop(0) if self.faults else None


class Handler(BaseHTTPRequestHandler):
	def do_POST(self):
		body, fault = self.rfile.read(int(self.headers["Content-Length"])), self.server.line.fault()
		if isinstance(fault, int):
			self._answer(fault, BUSY)
		elif fault != BEFORE:
			self._pass_on(body, fault)
		else:
			self._hang_up()

	def _pass_on(self, body, fault):
		url, headers = self.server.line.target + self.path, dict(self.headers)
		response = requests.post(url, data=body, headers=headers, timeout=60)
		if fault == AFTER:
			self._hang_up()
		else:
			self._answer(response.status_code, response.content)

	def _hang_up(self):
		self.close_connection = True
		self.connection.shutdown(socket.SHUT_RDWR)

	def _answer(self, status, content):
		self.send_response(status)
		self.send_header("Content-Type", "application/json")
		self.send_header("Content-Length", str(len(content)))
		self.end_headers()
		self.wfile.write(content)

	def log_message(self, *_):
		pass
