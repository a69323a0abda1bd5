"""A bad line between a device and the server: real requests, of which some get lost, broken, doubled or slow."""

import http.client
import json
import threading
import time
from dataclasses import dataclass, field

TIMEOUT = 45


class Lost(Exception):
	"""The device got no answer. `answers` are those that the server gave all the same, which only the lab knows."""

	def __init__(self, fate, answers=()):
		super().__init__(fate)
		self.fate, self.answers = fate, list(answers)


@dataclass
class Answer:
	"""What the server said; `others` are its answers to copies of the same request."""

	status: int
	text: str
	others: list = field(default_factory=list)

	@property
	def body(self):
		try:
			held = json.loads(self.text)
		except ValueError:
			held = {}
		return held if isinstance(held, dict) else {}

	@property
	def message(self):
		return self.body.get("message")

	@property
	def code(self):
		"""The error's stable code in whichever contract's shape."""
		return self._error().get("error_code") or self._error().get("code")

	@property
	def retryable(self):
		"""Whether the server asks for the same request once more."""
		return self.status >= 400 and self._error().get("retryable") is True

	def _error(self):
		inner = self.body.get("error")
		return inner if isinstance(inner, dict) else self.body


@dataclass
class Weather:
	"""How bad all lines are; faults make it worse for a while. `loss` is a share, `delay` seconds."""

	loss: float = 0.12
	delay: float = 0.0


class Line:
	def __init__(self, port, site, rng, weather):
		self.port, self.site, self.rng, self.weather = port, site, rng, weather

	def send(self, verb, path, body=None, headers=None, sure=False):
		"""The Answer of one request, or Lost. A `sure` one goes over a good line."""
		raw = b"" if body is None else json.dumps(body).encode()
		own = {"X-Frappe-Site-Name": self.site, "Content-Type": "application/json", **(headers or {})}
		fate = "well" if sure else self._fate()
		try:
			return FATES[fate][0](self, (verb, path, raw, own))
		except (OSError, http.client.HTTPException) as error:
			name = type(error).__name__
			raise Lost(name if fate == "well" else f"{fate}: {name}") from error

	def _fate(self):
		bad = {name: weight for name, (_, weight) in FATES.items() if weight}
		if self.rng.random() >= self.weather.loss:
			return "well"
		return self.rng.choices(list(bad), list(bad.values()))[0]

	# --- what may become of a request

	def _open(self, request, parts=1, share=1.0):
		"""A connection on which a share of the request was sent, in so many parts with pauses between them."""
		verb, path, raw, headers = request
		connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
		connection.putrequest(verb, path)
		for name, value in {**headers, "Content-Length": str(len(raw)), "Connection": "close"}.items():
			connection.putheader(name, value)
		connection.endheaders()
		raw = raw[: int(len(raw) * share)]
		size = max(1, -(-len(raw) // parts))
		for start in range(0, len(raw), size):
			if start:
				time.sleep(0.05 + 0.2 * self.rng.random())
			connection.send(raw[start : start + size])
		return connection

	def _well(self, request, parts=1):
		if self.weather.delay:
			time.sleep(self.weather.delay * self.rng.random())
		connection = self._open(request, parts)
		try:
			got = connection.getresponse()
			return Answer(got.status, got.read().decode(errors="replace"))
		finally:
			connection.close()

	def _slow(self, request):
		return self._well(request, parts=4)

	def _request_lost(self, request):
		raise Lost("request lost")

	def _half_sent(self, request):
		self._open(request, share=0.5).close()
		raise Lost("line broke half way")

	def _answer_lost(self, request):
		raise Lost("answer lost", [self._well(request)])

	def _cut(self, request):
		"""Hang up right after the request; the server may be at it when the repeat arrives."""
		self._open(request).close()
		raise Lost("hung up")

	def _twice(self, request):
		"""The same request on two connections at the same time."""
		got = []
		copy = threading.Thread(target=self._copy, args=(request, got), daemon=True)
		copy.start()
		answer = self._well(request)
		copy.join(TIMEOUT)
		answer.others = got
		return answer

	def _copy(self, request, got):
		try:
			got.append(self._well(request))
		except (OSError, http.client.HTTPException):
			pass


# Fate of a request -> what happens, and its weight among the bad ones.
FATES = {
	"well": (Line._well, 0),
	"request_lost": (Line._request_lost, 2),
	"half_sent": (Line._half_sent, 1),
	"answer_lost": (Line._answer_lost, 4),
	"cut": (Line._cut, 3),
	"slow": (Line._slow, 2),
	"twice": (Line._twice, 3),
}
