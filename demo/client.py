"""A client of the wallet contract: an outbox, a replica and a cursor.

A change is put into the outbox first and leaves it only when the server has answered. Until then every try sends the
same op id, so that a lost answer costs nothing. An app keeps all three in its database; here they are in memory.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests
from tenacity import (
	RetryCallState,
	Retrying,
	retry_if_exception_type,
	stop_after_attempt,
	wait_random_exponential,
)

CREATE, UPDATE, DELETE = "create", "update", "delete"
BATCH = 25  # small batches lose little when a line breaks
PAGE = 200
TIMEOUT = 60
TRIES = 8
BACKOFF = wait_random_exponential(multiplier=0.05, max=2)


class Busy(Exception):
	"""The server asks to send the same request again."""

	def __init__(self, retry_after: float = 0) -> None:
		super().__init__("the server is busy")
		self.retry_after = retry_after


class Refused(Exception):
	"""A request error that a repeat does not cure."""

	def __init__(self, status: int, body: Mapping[str, Any]) -> None:
		self.code = body.get("error_code", "unknown")
		super().__init__(f"HTTP {status} {self.code}: {body.get('message', '')}")


@dataclass
class Change:
	"""One item of a push. A change that was sent may have been applied, so it is never altered any more."""

	entity_type: str
	client_id: str
	operation: str
	payload: dict = field(default_factory=dict)
	base_version: int | None = None
	base_values: dict = field(default_factory=dict)  # what the person saw of the fields
	resolves: str | None = None  # the conflict that it settles
	wanted: dict = field(
		default_factory=dict
	)  # what the person wants in all, when the payload holds only choices
	op_id: str = field(default_factory=lambda: str(uuid.uuid4()))
	sent: bool = False

	@property
	def key(self) -> tuple[str, str]:
		"""(entity type, client id) of its record."""
		return self.entity_type, self.client_id

	def item(self) -> dict[str, Any]:
		"""The item of a push."""
		item = {
			"op_id": self.op_id,
			"entity_type": self.entity_type,
			"entity_id": self.client_id,
			"operation": self.operation,
			"payload": {name: _to_json(value) for name, value in self.payload.items()},
		}
		rest: dict[str, Any] = {"base_version": self.base_version, "resolves": self.resolves}
		if self.base_values:
			rest["base_values"] = {name: _to_json(value) for name, value in self.base_values.items()}
		return {**item, **{name: value for name, value in rest.items() if value is not None}}


def _to_json(value: Any) -> Any:
	# As text, because a JSON number may pass through a binary float.
	return str(value) if isinstance(value, Decimal) else value


@dataclass(frozen=True)
class Record:
	"""A record as the server sent it last."""

	doc_version: int
	payload: dict


@dataclass(frozen=True)
class Conflict:
	"""A change that was not applied, with the server's answer."""

	change: Change
	answer: dict

	@property
	def server(self) -> dict[str, Any]:
		"""The record as the server has it."""
		return self.answer["server_record"]

	@property
	def fields(self) -> list[str]:
		"""Names of the fields that collide."""
		return self.answer["conflict_fields"]

	@property
	def wanted(self) -> dict[str, Any]:
		"""All that the person wanted: of a change that settled an earlier conflict also the rest of that one."""
		return self.change.wanted or self.change.payload


