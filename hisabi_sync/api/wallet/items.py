"""From the items of a wallet push to changes. Source: docs/contracts/wallet.md, sync_push."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.api.protocol import item_reader
from hisabi_sync.engine import ledger
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.judge import validate
from hisabi_sync.engine.model import clock, ids, strict_json
from hisabi_sync.engine.model.change import CREATE, OPERATIONS, Caller, Change
from hisabi_sync.engine.model.errors import ItemError, RequestError
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_wallet.members import SPACE_TYPE, WALLET

MAX_OP_ID = 140
DEFAULT_LIMIT = 200
# Of an item's envelope the ledger keeps what the contract knows.
KEPT = (
	*("op_id", "entity_type", "entity_id", "client_id", "operation", "payload", "base_version", "wallet_id"),
	*("base_values", "resolves"),
)
# What the fingerprint of an op id is made of. ADDED counts only where it is sent, so that old fingerprints stay valid.
MEANT, ADDED = ("entity_type", "operation", "payload", "base_version"), ("base_values", "resolves")
IDENTITY = ("client_id", "wallet_id")


def read(items: Sequence[Any], wallet_id: str) -> list[Change]:
	"""Changes for the items. Raises RequestError for what rejects the whole push."""
	item_reader.require_room(items, frappe.get_cached_doc("Sync Settings").max_push_items or DEFAULT_LIMIT)
	item_reader.require_objects(items)
	registry = entity_types.registry()
	_check_types(items, registry)
	return [_read(index, item, wallet_id, registry) for index, item in enumerate(items)]


def read_again(items: Sequence[Any], caller: Caller) -> list[Change]:
	"""Changes for items that are processed again."""
	return read(items, caller.space_key)


def _check_types(items: Sequence[dict[str, Any]], registry: Registry) -> None:
	sound = [item for item in items if not isinstance(item, strict_json.Odd)]
	sent = [item.get("entity_type") for item in sound if item.get("entity_type") not in (None, "")]
	unsupported = [
		name for name in sent if not isinstance(name, str) or registry.name_of(SPACE_TYPE, name) is None
	]
	if unsupported:
		raise RequestError(
			"unsupported_entity_type", entity_types=[str(name)[:140] for name in unsupported[:10]]
		)


def _read(index: int, item: dict[str, Any], wallet_id: str, registry: Registry) -> Change:
	change = Change(index, None, "", "", "", {}, raw={name: item[name] for name in KEPT if name in item})
	item_reader.fill(change, item, lambda: _fill(change, item, wallet_id, registry), registry)
	return change


def _fill(change: Change, item: dict[str, Any], wallet_id: str, registry: Registry) -> None:
	change.op_id = _op_id(item)
	named = _text(item.get("entity_type"))
	change.entity_type = registry.name_of(SPACE_TYPE, named) or named
	change.client_id = _text(item.get("entity_id")) or _text(item.get("client_id"))
	change.operation = _text(item.get("operation"))
	meant = (*(item.get(name) for name in MEANT), change.client_id, *validate.added(item, *ADDED))
	change.fingerprint = ledger.fingerprint(*meant)
	_check_names(change, item)
	_check_open(change, named, registry)
	change.payload = _payload(change, item, wallet_id, registry)
	change.resolves = _resolves(change.operation, item.get("resolves"))
	change.base_values = validate.base_values(item.get("base_values"), change)
	change.base_version = _base_version(change, item.get("base_version"), registry)
	change.client_time = _client_time(change.payload)


def _check_open(change: Change, named: str, registry: Registry) -> None:
	"""Only an odd item comes this far with a type that nobody has: others refuse the whole push."""
	if registry.name_of(SPACE_TYPE, named) is None:
		raise ItemError("invalid_value", ["entity_type"])
	registry.check_open(change.entity_type)


def _op_id(item: dict[str, Any]) -> str:
	op_id = item.get("op_id")
	if not isinstance(op_id, str) or not op_id.strip() or len(op_id) > MAX_OP_ID:
		raise ItemError("op_id_required")
	return op_id


def _text(value: Any) -> str:
	return value if isinstance(value, str) else "" if value is None else str(value)[:140]


def _check_names(change: Change, item: dict[str, Any]) -> None:
	if not change.entity_type:
		raise ItemError("entity_type_required")
	if change.operation not in OPERATIONS:
		raise ItemError("invalid_operation")
	if not change.client_id:
		raise ItemError("entity_id_required")
	sent = [item[name] for name in ("entity_id", "client_id") if item.get(name) is not None]
	if not ids.is_client_id(change.client_id) or not all(isinstance(value, str) for value in sent):
		raise ItemError("invalid_client_id")
	if change.entity_type == WALLET and not ids.is_name(change.client_id):
		raise ItemError("invalid_client_id")  # the wallet's id is its document's name
	if item.get("entity_id") and item.get("client_id") and item["entity_id"] != item["client_id"]:
		raise ItemError("entity_id_mismatch")


def _payload(change: Change, item: dict[str, Any], wallet_id: str, registry: Registry) -> dict[str, Any]:
	"""The payload without the names of record and wallet, which must agree with the item's."""
	payload = item.get("payload")
	if payload is None and change.operation == "delete":
		return {}
	if not isinstance(payload, dict):
		raise ItemError("payload_must_be_object")
	validate.check_size(change, payload, registry.by_name[change.entity_type])
	if payload.get("client_id") not in (None, "", change.client_id):
		raise ItemError("entity_id_mismatch")
	if any(part.get("wallet_id") not in (None, "", wallet_id) for part in (payload, item)):
		raise ItemError("wallet_id_mismatch")
	if change.entity_type == WALLET and change.operation == CREATE and change.client_id != wallet_id:
		raise ItemError("wallet_id_must_equal_client_id")
	return {key: value for key, value in payload.items() if key not in IDENTITY}


