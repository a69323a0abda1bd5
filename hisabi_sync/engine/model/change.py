"""The engine's words as data: a change, the record it meets, and the outcome."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hisabi_sync.engine.model.errors import ItemError, item_message

CREATE, UPDATE, DELETE = OPERATIONS = ("create", "update", "delete")
ACCEPTED, DUPLICATE, CONFLICT, ERROR = "accepted", "duplicate", "conflict", "error"

SHORTENED_TO = 200  # characters that are kept of what is too large to be kept
NOT_KEPT = '{"not_kept": '


class NotAuthorised(Exception):
	"""The program asked what a caller is in a space before `spaces.authorise` had looked it up."""


@dataclass(frozen=True, slots=True)
class Membership:
	"""What a user is in a space, and where the space stood when that was looked up.

	`horizons` are those of entity types whose own is farther than `horizon`.
	"""

	role: str
	space_type: str
	space_key: str
	position: int = 0
	horizon: int = 0
	horizons: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Allowance:
	"""Bytes that may be kept, and counts by the name of a budget: of this transaction, and of what is committed."""

	bytes_left: float = float("inf")
	made: Counter[str] = field(default_factory=Counter)
	kept: Counter[str] = field(default_factory=Counter)

	def begin(self) -> None:
		"""A transaction begins, perhaps once more."""
		self.made = Counter()

	def commit(self) -> None:
		self.kept.update(self.made)
		self.made = Counter()

	def failed(self, text: str, held: int | None) -> str:
		"""What is kept of a refused item's text; `held` is what a repeat of it holds already, in bytes, or None."""
		self.made["failed_items"] += held is None
		size = len(text.encode("utf-8", "replace"))
		grown = max(size - (held or 0), 0)
		if (
			grown > SHORTENED_TO
			and grown > self.bytes_left - self.kept["failed_bytes"] - self.made["failed_bytes"]
		):
			return shortened(text, size)
		self.made["failed_bytes"] += grown
		return text


def shortened(text: str, size: int) -> str:
	"""JSON that tells what is missing."""
	said = json.dumps({"bytes": size, "begins": text[:SHORTENED_TO]}, ensure_ascii=False)
	return f"{NOT_KEPT}{said}}}"


@dataclass(frozen=True, slots=True)
class Caller:
	"""Who asks: a user in a space, through a device when there is one.

	`spaces.authorise` gives the Caller with the membership; before that nobody knows the role. Copies of a Caller share
	`memo` and `allowance`.
	"""

	user: str
	space: str
	device: str | None = None
	space_type: str = ""
	space_key: str = ""
	also: str | None = None  # the person who decides for the user, and whose rights are needed too
	reviews: bool = False  # may judge the work of others, and is bound to no role of the space
	membership: Membership | None = None
	memo: dict[Any, Any] = field(default_factory=dict)  # what rules looked up for this transaction
	allowance: Allowance = field(default_factory=Allowance)

	@classmethod
	def of_system(cls, user: str, space: str, space_type: str = "", space_key: str = "") -> "Caller":
		"""For what no contract asked for, such as hooks and jobs: nobody's membership was looked up, none is needed."""
		return cls(user, space, None, space_type, space_key, reviews=True)

	@property
	def role(self) -> str:
		return self._member.role

	@property
	def position(self) -> int:
		return self._member.position

	@property
	def horizon(self) -> int:
		return self._member.horizon

	@property
	def horizons(self) -> Mapping[str, int]:
		return self._member.horizons

	@property
	def _member(self) -> Membership:
		if self.membership is None:
			raise NotAuthorised(f"{self.user} was not authorised in the space {self.space}")
		return self.membership

	@property
	def users(self) -> tuple[str, ...]:
		"""Everybody whose rights are asked for."""
		return (self.user, self.also) if self.also else (self.user,)

	@property
	def is_device(self) -> bool:
		"""Whether a device says what it wants; a person learns at once what they may not do."""
		return self.device is not None and self.also is None


