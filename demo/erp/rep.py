"""A rep's app for the site contract: an outbox, a replica and one cursor for all spaces, all in memory."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import requests

from demo.client import TIMEOUT, insist

BATCH = 100  # changes of one push
METHOD = "/api/method/hisabi_sync.api.site."
DONE = ("accepted", "duplicate")


@dataclass(frozen=True)
class Record:
	"""A record as the server sent it last; `actions` is what the person may do with it."""

	kind: str
	version: int
	name: str
	values: dict[str, Any]
	spaces: list[str]
	docstatus: int = 0
	actions: list[str] = field(default_factory=list)


class Rep:
	"""One device of a rep. `refused` are (change, result); `spaces` are those that the device has, by (type, key)."""

	def __init__(self, url: str, session: requests.Session) -> None:
		self.url, self.session = url, session
		self.device, self.user = f"rep-{uuid.uuid4()}", ""
		self.outbox: list[dict[str, Any]] = []
		self.photos: dict[str, tuple[str, bytes]] = {}  # record -> (space type and key, content)
		self.replica: dict[tuple[str, str], Record] = {}
		self.spaces: dict[tuple[str, str], str] = {}
		self.refused: list[tuple[dict[str, Any], dict[str, Any]]] = []
		self.answered, self.cursor = 0, None

	def login(self, user: str, password: str) -> None:
		"""Sign in with a password; the device gets a token."""
		self.user = user
		answer = self._call("login", usr=user, pwd=password, device_id=self.device)
		self.session.headers["Authorization"] = f"Bearer {answer['device_token']}"

	# --- work that needs no line

	def create(self, kind: str, *then: str, **values: Any) -> str:
		"""Note a new record, and what is done with it at once; its id, by which others may link to it."""
		identity = str(uuid.uuid4())
		self._note("create", kind, identity, values=values, **({"then": list(then)} if then else {}))
		return identity

	def update(self, kind: str, identity: str, **values: Any) -> None:
		"""Note a change of a record, with the version that the person saw."""
		self._note("update", kind, identity, values=values, base_version=self._version(kind, identity))

	def act(self, kind: str, identity: str, action: str) -> None:
		"""Note an action on a record, such as submit."""
		self._note("action", kind, identity, action=action, base_version=self._version(kind, identity))

	def amend(self, kind: str, identity: str, **values: Any) -> str:
		"""Note a new record in the place of a cancelled one; only what differs is named."""
		new, seen = str(uuid.uuid4()), self._version(kind, identity)
		given = {"args": {"id": new}, "values": values, "base_version": seen}
		self._note("action", kind, identity, action="amend", **given)
		return new

	def photograph(self, identity: str, territory: str, content: bytes) -> None:
		"""Keep a photo for a new contact; it is uploaded before the contact is pushed."""
		self.photos[identity] = territory, content

	def held(self, kind: str) -> dict[str, Record]:
		"""Records of a type by id."""
		return {identity: record for (of, identity), record in self.replica.items() if of == kind}

	def named(self, kind: str, name: str) -> Record | None:
		"""The record of a document, or None."""
		return next((record for record in self.held(kind).values() if record.name == name), None)

	def _note(self, op: str, kind: str, identity: str, **words: Any) -> None:
		self.outbox.append({"op_id": str(uuid.uuid4()), "type": kind, "id": identity, "op": op, **words})

	def _version(self, kind: str, identity: str) -> int:
		"""The version that the person looks at; one that the server does not know yet has 1."""
		record = self.replica.get((kind, identity))
		return record.version if record else 1

	# --- work that needs one

	def sync(self) -> None:
		"""Push the outbox in batches, each of which stays as it is until there is an answer, then pull."""
		self._upload()
		while self.outbox:
			batch = self.outbox[:BATCH]
			for change, result in zip(batch, self._call("push", changes=batch)["results"], strict=True):
				self.answered += 1
				if result["status"] not in DONE:
					self.refused.append((change, result))
			self.outbox = self.outbox[len(batch) :]
		self.pull()

	def pull(self) -> None:
		"""Take what changed in all spaces, page by page."""
		more = True
		while more:
			page = self._call("pull", cursor=self.cursor)
			for space in page["spaces"]["joined"]:
				self.spaces[space["space_type"], space["key"]] = space["space"]
			for change in page["changes"]:
				self._take(change)
			self.cursor, more = page["cursor"], page["has_more"]

	def ask(self, kind: str, **values: Any) -> dict[str, Any]:
		"""What a new record would be like, with all that its controller computes. Nothing is kept."""
		change = {"op_id": str(uuid.uuid4()), "type": kind, "id": str(uuid.uuid4()), "op": "create"}
		(result,) = self._call("push", changes=[{**change, "values": values}], dry_run=True)["results"]
		return result

	def download(self, key: str) -> bytes:
		"""The content of a file that a record names."""
		found = self._call("media_url", key=key)
		return requests.get(found["url"], timeout=TIMEOUT).content

	def _upload(self) -> None:
		for change in self.outbox:
			if change["id"] not in self.photos:
				continue
			territory, content = self.photos.pop(change["id"])
			wanted = {"filename": "photo.png", "content_type": "image/png", "size": len(content)}
			given = self._call("presign", space=self.spaces["territory", territory], **wanted)
			# Without the token, as to a store of its own; what is lost is sent again, and replaces nothing.
			requests.put(
				given["upload_url"], content, headers=given["headers"], timeout=TIMEOUT
			).raise_for_status()
			change["values"]["image"] = given["key"]

	def _take(self, change: dict[str, Any]) -> None:
		key = change["type"], change["id"]
		if change.get("deleted"):
			self.replica.pop(key, None)
			return
		more = change.get("docstatus", 0), change.get("actions") or []
		known = change["version"], change["name"], change["values"], change["spaces"]
		self.replica[key] = Record(change["type"], *known, *more)

	def _call(self, call: str, **given: Any) -> Any:
		return insist(self.session, f"{self.url}{METHOD}{call}", given)
