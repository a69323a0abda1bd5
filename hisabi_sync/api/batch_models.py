"""What the calls of the batch contract take and give. Field names are those of the wire; source: its document."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, WithJsonSchema

from hisabi_sync.api.schema import (
	Answer,
	Cursor,
	Flag,
	Instant,
	Json,
	OptionalText,
	Request,
	Text,
	TextList,
	whole,
)
from hisabi_sync.engine.errors import RequestError

MAX_LIMIT = 5000


def _records(value, info):
	"""A list of objects; null is an empty one."""
	place = f"upserts.{info.field_name}"
	if value is None:
		return []
	if not isinstance(value, list):
		raise RequestError("items_must_be_a_list", argument=place)
	for position, item in enumerate(value):
		if not isinstance(item, dict):
			raise RequestError("item_must_be_an_object", argument=f"{place}[{position}]")
	return value


def _records_of(**names):
	"""Type of a list of records, by the JSON types of the names that identify them; the other names are the entity type's."""
	properties = {name: {"type": kind} for name, kind in names.items()}
	item = {"type": "object", "required": [next(iter(names))], "properties": properties}
	return Annotated[list[dict], BeforeValidator(_records), WithJsonSchema({"type": "array", "items": item})]


class Device(Request):
	"""The device as it describes itself; of two descriptions the one with the later `updatedAt` counts."""

	deviceId: OptionalText = None
	name: OptionalText = None
	platform: OptionalText = None
	model: OptionalText = None
	osVersion: OptionalText = None
	appVersion: OptionalText = None
	locale: OptionalText = None
	updatedAt: Instant = None


class Upserts(Request):
	model_config = ConfigDict(extra="allow")

	observations: _records_of(observationId="string", serverVersion="integer", updatedAt="string") = []
	recommendations: _records_of(recommendationId="string", serverVersion="integer", updatedAt="string") = []
	playbookPatches: _records_of(
		patchId="string", playbookId="string", baseVersion="integer", operations="array", reason="string"
	) = []


class SyncBatchRequest(Request):
	"""`farmId` may be left out by who is a member of one farm, `limit` is the most records sent down."""

	syncId: Text
	requestedAt: Instant = None
	device: Device | None = None
	lastKnownServerCursor: Cursor = None
	upserts: Upserts | None = None
	farmId: OptionalText = None
	limit: whole(1, MAX_LIMIT) = None
	dryRun: Flag = False
	dry_run: Flag = False


class AcceptedCounts(Answer):
	observations: int
	recommendations: int
	playbookPatches: int


class Accepted(Answer):
	"""`serverVersion` of a patch is the playbook's version that it made; `ignored` names what only the server sets."""

	entity: str
	id: str
	serverVersion: int | None
	duplicate: bool
	merged: bool
	ignored: list[str]


class Conflict(Answer):
	"""A record that was not taken, and what the app can do: rebase, correct, refresh or none."""

	entity: str
	id: str
	code: str
	reason: str
	clientVersion: int | None
	serverVersion: int | None
	serverRecord: dict | None
	retryable: bool
	action: str
	conflictId: str | None
	details: Json


class Playbook(Answer):
	playbookId: str
	version: int
	title: str | None
	crop: str | None
	status: str
	serverModified: str


class Deleted(Answer):
	entity: str
	id: str
	serverVersion: int


class Downstream(Answer):
	"""`playbook` is the farm's playbook that changed last; `playbooks` are those that changed, with their rules."""

	playbook: Playbook | None
	playbooks: list[dict]
	observations: list[dict]
	recommendations: list[dict]
	deleted: list[Deleted]


class SyncBatchResponse(Answer):
	syncId: str
	acceptedAt: str
	serverCursor: str
	hasMore: bool
	acceptedCounts: AcceptedCounts
	accepted: list[Accepted]
	conflicts: list[Conflict]
	downstream: Downstream


class TokenRequest(Request):
	"""User name and password may be left out by who is signed in otherwise."""

	deviceId: Text
	username: OptionalText = None
	password: Json = None
	name: OptionalText = None
	platform: OptionalText = None
	scopes: TextList = None


class RotateRequest(Request):
	deviceId: OptionalText = None


class Token(Answer):
	deviceToken: str
	deviceId: str
	scopes: list[str]
	expiresAt: str
