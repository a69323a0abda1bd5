"""A rep's app for the mobile contract: an outbox, a replica and a token, all in memory."""

import uuid
from dataclasses import dataclass
from typing import Any

import requests

from demo.client import insist

DELETE = "delete"


@dataclass(frozen=True)
class Record:
	version: int
	payload: dict[str, Any]


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
		given = {"usr": user, "pwd": password, "device_id": self.device, "contract": "mobile"}
		answer = insist(self.session, f"{self.url}/api/method/hisabi.login", given)
		self.session.headers["Authorization"] = f"Bearer {answer['device_token']}"

	def create(self, kind: str, **payload: Any) -> str:
		"""Note a new record; the temporary id by which others may link to it before the server knows it."""
		temporary = f"tmp-{uuid.uuid4()}"
		words = {"client_temp_id": temporary, "resource_type": kind, "action": "create", "client_version": 1}
		self.outbox.append({**words, "payload": payload})
		return temporary

	def update(self, kind: str, identity: str, **payload: Any) -> None:
		"""Note a change of a record, with the version that the person saw."""
		words = {"resource_type": kind, "action": "update", "client_version": self.replica[identity].version}
		self.outbox.append({**words, "payload": {"id": identity, **payload}})

	def sync(self) -> None:
		"""Push the outbox, which stays as it is until there is an answer, then pull."""
		if self.outbox:
			for item, result in zip(
				self.outbox, self._call("push", items=self.outbox)["results"], strict=True
			):
				self._settle(item, result)
			self.outbox = []
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
		else:
			self.replica[change["id"]] = Record(change["server_version"], change["payload"])

	def _call(self, call: str, **given: Any) -> Any:
		body = {"device_id": self.device, "tenant_id": self.tenant, **given}
		return insist(self.session, f"{self.url}/api/method/hisabi_sync.api.mobile.{call}", body)
