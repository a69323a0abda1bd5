"""From the upserts of a batch call to changes. Source: contracts/batch.md and the document's conflict rules."""

from datetime import timedelta

import frappe
from frappe import _

from hisabi_sync.api import batch_upserts
from hisabi_sync.engine import clock, devices, fields, ids, ledger, validate
from hisabi_sync.engine.change import UPDATE, Change
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import ItemError, RequestError
from hisabi_sync.hisabi_farm import patches
from hisabi_sync.hisabi_farm.entities import OBSERVATION, PLAYBOOK, RECOMMENDATION

DEFAULT_LIMIT = 200
MAX_TEXT, MAX_VERSION = 140, 2**53
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


def read(upserts, sync_id, sent_at, device):
	"""Changes for the upserts of a device, in the order of COLLECTIONS. Raises RequestError for what rejects the call.

	`sent_at` is when the device says that it called. A time after ours shows by how much its clock is ahead; one before
	shows nothing, for the call may have waited for a line.
	"""
	unknown = [name[:MAX_TEXT] for name, value in (upserts.model_extra or {}).items() if value]
	if unknown:
		raise RequestError("unsupported_entity_type", entity_types=unknown[:10])
	found = [(name, i, item) for name in COLLECTIONS for i, item in enumerate(getattr(upserts, name))]
	limit = frappe.get_cached_doc("Sync Settings").max_batch_items or DEFAULT_LIMIT
	if len(found) > limit:
		message = _("A batch has at most {limit} items").format(limit=limit)
		raise RequestError("too_many_items", message, limit=limit)
	return [_read(n, _raw(*entry, sync_id, sent_at), device) for n, entry in enumerate(found)]


def read_again(raw, caller):
	"""Changes for items that are processed again, as `sync_item_readers` wants them."""
	device = devices.by_name(caller.device)
	changes = [_read(index, kept, device) for index, kept in enumerate(raw)]
	batch_upserts.choose(caller, changes, 0, {change.index: change.base_version for change in changes})
	return changes


def _raw(collection, position, item, sync_id, sent_at):
	"""What the ledger keeps of an item: what was sent, under which op id, and when it was written by our clock."""
	entity, _entity_type, id_name = COLLECTIONS[collection]
	key = item.get(id_name)
	if not isinstance(key, str) or not key or len(key) > MAX_TEXT:
		raise RequestError("invalid_argument", argument=f"upserts.{collection}[{position}].{id_name}")
	op_id = f"{entity} {key[:60]} {ids.digest(sync_id, collection, position, size=8)}"
	kept = {"collection": collection, "op_id": op_id, "item": item}
	written = _written_at(item.get("updatedAt"), sent_at)
	return {**kept, "written_at": clock.dump(written)} if written else kept


def _written_at(text, sent_at):
	"""When the device wrote the record; never later than now, so that no clock wins for ever. None when it is no time."""
	now = clock.now()
	ahead = max((sent_at or now) - now, timedelta())
	moment = clock.parse(text) if isinstance(text, str) else None if text is not None else sent_at or now
	return moment and min(moment - ahead, now)


def _read(index, raw, device):
	entity, entity_type, id_name = COLLECTIONS[raw["collection"]]
	change = Change(index, raw["op_id"], entity_type, raw["item"][id_name], UPDATE, {}, raw=raw)
	change.fingerprint = ledger.fingerprint(raw["item"])
	try:
		if not ids.is_client_id(raw["item"][id_name]):
			raise ItemError("invalid_client_id")
		validate.check_size(raw["item"], registry().by_name[entity_type])
		(_read_patch if entity == PATCH else _read_record)(change, raw["item"], device)
	except ItemError as error:
		change.error = error
	return change


def _read_record(change, item, device):
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


def _is_given(item, name):
	value = item.get(name)
	if isinstance(value, dict | list):
		raise ItemError("field_invalid", [name])
	return value is not None


def _version(values, name):
	value = values.pop() if len(values) == 1 else None
	if isinstance(value, str) and value.isascii() and value.isdecimal():
		value = int(value)
	if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_VERSION:
		raise ItemError("field_invalid", [name])
	return value


def _is_number(value):
	return isinstance(value, int | float) and not isinstance(value, bool)


def _read_correction(change):
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


def _read_patch(change, item, device):
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
	if not device.may(devices.EDIT_PLAYBOOKS):
		raise ItemError("insufficient_scope", [devices.EDIT_PLAYBOOKS])
	columns = registry().by_name[PLAYBOOK].fields["rules"].columns
	change.intent = {
		"patch_id": item["patchId"],
		"operations": patches.read(item["operations"], columns),
		"reason": REASON.parse(item.get("reason")),
		"created_at": clock.parse(item["createdAt"]) if isinstance(item.get("createdAt"), str) else None,
		"content": ledger.fingerprint(*(item.get(name) for name in PATCH_FIELDS[:5])),
	}


def _playbook_id(item):
	if not ids.is_client_id(item["playbookId"]):
		raise ItemError("field_invalid", ["playbookId"])
	return item["playbookId"]


def ignored(change):
	"""Names of what the item holds but no device sets."""
	names = PATCH_SERVER_FIELDS if change.entity_type == PLAYBOOK else SERVER_FIELDS
	return [name for name in names if name in change.raw["item"]] + (change.warnings or [])
