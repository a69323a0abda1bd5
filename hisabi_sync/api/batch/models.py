"""What the calls of the batch contract take and give. Field names are those of the wire; source: its document."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, ValidationInfo, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from hisabi_sync.api.protocol.schema import (
	Answer,
	Cursor,
	Flag,
	Id,
	Instant,
	Json,
	OptionalText,
	Part,
	Request,
	Text,
	TextList,
	example,
	whole,
)
from hisabi_sync.engine.model.errors import RequestError

MAX_LIMIT = 5000


def _records(value: Any, info: ValidationInfo) -> list[dict[str, Any]]:
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


def _records_of(item: type[Part]) -> Any:
	"""Type of a list of records; `item` describes them, for they are judged one by one."""
	return Annotated[
		list,
		BeforeValidator(_records),
		WithJsonSchema({"type": "array", "items": item.model_json_schema()}),
	]


class Observation(Part):
	"""What was seen in a field. Of two edits of a draft the later `updatedAt` wins; a confirmed one is only corrected."""

	model_config = example(
		observationId="obs-7", crop="wheat", severity="low", notes="Aphids", status="draft"
	)

	observationId: Id
	serverVersion: int | None = None
	updatedAt: str | None = None
	correctionOf: str | None = None
	correctionReason: str | None = None


class Recommendation(Part):
	"""What should be done in a field; it never changes once it is confirmed."""

	model_config = example(
		recommendationId="rec-7", observationId="obs-1", product="Tebuconazole", dose="0.5"
	)

	recommendationId: Id
	serverVersion: int | None = None
	updatedAt: str | None = None


class PlaybookPatch(Part):
	"""Operations on the rules of a playbook, made for its active version: `op` is add, change or remove."""

	model_config = example(
		patchId="patch-7",
		playbookId="playbook-wheat",
		baseVersion=2,
		reason="Trial",
		operations=[{"op": "change", "ruleId": "aphids", "rule": {"advice": "Spray at dusk"}}],
	)

	patchId: Id
	playbookId: str
	baseVersion: int
	operations: list[dict]
	reason: str | None = None


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

	observations: _records_of(Observation) = []
	recommendations: _records_of(Recommendation) = []
	playbookPatches: _records_of(PlaybookPatch) = []


class SyncBatchRequest(Request):
	"""`farmId` is optional for members of exactly one farm. `limit` is the largest number of records that the answer sends."""

	headers: ClassVar[dict] = {
		"Idempotency-Key": "The same for every try of one call; syncId alone is enough too"
	}

	syncId: Text
	requestedAt: Instant = None
	device: Device | None = None
	lastKnownServerCursor: Cursor = None
	upserts: Upserts | None = None
	farmId: OptionalText = None
	limit: whole(1, MAX_LIMIT) = None
	dryRun: Flag = False
	dry_run: SkipJsonSchema[Flag] = False  # the same, as other contracts call it


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
	"""User name and password are optional for callers who are signed in another way."""

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
