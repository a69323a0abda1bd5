"""A small service of JSON over HTTP that stands for somebody's ERP: the demo site's runs talk to it.

`GET /orders?page=&limit=&updated_since=&external_id=`, `POST /orders`, `GET` and `PUT /orders/ID`; the same for every other
entity. It remembers idempotency keys, and forgets everything when it ends. Run as a module: `--port=NUMBER --secret=TEXT`.
"""

import argparse
import itertools
import json
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ENTITIES = ("orders", "customers", "products", "invoices", "payments")


class Store:
	"""The records of all entities; every change gives a new time."""

	def __init__(self) -> None:
		self.lock = threading.RLock()
		self.records: dict[str, dict[str, dict[str, Any]]] = {entity: {} for entity in ENTITIES}
		self.keys: dict[tuple[str, str], str] = {}
		self.numbers = itertools.count(1)
		self.last = datetime.min.replace(tzinfo=timezone.utc)

	def now(self) -> str:
		"""The time, later than any before it."""
		with self.lock:
			now = datetime.now(timezone.utc)
			self.last = max(now, self.last + _TICK)
			return self.last.isoformat(timespec="microseconds").replace("+00:00", "Z")

	def create(self, entity: str, values: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
		"""Keep a new record; the same key gives the record that was made with it."""
		with self.lock:
			known = self.keys.get((entity, key)) if key else None
			if known:
				return self.records[entity][known]
			identity = f"{entity[:3].upper()}-{next(self.numbers):05d}"
			record = {**values, "id": identity, "updated_at": self.now()}
			self.records[entity][identity] = record
			if key:
				self.keys[entity, key] = identity
			return record

	def update(self, entity: str, identity: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
		"""Change a record; None if there is none."""
		with self.lock:
			held = self.records[entity].get(identity)
			if held is None:
				return None
			held.update({**values, "id": identity, "updated_at": self.now()})
			return held

	def list(self, entity: str, since: str = "", external_id: str | None = None) -> Sequence[dict[str, Any]]:
		"""Records from the one that was changed first to the one that was changed last."""
		with self.lock:
			found = [record for record in self.records[entity].values() if record["updated_at"] >= since]
		if external_id is not None:
			found = [record for record in found if record.get("external_id") == external_id]
		return sorted(found, key=lambda record: (record["updated_at"], record["id"]))


_TICK = datetime(1, 1, 1, microsecond=1) - datetime(1, 1, 1)


class Service(ThreadingHTTPServer):
	"""`interfere(handler)` may answer a request itself, and returns whether it did; `seen` lists all requests as (method, path)."""

	daemon_threads = True
	request_queue_size = 128

	def __init__(self, address: tuple[str, int], secret: str) -> None:
		super().__init__(address, Handler)
		self.secret, self.store = secret, Store()
		self.seen: list[tuple[str, str]] = []
		self.interfere: Callable[[Handler], bool] = lambda handler: False

	def handle_error(self, request: Any, client_address: Any) -> None:
		"""Say nothing when a client hangs up, as a killed one does."""
		if not isinstance(sys.exc_info()[1], ConnectionError):
			super().handle_error(request, client_address)

	@property
	def url(self) -> str:
		"""Where it answers."""
		return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
	"""The requests that the other system answers."""

	server: Service
	protocol_version = "HTTP/1.1"
	disable_nagle_algorithm = True

	def log_message(self, *arguments: Any) -> None:
		"""Nothing: requests are not printed."""
		pass

	def _serve(self) -> None:
		length = int(self.headers.get("Content-Length") or 0)
		self.body = self.rfile.read(length)
		self.server.seen.append((self.command, self.path))
		if self.server.interfere(self):
			return
		if self.headers.get("Authorization") != f"Bearer {self.server.secret}":
			return self.answer(401, {"message": "who are you?"})
		self.handle_well()

	do_GET = do_POST = do_PUT = _serve

	def handle_well(self) -> None:
		"""The answer of a service that works."""
		parts = urlsplit(self.path)
		entity, _, identity = parts.path.strip("/").partition("/")
		if entity not in ENTITIES:
			return self.answer(404, {"message": "no such list"})
		self.answer(*self._of(entity, identity, dict(parse_qsl(parts.query))))

	def _of(self, entity: str, identity: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
		store = self.server.store
		if self.command == "GET":
			return self._one(entity, identity) if identity else (200, self._page(entity, query))
		try:
			values = json.loads(self.body)
		except ValueError:
			return 400, {"message": "not JSON"}
		if self.command == "POST":
			return 201, {"data": store.create(entity, values, self.headers.get("Idempotency-Key"))}
		found = store.update(entity, identity, values)
		return (200, {"data": found}) if found else (404, {"message": "no such record"})

	def _one(self, entity: str, identity: str) -> tuple[int, dict[str, Any]]:
		found = self.server.store.records[entity].get(identity)
		return (200, {"data": found}) if found else (404, {"message": "no such record"})

	def _page(self, entity: str, query: Mapping[str, str]) -> dict[str, Any]:
		found = self.server.store.list(entity, query.get("updated_since", ""), query.get("external_id"))
		size, number = int(query.get("limit", 100)), int(query.get("page", 1))
		return {"data": found[(number - 1) * size : number * size], "total": len(found)}

	def answer(self, status: int, payload: Mapping[str, Any], **headers: str) -> None:
		"""Send a status and JSON; `headers` have `_` for `-`."""
		raw = json.dumps(payload).encode()
		self.send_response(status)
		for name, value in headers.items():
			self.send_header(name.replace("_", "-"), value)
		self.send_header("Content-Type", "application/json")
		self.send_header("Content-Length", str(len(raw)))
		self.end_headers()
		self.wfile.write(raw)


# What the demo site finds here on its first pull.
PRODUCTS = (
	("TEA-250", "Green tea 250 g", "Drinks", 18.5),
	("COF-500", "Coffee beans 500 g", "Drinks", 41.25),
	("CUP-6", "Six cups", "Kitchen", 32),
	("POT-1", "Brass coffee pot", "Kitchen", 120),
)


def fill(store: Store) -> None:
	"""Put a few products into the store."""
	for code, name, group, price in PRODUCTS:
		values = {"product_code": code, "product_name": name, "product_group": group, "price": price}
		store.create("products", {**values, "status": "active", "currency": "SAR", "unit": "piece"})


def main() -> None:
	"""Serve for ever, on the port that is given."""
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--port", type=int, required=True)
	parser.add_argument("--secret", required=True)
	options = parser.parse_args()
	service = Service(("127.0.0.1", options.port), options.secret)
	fill(service.store)
	service.serve_forever()


if __name__ == "__main__":
	main()
