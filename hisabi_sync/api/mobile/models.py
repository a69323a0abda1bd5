"""What the calls of the mobile contract take and give. Source: docs/contracts/mobile.md."""

from typing import Any, ClassVar, Literal

from hisabi_sync.api.media.models import WantedFile
from hisabi_sync.api.protocol.schema import (
	Answer,
	Count,
	Cursor,
	Flag,
	ItemCode,
	Mapping,
	OptionalText,
	Part,
	Reason,
	Request,
	Text,
	TextList,
	Time,
	choice,
	example,
	items,
	payload,
	whole,
)
from hisabi_sync.engine.conflicts.conflict_rows import CHOICES

Payload: Any = payload("tenant")


class InTenant(Request):
	"""Without a tenant here: the tenant of the header, else the first that the user joined.

	With a `space_type` that people made on the site, `tenant_id` is the key of a space of that type.
	"""

	headers: ClassVar[dict] = {"X-Tenant-ID": "The tenant, where the arguments name none"}

	tenant_id: OptionalText = None
	space_type: OptionalText = None
	device_id: OptionalText = None


class MobileItem(Part):
	"""One change. A create has a `client_temp_id`; the others name the record in the payload, under `id`.

	`base_values` are what the device saw of the fields before it changed them; they count before `client_version`.
	`action` is `create`, `update`, `delete`, or an action that the entity type allows: `submit`, `cancel`, `workflow:NAME`,
	`method:NAME` (with `args`), or `amend`, which makes a new record in the place of the cancelled one in `payload.amended_from`.
	`then` has actions that follow a create, an update or an amendment at once.
	"""

	model_config = example(
		client_temp_id="tmp-1",
		resource_type="meter",
		action="create",
		payload={"code": "M-1", "kind": "water"},
		client_version=1,
	)

	client_temp_id: str | None = None
	resource_type: str
	action: str
	payload: Payload | None = None
	client_version: int
	base_values: Payload | None = None
	then: list[str] | None = None
	args: dict[str, Any] | None = None


class MobilePush(InTenant):
	"""`client_sync_token` is the client's own position; this call does not depend on it."""

	items: items(MobileItem)
	client_sync_token: OptionalText = None
	atomic: Flag = False
	dry_run: Flag = False


class MobilePull(InTenant):
	since_token: Cursor = None
	limit: whole(1) = None
	resource_types: TextList = None


class MobileAck(InTenant):
	ack_token: Cursor


class MobileSpaces(Request):
	space_type: OptionalText = None


class MobileSpace(Answer):
	"""`role` is the user's own in the space; a viewer cannot push."""

	space_type: str
	tenant_id: str
	title: str | None
	role: Literal["viewer", "member", "admin", "owner"]
	status: str


SPACE = tuple(MobileSpace.model_fields)


class MobileSpacesHeld(Answer):
	spaces: list[MobileSpace]


class MobileResolution(Request):
	"""A manual merge, and nothing else, has a `payload`: the values that the record is to have."""

	conflict_id: Text
	resolution: choice(*CHOICES)
	payload: Mapping = {}
	server_version: whole(0) = None
	reason: Reason = None
	dry_run: Flag = False


class Replay(Request):
	batch_id: Text


class MobilePresign(InTenant, WantedFile):
	"""The file that is going to be uploaded. If `size` (bytes) or `sha256` is given, the upload must match it."""


class MobileDownload(InTenant):
	key: Text


class _Result(Answer):
	client_temp_id: str | None
	server_id: str | None
	ignored: list[str] = None


class LeftUndone(Answer):
	"""An action of `then` that was refused while the rest of the item was applied."""

	action: str
	error_code: ItemCode
	error: str


class MobileApplied(_Result):
	"""`name` is that of the document on the site, such as the number of an order. After an action, `server_payload` is the record."""

	status: Literal["ok"]
	server_version: int
	name: str = None
	merged: Literal[True] = None
	server_payload: Payload | None = None
	adjusted: list[str] = None
	left_undone: LeftUndone = None


class MobileConflict(_Result):
	"""The record was changed since; `server_payload` is what it holds now."""

	status: Literal["conflict"]
	error: str
	error_code: Literal["version_mismatch"]
	conflict_id: str | None
	server_version: int | None
	server_payload: Payload | None
	conflict_fields: list[str] | None


class MobileTaken(_Result):
	"""Another record, `held_by`, has the value that must be unique."""

	status: Literal["conflict"]
	error: str
	error_code: Literal["unique_violation"]
	field: str | None
	held_by: str | None
	conflict_id: str | None
	server_version: int | None
	server_payload: Payload | None


class MobileError(_Result):
	status: Literal["error"]
	error: str
	error_code: ItemCode
	retryable: bool
	detail: Any = None
	server_version: int = None
	is_deleted: Literal[True] = None


MobileResult = MobileApplied | MobileConflict | MobileTaken | MobileError


class MobilePushed(Answer):
	batch_id: str | None
	processed_at: Time
	results: list[MobileResult]
	server_sync_token: str | None


class MobileReplayed(Answer):
	batch_id: str
	processed_at: Time
	results: list[MobileResult]
	replayed: Count
	server_sync_token: str | None


class MobileChange(Answer):
	"""`name` is that of the document on the site; a delete has none. `actions` are what the user may do with it now."""

	id: str
	resource_type: str
	action: Literal["create", "update", "delete"]
	payload: Payload | None
	server_version: int
	server_modified: Time | None
	name: str = None
	actions: list[str] = None
	warnings: list[str] = None


class MobilePulled(Answer):
	next_token: str
	changes: list[MobileChange]
	has_more: bool
	server_time: Time


class MobileSettled(Answer):
	"""What became of a conflict, and the record as it is now."""

	conflict_id: str
	status: str
	resolution: str | None
	reason: str | None
	resolved_by: str | None
	resolved_at: Time | None
	resolved_version: int | None
	server_version: int | None
	server_modified: Time | None
	is_deleted: bool
	server_payload: Payload | None
	resource_type: str | None