@dataclass(slots=True)
class Change:
	"""Create, update or delete of one record as a device sent it.

	`error` is set when the contract found the item malformed; such a change is stored and answered, never applied.
	"""

	index: int
	op_id: str | None
	entity_type: str
	client_id: str
	operation: str
	payload: dict[str, Any]
	base_version: int | None = None
	client_time: datetime | None = None
	fingerprint: str = ""
	raw: Any = None
	correction: str | None = None  # the reason for changing what a policy holds to be settled
	base_values: dict[str, Any] | None = None  # what the device saw of the fields, as it was sent
	resolves: str | None = None  # the conflict of an earlier change that this one settles
	rest: "Change | None" = None  # that earlier change, as it would be sent today
	based_on: int | None = None  # for policies that count versions of their own: the one it was made for
	# What the entity type's rule makes values of, once it sees the record.
	intent: dict[str, Any] | None = None
	error: ItemError | None = None
	missing_only: bool = False  # a create that leaves a record as it is which is there already
	in_parts: bool = False  # the payload's lists and objects name what they set; the rest of them stays
	counted: bool = False  # base_version is the client's own count, which may run ahead of the server's
	values: dict[str, Any] = field(default_factory=dict)
	# Canonical values of base_values, as far as they can be told.
	base: dict[str, Any] = field(default_factory=dict)
	warnings: list[str] = field(default_factory=list)
	cleaned: bool = False  # HTML in it was changed, because not all of it may be stored
	record: str = ""
	undoings: int = 0  # how often the whole transaction was rolled back while this change was being saved
	device: str | None = None


@dataclass(slots=True)
class Past:
	"""What a version of a record replaced, since which version that had stood, and when and by which device."""

	version: int
	before: dict[str, Any]
	since: dict[str, int]
	at: datetime | None = None
	device: str | None = None


@dataclass(slots=True)
class Stored:
	"""A record as the server holds it; the engine's working copy while it goes through a batch."""

	name: str
	entity_type: str
	client_id: str
	document_name: str | None = None
	doc_version: int = 0
	content_version: int = 0
	field_versions: dict[str, int] = field(default_factory=dict)
	deleted_at: datetime | None = None
	modified: datetime | None = None
	values: dict[str, Any] = field(default_factory=dict)
	history: list[Past] = field(default_factory=list)
	maker: str | None = None  # the device that made it, where one did
	began: int = 1  # the version with which its present life began
	loaded_version: int = 0  # the version that the database holds
	written: bool = False  # whether the document is in its table
	lost: bool = False  # its document went without a tombstone
	second_readings: str | None = None  # of its times, as its row has them (see `autumn`)
	digest: str | None = None  # of the values that its row was written with (see `digests`)

	@property
	def exists(self) -> bool:
		return self.doc_version > 0

	@property
	def live(self) -> bool:
		return self.exists and self.deleted_at is None

	def version_of(self, name: str) -> int:
		"""The version in which the field got its present value."""
		return self.field_versions.get(name, 1)


@dataclass(slots=True)
class Outcome:
	"""What became of a change. `record` holds wire values and is there after a merge and in a conflict."""

	status: str
	entity_type: str = ""
	client_id: str = ""
	doc_version: int = 0
	server_modified: str | None = None
	record_name: str | None = None
	code: str | None = None
	detail: Any = None
	words: dict[str, Any] | None = None
	merged: bool = False
	record: dict[str, Any] | None = None
	base_version: int | None = None
	conflict: str | None = None
	conflict_fields: list[str] | None = None
	warnings: list[str] | None = None
	repeated: bool = False

	@property
	def message(self) -> str | None:
		return self.said()

	def said(self, language: str | None = None) -> str | None:
		"""The sentence for the code, in the caller's language or a given one."""
		return item_message(self.code, self.detail, self.words, language) if self.code else None

	@classmethod
	def of_error(cls, change: Change, error: ItemError) -> "Outcome":
		return cls(
			ERROR,
			change.entity_type,
			change.client_id,
			code=error.code,
			detail=error.detail,
			words=error.words or None,
			warnings=change.warnings or None,
		)
