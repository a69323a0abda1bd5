"""What the delta call takes and gives. Source: docs/contracts/delta.md."""

from typing import Any, Literal

from hisabi_sync.api.protocol.schema import (
	Answer,
	Count,
	Cursor,
	Flag,
	Id,
	Instant,
	ItemCode,
	Json,
	OptionalText,
	Part,
	Request,
	Text,
	Time,
	example,
	objects,
	payload,
	whole,
)

MOST_RECORDS = 5000
Data: Any = payload("family")


class EntityChange(Part):
	"""One change. `version` is the one that the client last saw; where it is missing, times decide. `base_values` are what it
	saw of the fields; they count before both. A create with the `version` of a tombstone begins the record again.

	A change sent again is known by all that it says, or by its `op_id`. `priority` is high, normal, low or a number.
	"""

	model_config = example(
		entity_type="task",
		entity_id="uuid-123",
		action="update",
		data={"title": "Updated Task", "status": "done"},
		version=2,
		client_timestamp="2025-11-11T14:30:00Z",
	)

	entity_type: str
	entity_id: Id
	action: Literal["create", "update", "delete"]
	data: Data | None = None
	version: int | None = None
	base_values: Data | None = None
	client_timestamp: str | None = None
	priority: str | int | None = None
	op_id: str | None = None


class Delta(Request):
	"""`cursor` is preferred to `last_sync_at`; both come from the last answer, and neither is there at first.

	`client_time` is what the client's clock shows; without it a clock that is ahead is noticed by its timestamps.
	"""

	device_id: Text
	changes: objects(EntityChange, "changes_required", "invalid_changes")
	last_sync_at: Instant = None
	cursor: Cursor = None
	family_id: OptionalText = None
	client_time: Instant = None
	limit: whole(1, MOST_RECORDS) = None
	atomic: Flag = False
	dry_run: Flag = False


class ServerChange(Answer):
	"""A record as it is now; `data` is empty when it was deleted."""

	entity_type: str
	entity_id: str
	action: Literal["create", "update", "delete"]
	data: Data
	version: int
	client_timestamp: Time | None
	warnings: list[str] = None


class DeltaConflict(Answer):
	"""A change that lost, wholly or in the `fields` that are named; what it wanted is kept under `conflict_id`."""

	entity_type: str
	entity_id: str
	index: Count
	conflict_reason: str
	code: str
	resolution: Literal["server_wins"]
	client_version: Json
	server_version: int | None
	server_data: Data | None
	fields: list[str]
	conflict_id: str | None


class DeltaError(Answer):
	"""A change that was not applied. `caused_by` has the indexes of what undid an atomic request."""

	entity_type: str
	entity_id: str
	index: Count
	action: str
	code: ItemCode
	message: str
	retryable: bool
	detail: Json = None
	caused_by: list[int] = None


class DeltaIgnored(Answer):
	"""Names in a change's data that only the server sets."""

	index: Count
	fields: list[str]


class DeltaAnswer(Answer):
	"""`applied_count`, `error_count` and the number of conflicts add up to the number of changes."""

	server_changes: list[ServerChange]
	conflicts: list[DeltaConflict]
	errors: list[DeltaError]
	ignored: list[DeltaIgnored]
	last_sync_at: Time
	cursor: str
	has_more: bool
	success: bool
	applied_count: Count
	error_count: Count
