"""From the items of a mobile push to changes. Source: docs/contracts/mobile.md.

A new record's id is computed from the device and the item's `client_temp_id`: a temporary id means the same record
whenever that device names it, in this batch or a later one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import frappe

from hisabi_sync.api.protocol import item_reader
from hisabi_sync.api.protocol.item_reader import MAX_TEXT
from hisabi_sync.engine import ledger, repeats
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.judge import validate
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.actions import AMEND, METHOD, STEPS, WORKFLOW
from hisabi_sync.engine.model.change import CREATE, DELETE, OPERATIONS, UPDATE, Caller, Change, Outcome
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.store import load

DEFAULT_LIMIT = 50
MOST_THEN = 10  # actions that follow a change
AMENDED = "amended_from"
PREFIXES = {"submission": "sub", "meter": "m"}
# Names under which an item or its payload may say which record it is about.
IDENTITY = ("id", "server_id", "resource_id")
# What a record has on the server but no device sets; ignored in a payload, and named in the result.
SERVER_FIELDS = (
	"last_updated_by",
	"server_version",
	"tenant_id",
	"submitted_by",
	"reviewed_by",
	"reviewed_at",
)


def read(items: Sequence[Any], caller: Caller) -> list[Change]:
	"""Changes for the items. Raises RequestError for what rejects the whole push."""
	item_reader.require_room(items, frappe.get_cached_doc("Sync Settings").max_mobile_items or DEFAULT_LIMIT)
	item_reader.require_objects(items)
	changes = [_read(index, item, caller) for index, item in enumerate(items)]
	_name_records(changes, caller)
	return changes


def _read(index: int, item: dict[str, Any], caller: Caller) -> Change:
	change = Change(index, None, "", "", "", {}, raw=item, counted=True)
	item_reader.fill(change, item, lambda: _fill(change, item, caller), registry())
	return change


def _fill(change: Change, item: dict[str, Any], caller: Caller) -> None:
	named = _plain(item.get("resource_type"))
	change.entity_type = registry().name_of(caller.space_type, named) or named
	change.operation = CREATE if item.get("action") == AMEND else _plain(item.get("action"))
	change.client_id = temp_id = _plain(item.get("client_temp_id"))
	_check(item, caller)
	version = _version(item.get("client_version"))
	change.payload = _payload(item, change)
	change.client_id = _identity(item, change.operation)
	_read_actions(item, change)
	change.base_version = None if change.operation == CREATE else version
	change.op_id = _op_id(caller, change, named, version)
	change.base_values = validate.base_values(item.get("base_values"), change)
	change.fingerprint = ledger.fingerprint(
		change.op_id,
		item.get("payload"),
		temp_id,
		*validate.added(item, "base_values", "then", "args"),
	)
	if change.operation == UPDATE:
		change.other_op_id = _op_id(caller, change, named, version, change.fingerprint)
	registry().check_open(change.entity_type)
	validate.check_size(change, change.payload, registry().by_name[change.entity_type])
	_take_time(change)


def _plain(value: Any) -> str:
	return value[:MAX_TEXT] if isinstance(value, str) else ""


def _check(item: dict[str, Any], caller: Caller) -> None:
	"""Check the item's own fields. Raises ItemError."""
	missing = [name for name in ("resource_type", "action", "client_version") if item.get(name) in (None, "")]
	if missing:
		raise ItemError("field_required", missing)
	if registry().name_of(caller.space_type, _plain(item["resource_type"])) is None:
		raise ItemError("resource_type_unknown", [str(item["resource_type"])[:MAX_TEXT]])
	if not _is_action(item["action"]):
		raise ItemError("field_invalid", ["action"])
	temp_id = item.get("client_temp_id")
	if temp_id is not None and not (isinstance(temp_id, str) and len(temp_id) <= MAX_TEXT):
		raise ItemError("field_invalid", ["client_temp_id"])


