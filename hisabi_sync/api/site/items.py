"""From the changes of a site push to the engine's. Source: docs/contracts/site.md, Changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import frappe

from hisabi_sync.api.protocol import item_reader
from hisabi_sync.api.protocol.item_reader import MAX_TEXT
from hisabi_sync.api.site.records import rows_in
from hisabi_sync.engine import ledger
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.judge import validate
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.actions import AMEND, ATTACHING, METHOD, STEPS, WORKFLOW
from hisabi_sync.engine.model.change import CREATE, DELETE, OPERATIONS, UPDATE, Caller, Change
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError

DEFAULT_LIMIT = 200
MOST_THEN = 10  # actions that follow a change
ACTION = "action"
PARTS = ("add", "change", "remove")  # of a change of rows
# What the ledger keeps of a change.
KEPT = (
	*("op_id", "type", "id", "op", "values", "base_version", "base_values", "action", "args", "then"),
	*("resolves", "client_time", "space"),
)
# What the fingerprint of an op id is made of; where a change goes is not what it says.
MEANT = ("type", "id", "op", "values", "base_version", "base_values", "action", "args", "then", "resolves")


def read(items: Sequence[Any]) -> list[Change]:
	"""Changes, not yet in any space. Raises RequestError for what rejects the whole push."""
	item_reader.require_room(items, limit())
	item_reader.require_objects(items)
	return [_read(index, item) for index, item in enumerate(items)]


def limit() -> int:
	"""How many changes one push may have."""
	return int(frappe.get_cached_doc("Sync Settings").max_push_items or DEFAULT_LIMIT)


def read_again(items: Sequence[Any], caller: Caller) -> list[Change]:
	"""Changes for items that are processed again, in the space that they were sent to."""
	return read(items)


def _read(index: int, item: dict[str, Any]) -> Change:
	change = Change(index, None, "", "", "", {}, raw={name: item[name] for name in KEPT if name in item})
	item_reader.fill(change, item, lambda: _fill(change, item), entity_types.registry())
	return change


def _fill(change: Change, item: dict[str, Any]) -> None:
	change.op_id = _op_id(item)
	change.entity_type = _plain(item.get("type"))
	change.client_id = _plain(item.get("id"))
	change.operation = _plain(item.get("action") if item.get("op") == ACTION else item.get("op"))
	change.fingerprint = ledger.fingerprint(*(item.get(name) for name in MEANT))
	entity = _entity(change.entity_type)
	_check_operation(item)
	if not ids.is_client_id(change.client_id):
		raise ItemError("invalid_client_id")
	change.payload = _payload(item, entity, change)
	if change.operation == CREATE:
		_take_leads(change, entity)
	change.base_values = _base_values(item, entity, change)
	change.base_version = _base_version(item.get("base_version"))
	change.resolves = _resolves(item)
	change.client_time = _time(item.get("client_time"))
	_read_actions(change, item)
	_require_base(change)


def _op_id(item: Mapping[str, Any]) -> str:
	op_id = item.get("op_id")
	if not isinstance(op_id, str) or not op_id.strip() or len(op_id) > MAX_TEXT:
		raise ItemError("op_id_required")
	return op_id


def _plain(value: Any) -> str:
	return value[: MAX_TEXT + 1] if isinstance(value, str) else ""


def _entity(name: str) -> EntityType:
	registry = entity_types.registry()
	if name not in registry.by_name and name not in registry.broken:
		raise ItemError("unknown_type", [name[:MAX_TEXT]])
	registry.check_open(name)
	return registry.by_name[name]


def _check_operation(item: Mapping[str, Any]) -> None:
	"""Raise ItemError field_invalid for an `op` or an `action` that is none."""
	if item.get("op") not in (*OPERATIONS, ACTION):
		raise ItemError("field_invalid", ["op"])
	if item["op"] == ACTION and not _is_action(item.get("action")):
		raise ItemError("field_invalid", ["action"])
	space = item.get("space")
	if space is not None and not isinstance(space, str):
		raise ItemError("field_invalid", ["space"])


def _is_action(value: Any) -> bool:
	"""Whether some entity type may allow an action of this name."""
	if not isinstance(value, str) or len(value) > MAX_TEXT:
		return False
	kind, colon, name = value.partition(":")
	return value in (*STEPS, AMEND, *ATTACHING) or (kind in (WORKFLOW, METHOD) and bool(colon and name))


# --- values


def _payload(item: Mapping[str, Any], entity: EntityType, change: Change) -> dict[str, Any]:
	values = item.get("values")
	if values is None and item["op"] in (DELETE, ACTION):
		return {}
	if not isinstance(values, dict):
		raise ItemError("payload_must_be_object")
	validate.check_size(change, values, entity)
	return {name: _value(name, value, entity, change) for name, value in values.items()}


def _take_leads(change: Change, entity: EntityType) -> None:
	"""The key of a space stands in a field that devices do not have otherwise; here it says where a new document belongs."""
	own = [way.own_field for way in entity.ways if way.own_field and way.own_field not in entity.fields]
	change.leads = {name: change.payload.pop(name) for name in own if name in change.payload}


def _value(name: str, value: Any, entity: EntityType, change: Change) -> Any:
	"""A value as the engine takes it; what is added to, changed in and removed from a table becomes a list and what goes."""
	field = entity.fields.get(entity.aliases.get(name, name))
	if field is None or not field.columns or not isinstance(value, dict):
		return rows_in(value, entity, entity.aliases.get(name, name))
	lists = [value.get(part, []) for part in PARTS]
	if not set(value) <= set(PARTS) or not all(isinstance(part, list) for part in lists):
		raise ItemError("invalid_field_type", {name: "list of objects"})
	added, changed, removed = lists
	changed = rows_in(changed, entity, field.name)
	change.row_edits[field.name] = (_names([_name_of(row) for row in changed], name), _names(removed, name))
	return [*changed, *rows_in(added, entity, field.name)]


def _name_of(row: Any) -> Any:
	return row.get("name") if isinstance(row, dict) else None


def _names(sent: list[Any], table: str) -> frozenset[str]:
	"""Names of rows. Raises ItemError invalid_value for what is none."""
	if not all(isinstance(one, str) and one for one in sent):
		raise ItemError("invalid_value", [table])
	return frozenset(sent)


def _base_values(item: Mapping[str, Any], entity: EntityType, change: Change) -> dict[str, Any] | None:
	sent = validate.base_values(item.get("base_values"), change)
	return {name: rows_in(value, entity, name) for name, value in sent.items()} if sent else sent


def _base_version(value: Any) -> int | None:
	if value is None:
		return None
	number = item_reader.whole_number(value)
	if number is None:
		raise ItemError("field_invalid", ["base_version"])
	return number


def _resolves(item: Mapping[str, Any]) -> str | None:
	sent = item.get("resolves")
	if sent is None:
		return None
	if not isinstance(sent, str) or not 0 < len(sent) <= MAX_TEXT:
		raise ItemError("conflict_not_found")
	if item["op"] not in (UPDATE, DELETE):
		raise ItemError("field_invalid", ["op"])
	return sent


def _time(value: Any) -> Any:
	"""When the person did it, by the device's clock."""
	if value is None:
		return None
	moment = clock.parse(value) if isinstance(value, str) else None
	if moment is None:
		raise ItemError("field_invalid", ["client_time"])
	return moment


