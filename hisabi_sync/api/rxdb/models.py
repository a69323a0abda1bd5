"""What the calls of RxDB's dialect take and give. Source: docs/contracts/rxdb.md."""

from typing import Any

from pydantic import ConfigDict, Field, RootModel

from hisabi_sync.api.protocol.schema import (
	Answer,
	Count,
	Json,
	OptionalText,
	Part,
	Request,
	Text,
	objects,
	optional_text,
	whole,
)
from hisabi_sync.engine.model.wide_cursor import LONGEST

LARGEST = 10_000  # documents of a page; the server reads them in parts


class OfCollection(Request):
	"""A collection of all spaces of the user, or of the one that the path names by its type and key.

	`fields` are those that the collection has, separated by commas; without it documents have all that the user reads. `epoch` is
	that of the schema that the app has.
	"""

	collection: Text
	schema_version: whole(0) = None
	space_type: OptionalText = None
	space: OptionalText = None
	fields: optional_text(20_000) = None
	epoch: whole(0) = None


class RxPull(OfCollection):
	"""`id` is what the last checkpoint says, and empty at first. `lwt` is not looked at."""

	id: optional_text(LONGEST, "invalid_cursor") = None
	lwt: Json = None
	limit: whole(1, LARGEST) = None


class RxEvents(OfCollection):
	"""`ticket` is for browsers, whose EventSource cannot send a token."""

	ticket: OptionalText = None


class RxWatch(OfCollection):
	"""`since` is a position of the stream; without it, the stream begins now."""

	since: optional_text(LONGEST, "invalid_cursor") = None


class RxCheckpoint(Answer):
	"""Where the replication stands. `id` says it all; `lwt` grows with it, for people to look at."""

	id: str
	lwt: Count


class RxDocument(Answer):
	"""A document as the collection keeps it: `id`, the fields that have a value, and whether it is deleted."""

	model_config = ConfigDict(extra="allow")
	id: str
	deleted: bool = Field(alias="_deleted")


class RxPulled(Answer):
	"""As many documents as were asked for, or fewer at the end."""

	documents: list[RxDocument]
	checkpoint: RxCheckpoint


class RxRow(Part):
	"""A document as it is to be, and as the client knew the server's, if it knew one."""

	newDocumentState: dict[str, Any]  # the client's own name
	assumedMasterState: dict[str, Any] | None = None


class RxPush(OfCollection):
	"""The body is the list of rows itself."""

	rows: objects(RxRow, "items_required", "item_must_be_an_object")


class RxConflicts(RootModel[list[RxDocument]]):
	"""The documents that the server has in place of the rows that it did not apply; empty if it applied all."""
