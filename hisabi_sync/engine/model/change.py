"""The engine's terms as data: caller, change, stored record, outcome."""

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
	"""A bug: the role or position of a caller was used before `spaces.authorise` looked it up."""


@dataclass(frozen=True, slots=True)
class Membership:
	"""The role of a user in a space, and the position and horizons of the space when it was looked up.

	`horizons` are those of entity types that have their own, beyond `horizon`.
	"""

	role: str
	space_type: str
	space_key: str
	position: int = 0
	horizon: int = 0
	horizons: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Allowance:
	"""What a push may keep of refused items, in bytes, and counts of what it left behind by the name of a budget.

	`made` counts the open transaction, `kept` what is committed.
	"""

	bytes_left: float = float("inf")
	made: Counter[str] = field(default_factory=Counter)
	kept: Counter[str] = field(default_factory=Counter)

	def begin(self) -> None:
		"""Begin a transaction, or begin it again."""
		self.made = Counter()

	def commit(self) -> None:
		"""Count what the transaction left behind as kept."""
		self.kept.update(self.made)
		self.made = Counter()

	def failed(self, text: str, kept_size: int | None) -> str:
		"""What may be kept of the text of a refused item. `kept_size` is the size in bytes that the ledger has of it, None if new."""
		self.made["failed_items"] += kept_size is None
		size = len(text.encode("utf-8", "replace"))
		grown = max(size - (kept_size or 0), 0)
		if (
			grown > SHORTENED_TO
			and grown > self.bytes_left - self.kept["failed_bytes"] - self.made["failed_bytes"]
		):
			return shortened(text, size)
		self.made["failed_bytes"] += grown
		return text


def shortened(text: str, size: int) -> str:
	"""JSON in the place of a text that is not kept: its size, and how it begins."""
	said = json.dumps({"bytes": size, "begins": text[:SHORTENED_TO]}, ensure_ascii=False)
	return f"{NOT_KEPT}{said}}}"


@dataclass(frozen=True, slots=True)
class Caller:
	"""Who calls: a user in a space, through a device if there is one.

	`spaces.authorise` returns a copy with the membership; before that, `role` and `position` raise NotAuthorised. Copies of a
	Caller share `memo` and `allowance`.
	"""

	user: str
	space: str
	device: str | None = None
	space_type: str = ""
	space_key: str = ""
	also: str | None = None  # the person who acts for the user; the rights of both are needed
	reviews: bool = False  # may decide about the work of others, whatever their role in the space
	membership: Membership | None = None
	memo: dict[Any, Any] = field(default_factory=dict)  # what rules looked up for this transaction
	allowance: Allowance = field(default_factory=Allowance)

	@classmethod
	def of_system(cls, user: str, space: str, space_type: str = "", space_key: str = "") -> "Caller":
		"""For hooks and jobs, which need no membership."""
		return cls(user, space, None, space_type, space_key, reviews=True)

	@property
	def role(self) -> str:
		"""The role in the space: viewer, member, admin or owner."""
		return self._member.role

	@property
	def position(self) -> int:
		"""The last number of the space when the caller was authorised."""
		return self._member.position

	@property
	def horizon(self) -> int:
		"""The position up to which tombstones of the space may be gone."""
		return self._member.horizon

	@property
	def horizons(self) -> Mapping[str, int]:
		"""{mark of an entity type: its own horizon}."""
		return self._member.horizons

	@property
	def _member(self) -> Membership:
		if self.membership is None:
			raise NotAuthorised(f"{self.user} was not authorised in the space {self.space}")
		return self.membership

	@property
	def users(self) -> tuple[str, ...]:
		"""All users whose rights are needed."""
		return (self.user, self.also) if self.also else (self.user,)

	@property
	def is_device(self) -> bool:
		"""Whether a device called, and no person acts for its user."""
		return self.device is not None and self.also is None


