"""What a connector is. A new one is a class of these methods and a row under the hook `sync_connectors`.

Every method raises RemoteError when the other side cannot be reached, refuses, or answers something else than expected.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.runs.client import Client
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.needs import Needs

Model = TypeVar("Model", bound=BaseModel)

MOST_TEXT = 140  # characters of a column
MOST_PAGES = 50_000


@dataclass(frozen=True, slots=True)
class Remote:
	"""A record of the other side. `stamp` is its version as text that sorts by time; `payload` None was not read yet."""

	id: str
	stamp: str = ""
	payload: dict | None = None

	def __post_init__(self) -> None:
		"""Raises RemoteError for an id or a stamp that cannot be stored unchanged: too long, or with `<` in it."""
		for text in (self.id, self.stamp):
			if len(text) > MOST_TEXT or plain(text) != text:
				raise RemoteError("remote_invalid_answer")


@dataclass(frozen=True, slots=True)
class Page:
	"""Some of the other side's records, and the position (JSON) of the next page; None when this was the last."""

	records: list
	next: dict | None = None


@dataclass(frozen=True, slots=True)
class Wish:
	"""Which records to list: changed at or after `since` (a stamp), or those with `ids`. `fields` are those the mapping reads."""

	since: str = ""
	ids: tuple = ()
	fields: tuple = field(default=())


@dataclass(frozen=True, slots=True)
class Step:
	"""Something that the other side lacks, whether it was made now, and why it cannot be made."""

	what: str
	made: bool
	error: str | None = None


@dataclass(frozen=True, slots=True)
class RemoteFile:
	"""An attachment of a record of the other side: `checksum` is the MD5 of its content, where the other side has that."""

	id: str
	record: str
	name: str
	url: str
	size: int = 0
	checksum: str = ""

	def __post_init__(self) -> None:
		"""Raises RemoteError for an id that cannot be stored unchanged."""
		if len(self.id) > MOST_TEXT or plain(self.id) != self.id:
			raise RemoteError("remote_invalid_answer")