def _is_action(value: Any) -> bool:
	"""Whether a change may be called so: by its operation, or by the name of an action that some entity type may allow."""
	if not isinstance(value, str) or len(value) > MAX_TEXT:
		return False
	kind, colon, name = value.partition(":")
	return value in (*OPERATIONS, *STEPS, AMEND) or (kind in (WORKFLOW, METHOD) and bool(colon and name))


def _read_actions(item: dict[str, Any], change: Change) -> None:
	"""Read what an item says of actions: `then`, `args`, and the record that is amended. Raises ItemError field_invalid."""
	then, args = item.get("then"), item.get("args")
	if then is not None and (
		change.operation not in (CREATE, UPDATE)
		or not isinstance(then, list)
		or len(then) > MOST_THEN
		or not all(_is_action(name) and name not in (*OPERATIONS, AMEND) for name in then)
	):
		raise ItemError("field_invalid", ["then"])
	if args is not None and not (isinstance(args, dict) and change.operation.startswith(f"{METHOD}:")):
		raise ItemError("field_invalid", ["args"])
	change.then, change.args = tuple(then or ()), args
	if item["action"] == AMEND:
		change.amends = change.payload.pop(AMENDED, None)
		if not isinstance(change.amends, str) or not 0 < len(change.amends) <= MAX_TEXT:
			raise ItemError("field_required", [f"payload.{AMENDED}"])


def _version(value: Any) -> int:
	number = item_reader.whole_number(value)
	if number is None:
		raise ItemError("field_invalid", ["client_version"])
	return number


def _payload(item: dict[str, Any], change: Change) -> dict[str, Any]:
	"""What the record is to hold, without the names of the record itself."""
	payload = item.get("payload")
	if payload is None and (change.operation == DELETE or change.is_action):
		return {}
	if not isinstance(payload, dict):
		raise ItemError("payload_must_be_object")
	return {name: value for name, value in payload.items() if name not in (*IDENTITY, *SERVER_FIELDS)}


def ignored(change: Change, outcome: Outcome) -> list[str]:
	"""Names of what the payload holds but no device sets."""
	payload = change.raw.get("payload")
	sent = payload if isinstance(payload, dict) else {}
	return [name for name in SERVER_FIELDS if name in sent] + (outcome.warnings or [])


def _identity(item: dict[str, Any], operation: str) -> str:
	"""The temporary id of a create; the record's id, or the temporary id it had, of the rest."""
	temp_id = item.get("client_temp_id")
	payload = item.get("payload") or {}
	sent = [value for part in (payload, item) for name in IDENTITY if (value := part.get(name)) is not None]
	if operation == CREATE:
		if not temp_id:
			raise ItemError("field_required", ["client_temp_id"])
		if any(value != temp_id for value in sent):
			raise ItemError("field_invalid", ["payload.id"])
		return temp_id
	if not sent and not temp_id:
		raise ItemError("field_required", ["payload.id"])
	named = sent or [temp_id]
	if (
		not all(isinstance(value, str) and 0 < len(value) <= MAX_TEXT for value in named)
		or len(set(named)) > 1
	):
		raise ItemError("field_invalid", ["payload.id"])
	return named[0]


def _op_id(caller: Caller, change: Change, named: str, version: int, *more: str) -> str:
	"""The item's identity: readable for people, and one op for one device, space, record, action and version.

	With the fingerprint as well, it is that of an edit which follows another one that left the record in the same version.
	"""
	whole = ids.digest(caller.space, named, change.operation, change.client_id, version, *more, size=8)
	return f"{named} {change.operation} {change.client_id[:60]} {version} {whole}"


def _take_time(change: Change) -> None:
	"""When the device says that it happened; by which the later of two edits is known, and stored nowhere else."""
	sent = change.payload.pop("device_ts", None)
	if sent is None:
		return
	change.client_time = clock.parse(sent) if isinstance(sent, str) else None
	if change.client_time is None:
		raise ItemError("field_invalid", ["payload.device_ts"])


# --- from temporary ids to ids


def made_id(caller: Caller, entity_type: str, temp_id: str) -> str:
	"""The id that the server gives to what a device made under a temporary id."""
	prefix = PREFIXES.get(entity_type) or ids.plain(registry().wire_name(entity_type)[:8])
	return f"{prefix}-{ids.digest(caller.device, caller.space, entity_type, temp_id, size=10)}"


