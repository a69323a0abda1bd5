"""A client that costs little itself, so that what is measured is the server."""

import gzip
import http.client
import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
	from benchmarks.support import Wallet

POST, GET = "POST", "GET"
PUSH, PULL = "/api/method/hisabi.sync_push", "/api/method/hisabi.sync_pull"
PING = "/api/method/ping"


class Http:
	"""One connection that is kept open. `received` is the number of bytes of the last answer's body."""

	def __init__(self, port: int, site: str, credential: str) -> None:
		self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
		self.headers = {"Authorization": credential, "X-Frappe-Site-Name": site, "Accept": "application/json"}
		self.received = 0

	def call(self, method: str, path: str, body: bytes | None = None, zipped: bool = False) -> bytes:
		"""The body of the answer. Raises RuntimeError when it is no success."""
		answer = self._send(method, path, body, {"Accept-Encoding": "gzip"} if zipped else {})
		raw = answer.read()
		self.received = len(raw)
		raw = gzip.decompress(raw) if answer.headers.get("Content-Encoding") == "gzip" else raw
		if answer.status != 200:
			raise RuntimeError(f"{method} {path}: {answer.status} {raw[:500]!r}")
		return raw

	def _send(
		self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
	) -> http.client.HTTPResponse:
		headers = {**self.headers, **headers, **({"Content-Type": "application/json"} if body else {})}
		try:
			self.connection.request(method, path, body, headers)
			return self.connection.getresponse()
		except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
			# gunicorn closes a connection that was idle; nothing of the request was read then.
			self.connection.close()
			self.connection.request(method, path, body, headers)
			return self.connection.getresponse()


def push_body(wallet: "Wallet", items: Sequence[Mapping[str, Any]]) -> bytes:
	"""The body of a push of these items."""
	return json.dumps({"device_id": wallet.device_id, "wallet_id": wallet.id, "items": items}).encode()


def pull_body(wallet: "Wallet", cursor: str | None = None, limit: int | None = None) -> bytes:
	"""The body of a pull."""
	given = {"device_id": wallet.device_id, "wallet_id": wallet.id, "cursor": cursor, "limit": limit}
	return json.dumps({name: value for name, value in given.items() if value is not None}).encode()


def checked(raw: bytes, answered: Collection[str] = ("accepted",)) -> dict[str, Any]:
	"""The message of a push's answer. Raises RuntimeError when an item is answered otherwise."""
	message = json.loads(raw)["message"]
	wrong = [result for result in message["results"] if result["status"] not in answered]
	if wrong:
		raise RuntimeError(wrong[0])
	return message
