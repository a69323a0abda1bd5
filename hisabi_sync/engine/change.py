"""The engine's words as data: a change, the record it meets, and the outcome."""

from dataclasses import dataclass, field
from datetime import datetime

from hisabi_sync.engine.errors import ItemError, item_message

CREATE, UPDATE, DELETE = OPERATIONS = ("create", "update", "delete")
ACCEPTED, DUPLICATE, CONFLICT, ERROR = "accepted", "duplicate", "conflict", "error"


@dataclass(slots=True)
class Caller:
	"""Who asks: a user in a space with a role, through a device when there is one."""

	user: str
	space: str
	role: str
	device: str | None = None
	space_type: str = ""
	space_key: str = ""
	position: int = 0
	horizon: int = 0
	memo: dict = field(default_factory=dict)  # what rules looked up for this transaction


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
	payload: dict
	base_version: int | None = None
	client_time: datetime | None = None
	fingerprint: str = ""
	raw: object = None
	correction: str | None = None  # the reason for changing what a policy holds to be settled
	based_on: int | None = None  # for policies that count versions of their own: the one it was made for
	intent: dict | None = None  # what the entity type's rule makes values of, once it sees the record
	error: ItemError | None = None
	counted: bool = False  # base_version is the client's own count, which may run ahead of the server's
	values: dict = field(default_factory=dict)
	warnings: list = field(default_factory=list)
	record: str = ""


@dataclass(slots=True)
class Past:
	"""What a version of a record replaced, since which version that had stood, and when it was replaced."""

	version: int
	before: dict
	since: dict
	at: datetime | None = None


@dataclass(slots=True)
class Stored:
	"""A record as the server holds it; the engine's working copy while it goes through a batch."""

	name: str
	entity_type: str
	client_id: str
	document_name: str | None = None
	doc_version: int = 0
	content_version: int = 0
	field_versions: dict = field(default_factory=dict)
	deleted_at: datetime | None = None
	modified: datetime | None = None
	values: dict = field(default_factory=dict)
	history: list = field(default_factory=list)
	loaded_version: int = 0  # the version that the database holds
	written: bool = False  # whether the document is in its table

	@property
	def exists(self):
		return self.doc_version > 0

	@property
	def live(self):
		return self.exists and self.deleted_at is None

	def version_of(self, name):
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
	detail: object = None
	words: dict | None = None
	merged: bool = False
	record: dict | None = None
	base_version: int | None = None
	conflict: str | None = None
	conflict_fields: list | None = None
	warnings: list | None = None
	repeated: bool = False

	@property
	def message(self):
		return item_message(self.code, self.detail, self.words) if self.code else None

	@classmethod
	def of_error(cls, change, error):
		return cls(
			ERROR,
			change.entity_type,
			change.client_id,
			code=error.code,
			detail=error.detail,
			words=error.words or None,
			warnings=change.warnings or None,
		)
