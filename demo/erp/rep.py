"""A rep's app for the mobile contract: an outbox, a replica and a token, all in memory."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import requests

from demo.client import insist

DELETE = "delete"
BATCH = 20  # items of one push


@dataclass(frozen=True)
class Record:
	"""A record as the server sent it last; `actions` is what the person may do with it."""

	version: int
	payload: dict[str, Any]
	name: str = ""
	actions: list[str] = field(default_factory=list)


class Rep:
	"""One device in one tenant. `ids` maps temporary ids to those that the server gave; `refused` are (item, result)."""

	def __init__(self, url: str, tenant: str, session: requests.Session) -> None:
		self.url, self.tenant, self.session = url, tenant, session
		self.device = f"rep-{uuid.uuid4()}"
		self.outbox: list[dict[str, Any]] = []
		self.replica: dict[str, Record] = {}
		self.ids: dict[str, str] = {}
		self.refused: list[tuple[dict[str, Any], dict[str, Any]]] = []
		self.answered, self.token = 0, None

	def login(self, user: str, password: str) -> None:
		"""Sign in with a password; the device gets a token."""
		given = {"usr": user, "pwd": password, "device_id": self.device, "contract": "mobile"}
		answer = insist(self.session, f"{self.url}/api/method/hisabi.login", given)
		self.session.headers["Authorization"] = f"Bearer {answer['device_token']}"

	def create(self, kind: str, *then: str, **payload: Any) -> str:
		"""Note a new record, and what is done with it at once; the temporary id by which others may link to it."""
		return self._new(kind, "create", then, payload)

	def amend(self, kind: str, identity: str, **payload: Any) -> str:
		"""Note a new record in the place of a cancelled one; only what differs is named."""
		return self._new(kind, "amend", (), {"amended_from": identity, **payload})

	def _new(self, kind: str, action: str, then: tuple[str, ...], payload: dict[str, Any]) -> str:
		temporary = f"tmp-{uuid.uuid4()}"
		words = {"client_temp_id": temporary, "resource_type": kind, "action": action, "client_version": 1}
		self.outbox.append({**words, "payload": payload, **({"then": list(then)} if then else {})})
		return temporary

	def update(self, kind: str, identity: str, **payload: Any) -> None:
		"""Note a change of a record, with the version that the person saw."""
		self.act(kind, identity, "update", **payload)

	def act(self, kind: str, identity: str, action: str, **payload: Any) -> None:
		"""Note an action on a record, such as submit. One that the server does not know yet has version 1."""
		version = self.replica[identity].version if identity in self.replica else 1
		words = {"resource_type": kind, "action": action, "client_version": version}
		self.outbox.append({**words, "payload": {"id": identity, **payload}})

	def sync(self) -> None:
		"""Push the outbox in batches, each of which stays as it is until there is an answer, then pull."""
		while self.outbox:
			batch = self.outbox[:BATCH]
			for item, result in zip(batch, self._call("push", items=batch)["results"], strict=True):
				self._settle(item, result)
			self.outbox = self.outbox[len(batch) :]
		more = True
		while more:
			page = self._call("pull", since_token=self.token)
			for change in page["changes"]:
				self._take(change)
			self.token, more = page["next_token"], page["has_more"]

	def _settle(self, item: dict[str, Any], result: dict[str, Any]) -> None:
		self.answered += 1
		if result["status"] != "ok":
			self.refused.append((item, result))
		elif item.get("client_temp_id"):
			self.ids[item["client_temp_id"]] = result["server_id"]

	def _take(self, change: dict[str, Any]) -> None:
		if change["action"] == DELETE:
			self.replica.pop(change["id"], None)
			return
		given = change["server_version"], change["payload"], change["name"], change.get("actions") or []
		self.replica[change["id"]] = Record(*given)

	def _call(self, call: str, **given: Any) -> Any:
		body = {"device_id": self.device, "tenant_id": self.tenant, **given}
		return insist(self.session, f"{self.url}/api/method/hisabi_sync.api.mobile.{call}", body)
