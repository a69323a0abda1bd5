"""HTTP to the other side of a connection: time-outs, limits of size and rate, one origin, no redirects, no secrets in errors."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

import frappe
import redis
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from hisabi_sync.engine.model import strict_json
from hisabi_sync.runs import said, transport
from hisabi_sync.runs.errors import RemoteError

MAX_BYTES = 32 * 1024 * 1024
LONGEST_WAIT = 3600.0  # seconds; a Retry-After above is cut to it
HIDDEN = "***"
PATIENCE = 300  # seconds


@dataclass(frozen=True, slots=True)
class Target:
	"""Where to and how: `auth` is a pair for basic authentication, times are in seconds, `patience` is for a place in the rate."""

	address: str
	headers: dict = field(default_factory=dict)
	auth: tuple | None = None
	secrets: tuple = ()
	connect_timeout: float = 5
	read_timeout: float = 30
	requests_per_minute: int = 0
	patience: float = PATIENCE
	name: str = ""


class _Adapter(HTTPAdapter):
	"""Every connection goes through the check of addresses, and none through a proxy of the environment."""

	def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
		super().init_poolmanager(*arguments, **options)
		self.poolmanager.pool_classes_by_scheme = transport.POOLS


def origin(url: str) -> tuple[str, str, int]:
	"""(scheme, host, port) of a URL. Raises RemoteError address_refused for what is none of http or https."""
	try:
		parts = urlsplit(url)
		port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
	except ValueError:
		raise RemoteError("address_refused") from None
	if parts.scheme not in transport.SCHEMES or not parts.hostname or parts.username or parts.password:
		raise RemoteError("address_refused")
	return parts.scheme, parts.hostname.lower().rstrip("."), port


class Client:
	"""One session with the other side. `call` returns parsed JSON or raises RemoteError."""

	def __init__(self, target: Target) -> None:
		self.target, self.origin = target, origin(target.address)
		self.calls = 0
		self.session = requests.Session()
		self.session.trust_env = False
		for scheme in transport.SCHEMES:
			self.session.mount(f"{scheme}://", _Adapter(pool_maxsize=2))
		self.session.headers.update({"Accept": "application/json", "Accept-Encoding": transport.CODING})
		self.session.headers.update({name: value.encode() for name, value in target.headers.items()})
		self.session.auth = target.auth

	def close(self) -> None:
		"""Close the connections that are kept open."""
		self.session.close()

	def url(self, path: str) -> str:
		"""The path below the address; a whole URL, as some services give for the next page, has to have the same origin."""
		whole = path if "://" in path else urljoin(self.target.address.rstrip("/") + "/", path.lstrip("/"))
		if origin(whole) != self.origin:
			raise RemoteError("address_refused")
		return whole

	def call(
		self,
		method: str,
		path: str,
		body: object = None,
		params: Mapping[str, Any] | None = None,
		headers: Mapping[str, str] | None = None,
		missing_ok: bool = False,
	) -> Any:
		"""The answer's JSON, None for an empty one, and for a 404 where that is an answer too."""
		raw = self._raw(method, path, missing_ok, json=body, params=params, headers=headers)
		return None if raw is None else _parsed(raw)

	def content(self, path: str, most: int) -> bytes:
		"""The bytes at a path. Raises RemoteError, answer_too_large for more than `most`."""
		return self._raw("GET", path, most=most, headers={"Accept": "*/*"}) or b""

	def send(self, path: str, fields: Mapping[str, Any], name: str, content: bytes) -> Any:
		"""Send a file with some fields as a form; the answer's JSON."""
		raw = self._raw("POST", path, data=fields, files={"file": (name, content)})
		return _parsed(raw or b"")

	def _raw(
		self, method: str, path: str, missing_ok: bool = False, most: int | None = None, **options: Any
	) -> bytes | None:
		url = self.url(path)
		if not wait_for_rate(self.target.name, self.target.requests_per_minute, self.target.patience):
			raise RemoteError("rate_used_up")
		self.calls += 1
		try:
			return self._asked(method, url, missing_ok, most, options)
		except (requests.Timeout, ReadTimeoutError):
			raise RemoteError("remote_timeout") from None
		except (requests.RequestException, HTTPError):
			raise RemoteError("remote_unreachable") from None

	def _asked(
		self, method: str, url: str, missing_ok: bool, most: int | None, options: dict[str, Any]
	) -> bytes | None:
		timeouts = (self.target.connect_timeout, self.target.read_timeout)
		how = {"timeout": timeouts, "allow_redirects": False, "stream": True}
		with self.session.request(method, url, **options, **how) as response:
			raw = transport.body(response, MAX_BYTES if most is None else most)
			if missing_ok and response.status_code == 404:
				return None
			self._judge(response, raw)
			return raw

	def _judge(self, response: requests.Response, raw: bytes) -> None:
		status = response.status_code
		if status < 300:
			return
		code = STATUSES.get(status) or STATUSES[status // 100]
		wait = _retry_after(response.headers.get("Retry-After")) if status in (429, 503) else None
		raise RemoteError(code, self.scrubbed(f"{status} {said.of(raw)}"), wait)

	def scrubbed(self, text: str) -> str:
		"""The text without our secrets, should the other side have repeated them."""
		for secret in self.target.secrets:
			text = text.replace(secret, HIDDEN) if secret else text
		return text


# Status, or its hundreds -> code of RECORD_ERRORS.
STATUSES = {
	3: "remote_redirected",
	4: "remote_rejected",
	5: "remote_failed",
	401: "remote_refused_credentials",
	403: "remote_refused_credentials",
	404: "remote_missing",
	408: "remote_timeout",
	410: "remote_missing",
	425: "remote_busy",
	429: "remote_busy",
}


def _parsed(raw: bytes) -> Any:
	if not raw.strip():
		return None
	if strict_json.is_crowded(raw, said.MAX_VALUES):
		raise RemoteError("remote_invalid_answer")
	try:
		return json.loads(raw, parse_constant=_refuse)
	except (ValueError, RecursionError):
		raise RemoteError("remote_invalid_answer") from None


def _refuse(constant: str) -> NoReturn:
	raise ValueError(constant)


def _retry_after(value: str | None) -> float | None:
	"""Seconds from a Retry-After header, which has a number or a date; None without a usable one."""
	if not value:
		return None
	try:
		seconds = float(value)
	except ValueError:
		try:
			seconds = parsedate_to_datetime(value).timestamp() - time.time()
		except (TypeError, ValueError):
			return None
	return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None


def wait_for_rate(name: str, per_minute: int, patience: float = PATIENCE) -> bool:
	"""Return whether one more request fits into the rate within `patience` seconds; 0 is no limit.

	Without Redis nobody waits.
	"""
	deadline = time.monotonic() + patience
	while per_minute:
		pause = _taken(name, per_minute, time.time())
		if not pause:
			break
		if time.monotonic() + pause > deadline:
			return False
		time.sleep(pause)
	return True


def _taken(name: str, per_minute: int, now: float) -> float:
	"""Take a place in the present window; 0.0, or the seconds until the next one. Slow rates have longer windows."""
	length = max(1.0, 60.0 / per_minute)
	room = max(1, math.floor(per_minute * length / 60))
	window = int(now / length)
	key = frappe.cache.make_key(f"hisabi_sync_rate:{name}:{window}")
	try:
		taken = frappe.cache.incrby(key, 1)
		if taken == 1:
			frappe.cache.expire(key, int(length) + 5)
	except redis.exceptions.ConnectionError:
		return 0.0
	return 0.0 if taken <= room else (window + 1) * length - now + 0.001
