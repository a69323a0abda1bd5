"""What the calls of the wallet contract take and give. Source: docs/contracts/wallet.md."""

from typing import Any, Literal

from hisabi_sync.api.protocol.schema import (
	Answer,
	Cursor,
	Flag,
	Id,
	Instant,
	ItemCode,
	OpId,
	Part,
	Request,
	Skew,
	Text,
	TextList,
	Time,
	example,
	items,
	payload,
	whole,
)

Payload: Any = payload("wallet")


class InWallet(Request):
	device_id: Text
	wallet_id: Text


class WalletItem(Part):
	"""One change. An update or a delete carries `base_version`, the version that the device last saw, or `base_values`, the
	values that it saw. An update with `resolves`, the id of a conflict, holds the choices for the fields that collided; the rest of
	the change in conflict is merged. A create carries `base_version` only to begin a deleted record again: the version of its tombstone.
	"""

	model_config = example(
		op_id="op-1",
		entity_type="Hisabi Account",
		entity_id="cash",
		operation="create",
		payload={"account_name": "Cash", "account_type": "cash", "currency": "SAR"},
	)

	op_id: OpId
	entity_type: str
	entity_id: Id
	client_id: str | None = None
	operation: Literal["create", "update", "delete"]
	payload: Payload | None = None
	base_version: int | None = None
	base_values: Payload | None = None
	resolves: str | None = None
	wallet_id: str | None = None


class WalletPush(InWallet):
	items: items(WalletItem)
	client_time: Skew = None
	atomic: Flag = False
	dry_run: Flag = False


class WalletPull(InWallet):
	"""With a `cursor` the pull goes on from there; `since` is for a device that has none."""

	cursor: Cursor = None
	since: Instant = None
	limit: whole(1) = None
	entity_types: TextList = None


class WalletAck(InWallet):
	cursor: Cursor


class OpStatus(InWallet):
	op_ids: TextList


class _Result(Answer):
	op_id: str | None
	entity_type: str
	entity_id: str
	client_id: str
	already_applied: Literal[True] = None
	warnings: list[str] = None
	found: Literal[True] = None


class WalletApplied(_Result):
	"""A change that is applied; after a merge `server_record` is what came of it. `adjusted` names what was stored otherwise
	than it was sent.
	"""

	status: Literal["accepted", "duplicate"]
	doc_version: int
	server_modified: Time | None
	merged: Literal[True] = None
	server_record: Payload | None = None
	adjusted: list[str] = None


class WalletConflict(_Result):
	"""A change that was not applied because it would discard somebody's work."""

	status: Literal["conflict"]
	doc_version: int
	server_modified: Time | None
	merged: Literal[True] = None
	client_base_version: int | None
	server_doc_version: int
	server_record: Payload | None
	server_doc: Payload | None
	error_code: str | None
	error_message: str | None
	conflict_id: str | None
	conflict_fields: list[str] | None


class WalletError(_Result):
	"""A change that cannot be applied; `detail` names the fields that are wrong."""

	status: Literal["error"]
	error_code: ItemCode
	error_message: str
	error: str
	detail: Any = None


class WalletMissing(Answer):
	"""An op id that the server has no answer for."""

	op_id: str
	status: Literal["missing"]
	found: Literal[False]


WalletResult = WalletApplied | WalletConflict | WalletError


class WalletPushed(Answer):
	results: list[WalletResult]
	server_time: Time
	cursor: str | None


class PulledItem(Answer):
	"""A record as it is now. A deleted one has an empty payload. `warnings` names fields that are null here although the
	server holds a value, which JSON or the calendar has no form for.
	"""

	entity_type: str
	entity_id: str
	client_id: str
	doc_version: int
	server_modified: Time | None
	payload: Payload
	is_deleted: bool
	deleted_at: Time | None
	warnings: list[str] = None


class WalletPulled(Answer):
	items: list[PulledItem]
	next_cursor: str
	has_more: bool
	server_time: Time


class OpStatuses(Answer):
	results: list[WalletResult | WalletMissing]
	server_time: Time