def _name_records(changes: Sequence[Change], caller: Caller) -> None:
	"""Replace temporary ids: of this batch first, then ids as they are, then temporary ids of earlier batches."""
	sound = [change for change in changes if not change.error]
	new = {(c.entity_type, c.client_id) for c in sound if c.operation == CREATE}
	places = [place for change in sound for place in _places(change)]
	taken = _held({(target, value) for target, value, _ in places} - new, caller)
	for target, value, put in places:
		made = made_id(caller, target, value)
		is_temporary = (target, value) in new or (target, value) not in taken and (target, made) in taken
		put(made if is_temporary else value)
	for change in sound:
		if not ids.is_client_id(change.client_id):
			change.error = ItemError("not_found")


def _places(change: Change) -> Iterator[tuple[str, str, Callable[[str], None]]]:
	"""(entity type, id, function that replaces it) for the record of a change and for its links."""

	def put(value: str) -> None:
		change.client_id = value

	def put_amended(value: str) -> None:
		change.amends = value

	yield change.entity_type, change.client_id, put
	if change.amends:
		yield change.entity_type, change.amends, put_amended
	entity, by_doctype = registry().by_name[change.entity_type], registry().by_doctype
	yield from _links(
		change.payload, lambda name: entity.links.get(entity.aliases.get(name, name)), by_doctype
	)
	for table in entity.tables:
		targets = {column.name: column.options for column in table.columns if column.fieldtype == "Link"}
		for row in _rows(change.payload, table.name) if targets else ():
			yield from _links(row, targets.get, by_doctype)


def _rows(payload: dict[str, Any], name: str) -> Sequence[dict[str, Any]]:
	"""The rows of a table in the payload, which are copies from now on: what came stays as it came."""
	if not isinstance(payload.get(name), list):
		return ()
	payload[name] = [dict(row) if isinstance(row, dict) else row for row in payload[name]]
	return [row for row in payload[name] if isinstance(row, dict)]


def _links(
	holder: dict[str, Any], doctype_of: Callable[[str], str | None], by_doctype: Mapping[str, EntityType]
) -> Iterator[tuple[str, str, Callable[[str], None]]]:
	for name, value in holder.items():
		target = by_doctype.get(doctype_of(name) or "")
		if target and isinstance(value, str) and 0 < len(value) <= MAX_TEXT:
			yield target.name, value, _setter(holder, name)


def _setter(holder: dict[str, Any], name: str) -> Callable[[str], None]:
	return lambda value: holder.__setitem__(name, value)


def _held(pairs: set[tuple[str, str]], caller: Caller) -> set[tuple[str, str]]:
	"""The (entity type, id) pairs that are records, the ids read as permanent and as temporary ones; one statement."""
	both = pairs | {(target, made_id(caller, target, value)) for target, value in pairs}
	names = {ids.record(caller.space, *pair): pair for pair in both}
	return {names[name] for name in load.records(names)}


def continue_creates(caller: Caller, changes: Sequence[Change]) -> None:
	"""A step before the batch: a create of a record that this device made becomes an edit, based on what the device made.

	So a create that is sent again with a newer version neither makes a second record nor is lost. A create that failed before
	stays a create, even if a person has made its record meanwhile.
	"""
	creates = [c for c in changes if not c.error and c.raw.get("action") in (CREATE, AMEND)]
	names = [ids.record(caller.space, c.entity_type, c.client_id) for c in creates]
	records = load.records(names)
	first = dict.fromkeys(records)
	seen = (
		repeats.load_seen(caller.device, [change.op_id for change in creates if change.op_id])
		if first
		else {}
	)
	for change, name in zip(creates, names, strict=True):
		is_other = first.setdefault(name, change.op_id) != change.op_id
		again = is_other and ids.op_key(change.op_id or "") not in seen
		began = records[name].began if name in records else 1
		change.operation, change.base_version = (UPDATE, began) if again else (CREATE, None)
