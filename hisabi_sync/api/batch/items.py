"""From the upserts of a batch call to changes. Source: docs/contracts/batch.md."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import frappe

from hisabi_sync.api.batch import exchange
from hisabi_sync.api.batch.models import Upserts
from hisabi_sync.api.protocol import item_reader
from hisabi_sync.api.protocol.item_reader import MAX_TEXT
from hisabi_sync.api.protocol.scopes import EDIT_PLAYBOOKS
from hisabi_sync.engine import ledger
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.identity import devices
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.judge import validate
from hisabi_sync.engine.model import clock, fields, ids, strict_json
from hisabi_sync.engine.model.change import UPDATE, Caller, Change
from hisabi_sync.engine.model.errors import ItemError, RequestError
from hisabi_sync.hisabi_farm import patches
from hisabi_sync.hisabi_farm.entities import OBSERVATION, PLAYBOOK, RECOMMENDATION

DEFAULT_LIMIT = 200
PATCH = "playbookPatch"
# Collection of the upserts: (entity on the wire, entity type, name of its id).
COLLECTIONS = {
	"observations": (OBSERVATION, OBSERVATION, "observationId"),
	"recommendations": (RECOMMENDATION, RECOMMENDATION, "recommendationId"),
	"playbookPatches": (PATCH, PLAYBOOK, "patchId"),
}
BASE = ("serverVersion", "baseVersion", "version")
# What a record has on the server but no device sets; ignored, and named in the answer.
SERVER_FIELDS = ("confirmedBy", "supersededBy", "corrections", "serverModified", "farmId")
PATCH_SERVER_FIELDS = ("author", "status", "farmId", "serverModified")
PATCH_FIELDS = ("patchId", "playbookId", "baseVersion", "operations", "reason", "createdAt", "updatedAt")
PLAIN_NUMBERS = ("dose",)  # texts that an app may send as numbers
REASON = fields.Field("reason", "Small Text", length=1000)


def read(upserts: Upserts, sync_id: str, sent_at: datetime | None, device: Device) -> list[Change]:
	"""Changes for the upserts of a device, in the order of COLLECTIONS. Raises RequestError for what rejects the call.

	`sent_at` is when the device says that it called. A time after ours shows by how much its clock is ahead; one before
	shows nothing, for the call may have waited for a line.
	"""
	unknown = [name[:MAX_TEXT] for name, value in (upserts.model_extra or {}).items() if value]
	if unknown:
		raise RequestError("unsupported_entity_type", entity_types=unknown[:10])
	found = [(name, i, item) for name in COLLECTIONS for i, item in enumerate(getattr(upserts, name))]
	item_reader.require_room(found, frappe.get_cached_doc("Sync Settings").max_batch_items or DEFAULT_LIMIT)
	return [_read(n, _raw(*entry, sync_id, sent_at), device) for n, entry in enumerate(found)]


def read_again(raw: Sequence[dict[str, Any]], caller: Caller) -> list[Change]:
	"""Changes for items that are processed again."""
	device = devices.load_by_name(caller.device or "")
	raw = [
		{**kept, "item": item}
		for kept, item in zip(raw, strict_json.mark_odd(kept["item"] for kept in raw), strict=True)
	]
	changes = [_read(index, kept, device) for index, kept in enumerate(raw)]
	exchange.choose_operations(
		caller, changes, lambda _entity_type: 0, {change.index: change.base_version for change in changes}
	)
	return changes


def _raw(
	collection: str, position: int, item: dict[str, Any], sync_id: str, sent_at: datetime | None
) -> dict[str, Any]:
	"""What the ledger keeps of an item: what was sent, under which op id, and when it was written by our clock."""
	entity, _entity_type, id_name = COLLECTIONS[collection]
	key = item.get(id_name)
	if not isinstance(key, str) or not key:
		raise RequestError("invalid_argument", argument=f"upserts.{collection}[{position}].{id_name}")
	op_id = f"{entity} {key[:60]} {ids.digest(sync_id, collection, position, size=8)}"
	kept = {"collection": collection, "op_id": op_id, "item": item}
	written = _written_at(item.get("updatedAt"), sent_at)
	return {**kept, "written_at": clock.dump(written)} if written else kept


def _written_at(text: Any, sent_at: datetime | None) -> datetime | None:
	"""When the device wrote the record; never later than now, so that no clock wins for ever. None when it is no time."""
	now = clock.now()
	ahead = max(clock.between(now, sent_at or now), timedelta())
	moment = clock.parse(text) if isinstance(text, str) else None if text is not None else sent_at or now
	written = moment and clock.shifted(moment, -ahead)
	return now if written and clock.is_after(written, now) else written


def _read(index: int, raw: dict[str, Any], device: Device | None) -> Change:
	_, entity_type, id_name = COLLECTIONS[raw["collection"]]
	change = Change(index, raw["op_id"], entity_type, raw["item"][id_name], UPDATE, {}, raw=raw)
	change.fingerprint = ledger.fingerprint(raw["item"])
	item_reader.fill(change, raw["item"], lambda: _fill(change, raw["item"], device), registry())
	return change


def _fill(change: Change, item: dict[str, Any], device: Device | None) -> None:
	entity, entity_type, id_name = COLLECTIONS[change.raw["collection"]]
	if not ids.is_client_id(item[id_name]):
		raise ItemError("invalid_client_id")
	registry().check_open(entity_type)
	validate.check_size(change, item, registry().by_name[entity_type])
	(_read_patch if entity == PATCH else _read_record)(change, item, device)


def _read_record(change: Change, item: dict[str, Any], device: Device | None) -> None:
	_, entity_type, id_name = COLLECTIONS[change.raw["collection"]]
	versions = {item[name] for name in BASE if _is_given(item, name)}
	change.base_version = _version(versions, "serverVersion") if versions else None
	change.payload = {k: v for k, v in item.items() if k not in (id_name, *BASE, *SERVER_FIELDS)}
	if "written_at" not in change.raw:
		raise ItemError("field_invalid", ["updatedAt"])
	change.client_time = clock.parse(change.raw["written_at"])
	change.payload["updatedAt"] = change.raw["written_at"]
	for name in PLAIN_NUMBERS:
		if _is_number(change.payload.get(name)):
			change.payload[name] = str(change.payload[name])
	if isinstance(change.payload.get("location"), str):
		change.payload["location"] = {"name": change.payload["location"]}
	if entity_type == OBSERVATION:
		_read_correction(change)


def _is_given(item: dict[str, Any], name: str) -> bool:
	value = item.get(name)
	if isinstance(value, dict | list):
		raise ItemError("field_invalid", [name])
	return value is not None


def _version(values: set[Any], name: str) -> int:
	value = values.pop() if len(values) == 1 else None
	if isinstance(value, str) and value.isascii() and value.isdecimal():
		value = int(value)
	number = None if isinstance(value, float) else item_reader.whole_number(value)
	if number is None:
		raise ItemError("field_invalid", [name])
	return number


def _is_number(value: Any) -> bool:
	return isinstance(value, int | float) and not isinstance(value, bool)


def _read_correction(change: Change) -> None:
	"""`correctionOf` is the observation itself, which is then corrected in place, or the one that this one replaces."""
	payload = change.payload
	if payload.get("correctionOf") in (None, ""):
		return
	reason = payload.get("correctionReason") or payload.pop("reason", None)
	reason = REASON.parse(reason)
	if not reason or not isinstance(payload["correctionOf"], str):
		raise ItemError("correction_reason_required")
	payload["correctionReason"] = reason
	if payload["correctionOf"] == change.client_id:
		del payload["correctionOf"]
		change.correction = reason


def _read_patch(change: Change, item: dict[str, Any], device: Device | None) -> None:
	"""A patch is an edit of its playbook, made for a version; the playbook's rule makes rules of its operations."""
	unknown = [name for name in item if name not in (*PATCH_FIELDS, *PATCH_SERVER_FIELDS)]
	if unknown:
		raise ItemError("invalid_field", [name[:MAX_TEXT] for name in unknown[:50]])
	missing = [name for name in ("playbookId", "baseVersion", "operations") if item.get(name) in (None, "")]
	if missing:
		raise ItemError("missing_required_fields", missing)
	change.client_id = _playbook_id(item)
	change.based_on = _version(
		{item["baseVersion"]} if _is_given(item, "baseVersion") else set(), "baseVersion"
	)
	if device is None or EDIT_PLAYBOOKS not in device.granted:
		raise ItemError("insufficient_scope", [EDIT_PLAYBOOKS])
	columns = registry().by_name[PLAYBOOK].fields["rules"].columns
	change.intent = {
		"patch_id": item["patchId"],
		"operations": patches.read(item["operations"], columns),
		"reason": REASON.parse(item.get("reason")),
		"created_at": clock.parse(item["createdAt"]) if isinstance(item.get("createdAt"), str) else None,
		"content": ledger.fingerprint(*(item.get(name) for name in PATCH_FIELDS[:5])),
	}


def _playbook_id(item: dict[str, Any]) -> str:
	if not ids.is_client_id(item["playbookId"]):
		raise ItemError("field_invalid", ["playbookId"])
	return item["playbookId"]


def ignored(change: Change) -> list[str]:
	"""Names of what the item holds but no device sets."""
	names = PATCH_SERVER_FIELDS if change.entity_type == PLAYBOOK else SERVER_FIELDS
	return [name for name in names if name in change.raw["item"]] + (change.warnings or [])