class Phone:
	"""One device in one wallet. `session` carries the requests; `answers` maps op ids to (change, answer)."""

	def __init__(self, url: str, wallet_id: str, device_id: str, session: requests.Session) -> None:
		self.url, self.wallet_id, self.device_id, self.session = url, wallet_id, device_id, session
		self.outbox: dict[str, Change] = {}
		self.replica: dict[tuple[str, str], Record] = {}
		self.cursor: str | None = None
		# Versions of deleted records, by which an id may be used again.
		self.tombstones: dict[tuple[str, str], int] = {}
		self.conflicts: list[Conflict] = []
		self.rejected: list[tuple[Change, dict[str, Any]]] = []
		self.answers: dict[str, tuple[Change, dict[str, Any]]] = {}
		self.tries = TRIES

	def login(self, user: str, password: str) -> None:
		"""Register the device for a user; its token is shown once and sent from then on."""
		given = {"usr": user, "pwd": password, "platform": "android"}
		answer = self._call("hisabi_sync.api.devices.login", given)
		self.session.headers["Authorization"] = f"Bearer {answer['device_token']}"

	# --- work that needs no line

	def create(self, entity_type: str, client_id: str, **payload: Any) -> None:
		"""A new record. One that was deleted, as the phone knows, begins again: the create names its tombstone."""
		version = self.tombstones.get((entity_type, client_id))
		self._add(Change(entity_type, client_id, CREATE, payload, version))

	def update(self, entity_type: str, client_id: str, **payload: Any) -> None:
		"""A change of these fields, with the version and the values that the person saw."""
		key = entity_type, client_id
		seen = self.view(entity_type).get(client_id, {}) if key in self.replica else {}
		base = {name: seen.get(name) for name in payload} if seen else {}
		self._add(Change(*key, UPDATE, payload, self._version(*key), base))

	def delete(self, entity_type: str, client_id: str) -> None:
		"""Delete a record here; it is sent with the next push."""
		self._add(Change(entity_type, client_id, DELETE, {}, self._version(entity_type, client_id)))

	def resolve(self, conflict: Conflict, **choices: Any) -> None:
		"""Settle a conflict: a choice for each field that collided. The server merges the rest of the change itself.

		A field that is left out stays as the server has it.
		"""
		self.conflicts.remove(conflict)
		seen, name = conflict.answer["server_doc_version"], conflict.answer["conflict_id"]
		wanted = {**conflict.wanted, **choices}
		change = Change(*conflict.change.key, UPDATE, choices, seen, resolves=name, wanted=wanted)
		self.outbox[change.op_id] = change

	def view(self, entity_type: str) -> dict[str, dict[str, Any]]:
		"""What the person sees: the replica under the changes that wait in the outbox."""
		seen = {key: dict(record.payload) for key, record in self.replica.items()}
		for change in self.outbox.values():
			if change.operation == DELETE:
				seen.pop(change.key, None)
			else:
				seen.setdefault(change.key, {}).update(change.wanted or change.payload)
		return {client_id: payload for (kind, client_id), payload in seen.items() if kind == entity_type}

	def _version(self, *key: str) -> int | None:
		"""The version that the person looks at; None while the create that makes the record is under way."""
		return self.replica[key].doc_version if key in self.replica else None

	def _add(self, change: Change) -> None:
		"""Put a change into the outbox, together with one of the same record that was never sent."""
		waiting = next((c for c in reversed(self.outbox.values()) if c.key == change.key), None)
		if waiting is None or waiting.sent or waiting.resolves:
			self.outbox[change.op_id] = change
		elif change.operation != DELETE:
			waiting.payload.update(change.payload)
			waiting.base_values = {**change.base_values, **waiting.base_values}
		else:
			del self.outbox[waiting.op_id]
			if waiting.operation != CREATE:
				self.outbox[change.op_id] = change

	# --- work that needs one

	def sync(self) -> None:
		"""Push, then pull."""
		self.push()
		self.pull()

	def push(self) -> None:
		"""Send the outbox until it is empty. What stays unanswered stays in it."""
		while due := self._due():
			for change in due:
				change.sent = True
			reply = self._call("hisabi.sync_push", {"items": [change.item() for change in due]})
			for change, answer in zip(due, reply["results"], strict=True):
				self._settle(change, answer)

	def _due(self) -> list[Change]:
		"""The next batch: the oldest change of each record, because a later one builds on its answer."""
		oldest: dict[tuple[str, str], Change] = {}
		for change in self.outbox.values():
			oldest.setdefault(change.key, change)
		return list(oldest.values())[:BATCH]

	def _settle(self, change: Change, answer: dict[str, Any]) -> None:
		"""Take a change out of the outbox; the server has decided about it."""
		del self.outbox[change.op_id]
		self.answers[change.op_id] = change, answer
		if answer["status"] == "conflict":
			self.conflicts.append(Conflict(change, answer))
		elif answer["status"] == "error":
			if answer["error_code"] != "already_settled":  # somebody was faster; the next pull shows how
				self.rejected.append((change, answer))
			if answer["error_code"] == "deleted":
				self.tombstones[change.key] = answer["detail"]["doc_version"]
		elif not answer.get("merged"):
			self._rebase(change.key, answer["doc_version"])

	def _rebase(self, key: tuple[str, str], doc_version: int) -> None:
		"""Changes made on top of an accepted one build on its version, unless others' work came in between."""
		for change in self.outbox.values():
			if change.key == key:
				change.base_version = doc_version

	def pull(self) -> int:
		"""Take over what changed since the last pull; returns the number of items."""
		count = 0
		while True:
			page = self._page()
			for item in page["items"]:
				self._take(item)
			# Kept after the page, so that a page that was lost half way is asked for again.
			self.cursor = page["next_cursor"]
			count += len(page["items"])
			if not page["has_more"]:
				return count

	def _page(self) -> dict[str, Any]:
		position: dict[str, Any] = {"cursor": self.cursor} if self.cursor else {}
		try:
			return self._call("hisabi.sync_pull", {"limit": PAGE, **position})
		except Refused as error:
			if error.code != "resync_required" or not self.cursor:
				raise
		self.replica, self.tombstones, self.cursor = {}, {}, None
		return self._page()

	def _take(self, item: Mapping[str, Any]) -> None:
		key = item["entity_type"], item["client_id"]
		if item["is_deleted"]:
			self.replica.pop(key, None)
			self.tombstones[key] = item["doc_version"]
		else:
			self.tombstones.pop(key, None)
			self.replica[key] = Record(item["doc_version"], item["payload"])

	# --- the line

	def _call(self, method: str, arguments: Mapping[str, Any]) -> Any:
		"""Call a method, again and again while the line or the server fails; the message of its answer."""
		body = {"device_id": self.device_id, "wallet_id": self.wallet_id, **arguments}
		return insist(self.session, f"{self.url}/api/method/{method}", body, self.tries)


def insist(session: requests.Session, url: str, body: Mapping[str, Any], tries: int = TRIES) -> Any:
	"""The message of the answer to a call that is sent until the line and the server let it through."""
	retrying = Retrying(
		retry=retry_if_exception_type((requests.ConnectionError, requests.Timeout, Busy)),
		wait=_wait,
		stop=stop_after_attempt(tries),
		reraise=True,
	)
	return retrying(_post, session, url, body)


def _post(session: requests.Session, url: str, body: Mapping[str, Any]) -> Any:
	response = session.post(url, json=body, timeout=TIMEOUT)
	content = _json(response)
	if response.ok:
		return content["message"]
	if content.get("retryable", response.status_code >= 500):
		raise Busy(_seconds(response.headers.get("Retry-After", "")))
	raise Refused(response.status_code, content)


def _wait(state: RetryCallState) -> float:
	"""Seconds before the next try: random and growing, and never less than the server asks for."""
	return max(BACKOFF(state), getattr(state.outcome.exception(), "retry_after", 0))


def _seconds(text: str) -> int:
	return int(text) if text.isdigit() else 0


def _json(response: requests.Response) -> dict[str, Any]:
	try:
		content = response.json(parse_float=Decimal)
	except ValueError:
		content = {}
	return content if isinstance(content, dict) else {}