class Connector:
	"""Talks to one entity of the other side. `remote_type` and `options` are those of the connection's row."""

	# The pages may shift while they are read, so that a list is read until a whole pass brings nothing new.
	pages_shift = False
	# Documents there are submitted and cancelled.
	submits = False
	# Lists leave out child tables.
	lists_are_flat = False
	# Records there have attachments: `files`, `changed_files`, `content` and `attach`.
	attaches = False

	def __init__(
		self, client: Client, remote_type: str, options: dict[str, Any] | None = None, key_field: str = ""
	) -> None:
		self.client, self.remote_type, self.key_field = client, remote_type, key_field
		self.options = self.check(options or {})

	@staticmethod
	def title() -> str:
		"""What people call it; without one the name in the hook stands."""
		return ""

	@staticmethod
	def headers(auth: str, name: str, secret: str) -> dict[str, str]:
		"""Headers that sign us in with something else than basic authentication; an empty dict where that does."""
		return HEADERS[auth](name, secret) if auth in HEADERS else {}

	@staticmethod
	def check(options: dict[str, Any]) -> Any:
		"""The options as the connector uses them. Raises ValueError."""
		return options

	def test(self) -> None:
		"""Prove that address and credentials work and that the entity is there."""
		self.page(Wish(), None)

	def lacks(self, needs: Needs) -> list[RemoteError]:
		"""What the other side lacks for the row of the connection, as far as that can be asked."""
		self.test()
		return []

	def prepare(self, dry_run: bool) -> list[Step]:
		"""Make there what the connector itself needs, or with `dry_run` only say what is missing."""
		return []

	def page(self, wish: Wish, position: dict[str, Any] | None) -> Page:
		"""The Page at a position (None is the first)."""
		raise NotImplementedError

	def get(self, remote_id: str) -> Remote | None:
		"""The Remote with this id, or None."""
		raise NotImplementedError

	def find(self, key: str) -> Remote | None:
		"""The Remote that was created with this idempotency key, or None."""
		raise NotImplementedError

	def create(self, key: str, payload: dict[str, Any]) -> Remote:
		"""Make a record and return its Remote."""
		raise NotImplementedError

	def create_or_update(
		self, key: str, payload: dict[str, Any], create: Callable[[dict[str, Any]], Remote]
	) -> Remote:
		"""Create a record with our key in its `key_field`, or update the one that an earlier attempt has created.

		A key that is in use there says that the attempt went through, whatever became of its answer.
		"""
		try:
			return create({**payload, self.key_field: key} if self.key_field else payload)
		except RemoteError as error:
			refused = as_rejected(error)
			found = self.find(key) if refused.code == "remote_rejected" else None
			if found is None:
				raise refused from None
			return self.update(found.id, payload, key)

	def update(self, remote_id: str, payload: dict[str, Any], key: str) -> Remote:
		"""Change fields of a record and return its Remote."""
		raise NotImplementedError

	def release(self, remote_id: str) -> Remote | None:
		"""Take our key out of a new record that is linked, where it would be in people's way; its Remote if that was done."""
		return None

	def cancel(self, remote_id: str, key: str) -> None:
		"""Cancel a submitted record; only where `submits`."""
		raise NotImplementedError

	def delete(self, remote_id: str, key: str) -> None:
		"""Remove a record. Raises RemoteError."""
		raise NotImplementedError

	def files(self, remote_ids: Collection[str]) -> list[RemoteFile]:
		"""The attachments of some records."""
		raise NotImplementedError

	def changed_files(
		self, since: str, position: dict[str, Any] | None
	) -> tuple[list[RemoteFile], dict[str, Any] | None]:
		"""(attachments of any record since a stamp, position of the next page or None)."""
		raise NotImplementedError

	def content(self, file: RemoteFile, most: int) -> bytes:
		"""The content, of up to `most` bytes."""
		raise NotImplementedError

	def attach(self, remote_id: str, name: str, content: bytes, is_private: bool) -> RemoteFile:
		"""Attach a file to a record and return it as it is there."""
		raise NotImplementedError


def checked_options(model: type[Model], options: dict[str, Any]) -> Model:
	"""The options as a pydantic model. Raises ValueError that names the first wrong one."""
	try:
		return model.model_validate(options)
	except ValidationError as error:
		first = error.errors()[0]
		raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def as_rejected(error: RemoteError) -> RemoteError:
	"""What is not there cannot be the record that we have just sent: the other side misses something that it names."""
	return RemoteError("remote_rejected", error.detail) if error.code == "remote_missing" else error


HEADERS = {
	"key and secret": lambda name, secret: {"Authorization": f"token {name}:{secret}"},
	"bearer": lambda name, secret: {"Authorization": f"Bearer {secret}"},
	"header": lambda name, secret: {name: secret},
}


def detect_cycle(seen_pages: dict[str, Any] | None, page: Page) -> dict[str, Any]:
	"""What to remember of the pages so far (JSON; None at first). Raises RemoteError remote_endless when pages repeat.

	Each page is compared with a remembered one, which is replaced ever more rarely. So a cycle of any length is found
	(Brent's algorithm), and what is remembered does not grow.
	"""
	trail = seen_pages or {"pages": 0, "steps": 0, "lap": 1, "rows": None, "next": None}
	rows = ids.digest(*(f"{r.id}|{r.stamp}" for r in page.records), size=16) if page.records else None
	following = ids.digest(page.next, size=16) if page.next else None
	if _is_back(trail, rows, following) or trail["pages"] >= MOST_PAGES:
		raise RemoteError("remote_endless")
	seen = {**trail, "pages": trail["pages"] + 1, "steps": trail["steps"] + 1}
	if seen["steps"] < seen["lap"]:
		return seen
	return {**seen, "steps": 0, "lap": 2 * seen["lap"], "rows": rows, "next": following}


def _is_back(trail: Mapping[str, Any], rows: str | None, following: str | None) -> bool:
	return bool((rows and rows == trail["rows"]) or (following and following == trail["next"]))