def _resolves(operation: str, sent: Any) -> str | None:
	"""The conflict that the change settles; what it holds is edited by it, or deleted."""
	if sent is None:
		return None
	if not isinstance(sent, str) or not sent or len(sent) > MAX_OP_ID:
		raise ItemError("conflict_not_found")
	if operation == CREATE:
		raise ItemError("invalid_operation")
	return sent


def _base_version(change: Change, value: Any, registry: Registry) -> int | None:
	"""The version that the device saw. A create gives one only to begin a deleted record again; others may give base values."""
	if change.operation == CREATE:
		return _tombstone(value)
	if value is None:
		if not change.resolves:
			_check_based(change, registry)
		return None
	number = item_reader.whole_number(value, None)
	if number is None:
		raise ItemError("base_version_invalid")
	return number


def _tombstone(value: Any) -> int | None:
	number = item_reader.whole_number(value, None) if value is not None else 0
	if number is None:
		raise ItemError("base_version_not_allowed")
	return number or None


def _check_based(change: Change, registry: Registry) -> None:
	"""Without a version each field of an update needs a base value, and a delete at least one."""
	entity, base_values = registry.by_name[change.entity_type], change.base_values or {}
	named, based = ({entity.aliases.get(key, key) for key in part} for part in (change.payload, base_values))
	bare = sorted(named & entity.writable - based) if base_values else []
	if bare or not base_values:
		raise ItemError("base_version_required", bare or None)


def _client_time(payload: dict[str, Any]) -> datetime | None:
	moment = payload.get("client_modified_ms")
	return (
		clock.from_milliseconds(moment) if isinstance(moment, int) and not isinstance(moment, bool) else None
	)


def open_wallet(caller: Caller, changes: Sequence[Change]) -> int | None:
	"""A step before the batch: open the space of a wallet that the batch itself creates.

	Returns the place of the change that creates it, None where the space was there.
	"""
	root = next((i for i, c in enumerate(changes) if _creates_wallet(c)), None)
	if root is None or spaces.exists(caller.space_type, caller.space_key):
		return None
	budgets.require("spaces", caller.user)
	title = changes[root].payload.get("wallet_name") or caller.space_key
	spaces.open_space(caller.space_type, caller.space_key, title, WALLET, caller.space_key)
	spaces.set_member(caller.space, caller.user, "owner")
	return root


def _creates_wallet(change: Change) -> bool:
	return change.entity_type == WALLET and change.operation == CREATE and not change.error