@dataclass(slots=True)
class Change:
	"""Create, update or delete of one record, or an action on it, as a device sent it.

	`operation` of an action is its name, such as `submit` (see `model.actions`). `error` is set if the contract found the item
	malformed. Such a change is kept and answered, but never applied.
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
	text: str | None = None  # `raw` as JSON, for the ledger
	correction: str | None = None  # the reason for changing a record that its policy has closed
	base_values: dict[str, Any] | None = (
		None  # values that the device had before its change, as they were sent
	)
	resolves: str | None = None  # the conflict of an earlier change that this one settles
	rest: "Change | None" = None  # that earlier change, as it would be sent today
	based_on: int | None = None  # for policies that count versions of their own: the version it was made for
	# What the rule of the entity type turns into values when it sees the record.
	intent: dict[str, Any] | None = None
	error: ItemError | None = None
	args: dict[str, Any] | None = None  # of an action that is a method
	looked_at: frozenset[str] = frozenset()  # the fields that the caller may read, for actions
	then: tuple[str, ...] = ()  # actions that follow a create or update within the same change
	amends: str | None = None  # a create in the place of a cancelled record: the client id of that one
	amended_record: str = ""  # the Sync Record of that one
	missing_only: bool = False  # a create that changes nothing if the record exists
	in_parts: bool = False  # lists and objects of the payload name only what they set; the rest of them stays
	# {table: (names of rows that it changes, names of rows that it removes)}, where the list in the payload is not the whole table
	row_edits: dict[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
	leads: dict[str, Any] = field(
		default_factory=dict
	)  # what it says of its space in fields that devices do not have
	counted: bool = False  # base_version is the client's own count, which may run ahead of the server's
	values: dict[str, Any] = field(default_factory=dict)
	# Canonical values of base_values, as far as they are known.
	base: dict[str, Any] = field(default_factory=dict)
	warnings: list[str] = field(default_factory=list)
	redirected: list[str] = field(
		default_factory=list
	)  # links to documents that were merged into others since
	cleaned: bool = False  # its HTML was changed, because some of it may not be stored
	record: str = ""
	# The op id for a change whose first one was used by a change that left the record in the version that both name.
	other_op_id: str | None = None
	undoings: int = 0  # how often the whole transaction was rolled back while this change was being saved
	device: str | None = None

	@property
	def is_action(self) -> bool:
		"""Whether it asks for an action, not for a create, an update or a delete."""
		return self.operation not in OPERATIONS


@dataclass(slots=True)
class Past:
	"""The values that a version of a record replaced, the versions that had set those, and when and by which device."""

	version: int
	before: dict[str, Any]
	since: dict[str, int]
	at: datetime | None = None
	device: str | None = None


@dataclass(slots=True)
class Stored:
	"""A record as the server has it: the engine's working copy during a transaction."""

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
	maker: str | None = None  # the device that made it, if one did
	began: int = 1  # the version in which the record was made, or last made again after a delete
	entered: int = 1  # the version with which it came into its space for the first time
	loaded_version: int = 0  # the version that the database holds
	written: bool = False  # whether the document is in its table
	lost: bool = False  # its document vanished without a tombstone
	second_readings: str | None = (
		None  # second readings of its times, as its row has them (see `store.second_readings`)
	)
	digest: str | None = None  # of the values that its row was written with (see `digests`)
	merged_into: str | None = None  # of a tombstone: the record of the document that its own was merged into

	@property
	def exists(self) -> bool:
		"""Whether the record has a version; a new working copy has none."""
		return self.doc_version > 0

	@property
	def live(self) -> bool:
		"""Whether the record exists and is no tombstone."""
		return self.exists and self.deleted_at is None

	def version_of(self, name: str) -> int:
		"""The version in which the field got its present value."""
		return self.field_versions.get(name, 1)


@dataclass(slots=True)
class Outcome:
	"""The result of a change. `record` has the wire values of the record after a merge and in a conflict.

	`document_name` is that of the document as it was after the change, if there was one.
	"""

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
	adjusted: list[str] | None = None  # what was stored otherwise than it was sent
	failures: int = 0  # how often in succession the change has met a mistake of the server
	# The action of `then` that was refused while the rest was accepted: {action, code, message}.
	left_undone: dict[str, Any] | None = None
	record: dict[str, Any] | None = None
	base_version: int | None = None
	conflict: str | None = None
	conflict_fields: list[str] | None = None
	warnings: list[str] | None = None
	repeated: bool = False
	document_name: str | None = None
	# Of a dry run: the spaces of the caller in which the record would lie, and its files.
	spaces: list[str] | None = None
	attachments: list[Any] | None = None

	@property
	def message(self) -> str | None:
		"""The sentence of its error in the reader's language, None without an error."""
		return self.said()

	def said(self, language: str | None = None) -> str | None:
		"""The sentence for the code, in the caller's language or a given one."""
		return item_message(self.code, self.detail, self.words, language) if self.code else None

	@classmethod
	def of_error(cls, change: Change, error: ItemError) -> "Outcome":
		"""The answer to a change that an error ends."""
		return cls(
			ERROR,
			change.entity_type,
			change.client_id,
			code=error.code,
			detail=error.detail,
			words=error.words or None,
			warnings=change.warnings or None,
		)