def _require_base(change: Change) -> None:
	"""What changes something that is there says what the person saw of it."""
	based = change.base_version is not None or change.base_values or change.resolves
	if change.operation not in (CREATE, *ATTACHING) and not based:
		raise ItemError("base_required")


# --- actions


def _read_actions(change: Change, item: Mapping[str, Any]) -> None:
	"""Read `then`, `args`, and what an amendment takes the place of. Raises ItemError field_invalid."""
	then, args = item.get("then"), item.get("args")
	if then is not None and not _may_follow(then, item["op"], change.operation):
		raise ItemError("field_invalid", ["then"])
	change.then = tuple(then or ())
	if change.operation == AMEND:
		_amend(change, args)
		return
	if change.operation in ATTACHING:
		_require_named(args, ATTACHING[change.operation])
	elif args is not None and not (isinstance(args, dict) and change.operation.startswith(f"{METHOD}:")):
		raise ItemError("field_invalid", ["args"])
	change.args = args


def _may_follow(then: Any, op: str, operation: str) -> bool:
	return (
		isinstance(then, list)
		and len(then) <= MOST_THEN
		and all(_is_action(name) and name not in (AMEND, *ATTACHING) for name in then)
		and (op in (CREATE, UPDATE) or operation == AMEND or not then)
	)


def _require_named(args: Any, name: str) -> None:
	"""Raise ItemError field_invalid unless `args` are one text of this name."""
	said = args.get(name) if isinstance(args, dict) else None
	if not isinstance(said, str) or not 0 < len(said) <= MAX_TEXT or len(args) > 1:
		raise ItemError("field_invalid", ["args"])


def _amend(change: Change, args: Any) -> None:
	"""The action is taken on the cancelled record and makes another one, whose id is in `args`; without it, one is computed."""
	sent = args.get("id") if isinstance(args, dict) else args
	if args is not None and not ids.is_client_id(sent):
		raise ItemError("field_invalid", ["args"])
	change.amends = change.client_id
	change.client_id = sent or f"{change.client_id[:100]}-{ids.digest(change.op_id, size=6)}"
	change.operation, change.base_version, change.base_values = CREATE, None, None
