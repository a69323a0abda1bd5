"""The stored answer of a batch call, as the caller may see it when they repeat the call."""

from collections.abc import Callable, Iterator
from typing import Any

from hisabi_sync.api.batch import items as batch_items
from hisabi_sync.api.batch import results as batch_results
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store import load
from hisabi_sync.hisabi_farm.entities import PLAYBOOK

SUMMARY = "playbook"  # id and version of the newest playbook
ENTITIES = {entity: entity_type for entity, entity_type, _ in batch_items.COLLECTIONS.values()}


def as_seen_now(payload: dict[str, Any], caller: Caller) -> dict[str, Any]:
	"""The answer without what a pull would not show; costs nothing where no entity type has Frappe's permissions."""
	by_name = registry().by_name
	guarded = {name for name in batch_results.NAMES if name in by_name and by_name[name].check_permissions}
	if not guarded:
		return payload
	shown = [(t, record) for t, record in _records(payload) if record and t in guarded]
	names = {id(record): _name(caller, entity_type, record) for entity_type, record in shown}
	records = load.records(names.values())
	hidden = visibility.hidden(records.values(), registry(), [caller.user])
	left = {}
	for entity_type, record in shown:
		stored = records.get(names[id(record)])
		is_seen = stored is not None and stored.live and stored.name not in hidden
		left[id(record)] = _cut(by_name[entity_type], record, caller.user) if is_seen else None
	return _with(payload, lambda record: left.get(id(record), record))


def _name(caller: Caller, entity_type: str, record: dict[str, Any]) -> str:
	return ids.record(caller.space, entity_type, record[batch_results.ID_NAMES[entity_type]])


def _records(payload: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
	"""(entity type, record) of everything in the answer that has values of a record."""
	down = payload["downstream"]
	yield PLAYBOOK, down[SUMMARY]
	for entity_type, name in batch_results.DOWN.items():
		yield from ((entity_type, record) for record in down[name])
	for conflict in payload["conflicts"]:
		yield ENTITIES[conflict["entity"]], conflict["serverRecord"]


def _with(payload: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
	"""The answer with each record changed; one that becomes None is left out of a list."""
	down = dict(payload["downstream"])
	down[SUMMARY] = change(down[SUMMARY])
	for name in batch_results.DOWN.values():
		down[name] = [new for record in down[name] if (new := change(record)) is not None]
	conflicts = [{**c, "serverRecord": change(c["serverRecord"])} for c in payload["conflicts"]]
	return {**payload, "downstream": down, "conflicts": conflicts}


def _cut(entity: EntityType, record: dict[str, Any], user: str) -> dict[str, Any]:
	"""The record without fields above the user's levels; what is no field of the entity type stays."""
	fields = {wire: name for name, wire in batch_results.NAMES[entity.name].items()}
	allowed = {field.name for field in visibility.fields(entity, user)}
	return {wire: value for wire, value in record.items() if fields.get(wire) in (None, *allowed)}
