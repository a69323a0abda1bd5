"""A bad line between a device and the server: real requests, of which some get lost, broken, doubled or slow."""

import http.client
import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

TIMEOUT = 45


class Lost(Exception):
	"""The device got no answer. `answers` are those that the server gave all the same, which only the lab knows."""

	def __init__(self, fate: str, answers: "Iterable[Answer]" = ()) -> None:
		super().__init__(fate)
		self.fate, self.answers = fate, list(answers)


@dataclass
class Answer:
	"""What the server said; `others` are its answers to copies of the same request."""

	status: int
	text: str
	others: list = field(default_factory=list)
	data: bytes = b""
	headers: dict = field(default_factory=dict)

	@property
	def body(self) -> dict[str, Any]:
		"""The body as an object; an empty one if it is none."""
		try:
			held = json.loads(self.text)
		except ValueError:
			held = {}
		return held if isinstance(held, dict) else {}

	@property
	def message(self) -> Any:
		"""What Frappe wraps answers in."""
		return self.body.get("message")

	@property
	def code(self) -> str | None:
		"""The error's stable code in whichever contract's shape."""
		return self._error().get("error_code") or self._error().get("code")

	@property
	def retryable(self) -> bool:
		"""Whether the server asks for the same request once more."""
		return self.status >= 400 and self._error().get("retryable") is True

	def _error(self) -> dict[str, Any]:
		inner = self.body.get("error")
		return inner if isinstance(inner, dict) else self.body


@dataclass
class Weather:
	"""How bad all lines are; faults make it worse for a while. `loss` is a share, `delay` seconds."""

	loss: float = 0.12
	delay: float = 0.0


def _encoded(body: object) -> tuple[bytes, str]:
	"""The bytes of a body and their type; those of a photo are sent as they are."""
	if isinstance(body, bytes):
		return body, "image/png"
	return b"" if body is None else json.dumps(body).encode(), "application/json"


class Line:
	"""Requests from a device to the server, which the weather may lose, delay or double."""

	def __init__(self, port: int, site: str, rng: Random, weather: Weather) -> None:
		self.port, self.site, self.rng, self.weather = port, site, rng, weather

	def send(
		self,
		verb: str,
		path: str,
		body: object = None,
		headers: Mapping[str, str] | None = None,
		sure: bool = False,
	) -> Answer:
		"""The Answer of one request, or Lost. A `sure` one goes over a good line."""
		raw, kind = _encoded(body)
		own = {"X-Frappe-Site-Name": self.site, "Content-Type": kind, **(headers or {})}
		fate = "well" if sure else self._fate()
		try:
			return FATES[fate][0](self, (verb, path, raw, own))
		except (OSError, http.client.HTTPException) as error:
			name = type(error).__name__
			raise Lost(name if fate == "well" else f"{fate}: {name}") from error

	def _fate(self) -> str:
		bad = {name: weight for name, (_, weight) in FATES.items() if weight}
		if self.rng.random() >= self.weather.loss:
			return "well"
		return self.rng.choices(list(bad), list(bad.values()))[0]

	# --- what may become of a request

	def _open(
		self, request: tuple[str, str, bytes, dict[str, str]], parts: int = 1, share: float = 1.0
	) -> http.client.HTTPConnection:
		"""A connection on which a share of the request was sent, in parts with pauses between them."""
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

	def _well(self, request: tuple[str, str, bytes, dict[str, str]], parts: int = 1) -> Answer:
		if self.weather.delay:
			time.sleep(self.weather.delay * self.rng.random())
		connection = self._open(request, parts)
		try:
			got = connection.getresponse()
			data = got.read()
			return Answer(got.status, data.decode(errors="replace"), data=data, headers=dict(got.headers))
		finally:
			connection.close()

	def _slow(self, request: tuple[str, str, bytes, dict[str, str]]) -> Answer:
		return self._well(request, parts=4)

	def _request_lost(self, request: tuple[str, str, bytes, dict[str, str]]) -> Answer:
		raise Lost("request lost")

	def _half_sent(self, request: tuple[str, str, bytes, dict[str, str]]) -> Answer:
		self._open(request, share=0.5).close()
		raise Lost("line broke half way")

	def _answer_lost(self, request: tuple[str, str, bytes, dict[str, str]]) -> Answer:
		raise Lost("answer lost", [self._well(request)])

	def _cut(self, request: tuple[str, str, bytes, dict[str, str]]) -> Answer:
		"""Hang up right after the request; the server may be at it when the repeat arrives."""
		self._open(request).close()
		raise Lost("hung up")

	def _twice(self, request: tuple[str, str, bytes, dict[str, str]]) -> Answer:
		"""The same request on two connections at the same time."""
		got: list[Answer] = []
		copy = threading.Thread(target=self._copy, args=(request, got), daemon=True)
		copy.start()
		answer = self._well(request)
		copy.join(TIMEOUT)
		answer.others = got
		return answer

	def _copy(self, request: tuple[str, str, bytes, dict[str, str]], got: list[Answer]) -> None:
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
