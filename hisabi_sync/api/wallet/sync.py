"""The wallet contract: sync_push, sync_pull, sync_ack, sync_op_status. Source: docs/contracts/wallet.md."""

from collections.abc import Mapping
from typing import Any

from hisabi_sync.api.protocol import auth, push_and_pull
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.push_and_pull import page_size, warned
from hisabi_sync.api.protocol.schema import Acknowledged
from hisabi_sync.api.wallet import items as wallet_items
from hisabi_sync.api.wallet.models import sync as models
from hisabi_sync.engine import ledger, positions, pull, push
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import clock, cursor, ids
from hisabi_sync.engine.model.change import CONFLICT, ERROR, Caller, Change, Outcome
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing.spaces import authorise
from hisabi_sync.hisabi_wallet.members import SPACE_TYPE

MAX_OP_IDS = 500


def caller_of(request: models.InWallet) -> Caller:
	"""The Caller of a wallet call from its `device_id` and `wallet_id`."""
	device = auth.device_for(request.device_id)
	space = ids.space(SPACE_TYPE, request.wallet_id)
	return Caller(device.user, space, device.name, SPACE_TYPE, request.wallet_id)


@endpoint("wallet", takes=models.WalletPush, gives=models.WalletPushed)
def sync_push(request: models.WalletPush) -> dict[str, Any]:
	"""Apply a list of changes. Each has its own result; all or none of them are applied when `atomic` is true."""
	caller = caller_of(request)
	changes = wallet_items.read(request.items, caller.space_key)
	options = push.Options("wallet", request.atomic, request.dry_run, request.client_time)
	with push_and_pull.counted_push(caller, changes) as counted:
		result = push.push(counted, changes, options, wallet_items.open_wallet)
	registry, wallet_id = entity_types.registry(), result.caller.space_key
	return {
		"results": [
			_result(change, outcome, wallet_id, registry)
			for change, outcome in zip(changes, result.outcomes, strict=True)
		],
		"server_time": clock.dump(clock.now()),
		"cursor": positions.after_push(result.caller),
	}


def _result(change: Change, outcome: Outcome, wallet_id: str, registry: Registry) -> dict[str, Any]:
	answer: dict[str, Any] = {
		"status": outcome.status,
		"op_id": change.op_id,
		"entity_type": registry.wire_name(change.entity_type),
		"entity_id": change.client_id,
		"client_id": change.client_id,
	}
	answer.update(
		_errors(outcome)
		if outcome.status == ERROR
		else _versions(outcome, _record(change, outcome, wallet_id))
	)
	if outcome.repeated:
		answer["already_applied"] = True
	if outcome.warnings:
		answer["warnings"] = outcome.warnings
	return answer


def _errors(outcome: Outcome) -> dict[str, Any]:
	detail = {"detail": outcome.detail} if outcome.detail is not None else {}
	return {"error_code": outcome.code, "error_message": outcome.message, "error": outcome.code, **detail}


def _record(change: Change, outcome: Outcome, wallet_id: str) -> dict[str, Any] | None:
	"""The server's record as a merge or a conflict shows it: the common fields and those of the entity type."""
	if outcome.record is None:
		return None
	common = {"client_id": change.client_id, "wallet_id": wallet_id, "doc_version": outcome.doc_version}
	return {**common, "server_modified": outcome.server_modified, **outcome.record}


def _versions(outcome: Outcome, record: dict[str, Any] | None) -> dict[str, Any]:
	versions: dict[str, Any] = {
		"doc_version": outcome.doc_version,
		"server_modified": outcome.server_modified,
	}
	if outcome.merged:
		versions.update(merged=True, server_record=record)
	if outcome.adjusted:
		versions["adjusted"] = outcome.adjusted
	if outcome.status == CONFLICT:
		versions.update(_conflict(outcome, record))
	return versions


def _conflict(outcome: Outcome, record: dict[str, Any] | None) -> dict[str, Any]:
	return {
		"client_base_version": outcome.base_version,
		"server_doc_version": outcome.doc_version,
		"server_record": record,
		"server_doc": record,
		"error_code": outcome.code,
		"error_message": outcome.message,
		"conflict_id": outcome.conflict,
		"conflict_fields": outcome.conflict_fields,
	}


@endpoint("wallet", methods=("GET", "POST"), takes=models.WalletPull, gives=models.WalletPulled)
def sync_pull(request: models.WalletPull) -> dict[str, Any]:
	"""A page of what changed after `cursor`. Go on with `next_cursor` until `has_more` is false."""
	caller = caller_of(request)
	since = None if request.cursor else request.since
	start = positions.before(caller, since)
	page = pull.pull(caller, request.cursor, page_size(request.limit), request.entity_types, start)
	return {
		"items": [_item(item, page.caller.space_key) for item in page.items],
		"next_cursor": page.next_cursor,
		"has_more": page.has_more,
		"server_time": page.server_time,
	}


def _item(item: pull.Item, wallet_id: str) -> dict[str, Any]:
	payload = {"client_id": item.client_id, "wallet_id": wallet_id, **item.payload} if item.payload else {}
	return {
		**warned(item),
		"entity_type": item.wire_name,
		"entity_id": item.client_id,
		"client_id": item.client_id,
		"doc_version": item.doc_version,
		"server_modified": clock.dump(item.modified),
		"payload": payload,
		"is_deleted": item.deleted_at is not None,
		"deleted_at": clock.dump(item.deleted_at),
	}


@endpoint("wallet", takes=models.WalletAck, gives=Acknowledged, writes=True)
def sync_ack(request: models.WalletAck) -> dict[str, Any]:
	"""Note that the device holds everything up to `cursor`; a position never moves backwards."""
	caller = authorise(caller_of(request))
	position = cursor.decode(request.cursor or "", caller.space)
	positions.acknowledge(caller, position)
	return {"acknowledged": True, "server_time": clock.dump(clock.now())}


@endpoint("wallet", methods=("GET", "POST"), takes=models.OpStatus, gives=models.OpStatuses)
def sync_op_status(request: models.OpStatus) -> dict[str, Any]:
	"""The stored answers of up to 500 op ids, in their order."""
	caller = authorise(caller_of(request))
	op_ids = request.op_ids
	if op_ids is None or len(op_ids) > MAX_OP_IDS:
		raise RequestError("invalid_argument", argument="op_ids", limit=MAX_OP_IDS)
	stored = ledger.stored(caller, op_ids)
	return {
		"results": [_status(op_id, stored, caller.space_key) for op_id in op_ids],
		"server_time": clock.dump(clock.now()),
	}


def _status(op_id: str, stored: Mapping[str, tuple[Change, Outcome]], wallet_id: str) -> dict[str, Any]:
	found = stored.get(ids.op_key(op_id))
	if found is None:
		return {"op_id": op_id, "status": "missing", "found": False}
	change, outcome = found
	return {**_result(change, outcome, wallet_id, entity_types.registry()), "op_id": op_id, "found": True}
