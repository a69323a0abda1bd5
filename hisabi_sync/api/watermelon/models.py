"""What the calls of WatermelonDB's dialect take and give. Source: docs/contracts/watermelon.md."""

from typing import Any, Literal

from pydantic import ConfigDict

from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.api.protocol.schema import (
	Answer,
	Count,
	ItemCode,
	OptionalText,
	Part,
	Request,
	objects,
	optional_choice,
	optional_text,
	whole,
)


class OfDatabase(Request):
	"""The database of an app: all spaces of the user, or the one that the path names by its type and key.

	`last_pulled_at` is the last `timestamp`; empty, `null`, `undefined` and 0 mean none. `tables` are those that the app has, separated
	by commas, if it does not have all of the schema.
	"""

	space_type: OptionalText = None
	space: OptionalText = None
	last_pulled_at: whole(0) = None
	schema_version: whole(0) = None
	tables: optional_text(20_000) = None
	epoch: whole(0) = None


class WmPull(OfDatabase):
	"""`migration` is what the library says of a new schema. With `dates=ms`, dates and times are milliseconds since 1970."""

	migration: optional_text(50_000) = None
	limit: whole(1, args.MAX_ROWS) = None
	dates: optional_choice("ms", "iso") = None


class WmRow(Answer):
	"""A row: `id`, `doc_version` and the columns; null where nothing stands."""

	model_config = ConfigDict(extra="allow")
	id: str
	doc_version: Count


class WmTable(Answer):
	created: list[WmRow]
	updated: list[WmRow]
	deleted: list[str]


class WmPulled(Answer):
	"""What changed, by table. With `experimentalStrategy` the answer is all that there is."""

	changes: dict[str, WmTable]
	timestamp: Count
	has_more: bool
	experimentalStrategy: Literal["replacement"] = None


class WmChange(Part):
	"""One row of a push: the table, the list in which it stood, and the row or its id."""

	table: str
	list: Literal["created", "updated", "deleted"]
	row: dict[str, Any] | str


class WmPush(OfDatabase):
	"""The body is `{table: {created, updated, deleted}}`, or that as `changes`. With `atomic` all rows are applied or none."""

	rows: objects(WmChange, "items_required", "item_must_be_an_object")
	atomic: whole(0, 1) = None


class WmRejection(Answer):
	table: str
	entity_id: str
	operation: str
	error_code: ItemCode
	message: str
	detail: Any = None
	conflict_id: str | None


class WmPushed(Answer):
	"""Ids of rows that stay as they are on the device, and why."""

	experimentalRejectedIds: dict[str, list[str]]
	rejected: list[WmRejection]
