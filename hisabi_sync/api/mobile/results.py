"""From outcomes to the results of a mobile push. Source: docs/contracts/mobile.md."""

from collections.abc import Iterable, Sequence
from typing import Any

from hisabi_sync.api.mobile import items as mobile_items
from hisabi_sync.api.protocol.item_reader import is_retryable
from hisabi_sync.engine import wire
from hisabi_sync.engine.conflicts import unique_conflicts
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.actions import AMEND
from hisabi_sync.engine.model.change import (
	ACCEPTED,
	CONFLICT,
	CREATE,
	DUPLICATE,
	ERROR,
	Caller,
	Change,
	Outcome,
)
from hisabi_sync.engine.model.errors import item_message
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store import load

OK = "ok"
STATUSES = {ACCEPTED: OK, DUPLICATE: OK, CONFLICT: CONFLICT, ERROR: ERROR}
TAKEN = "unique_violation"
# What an error is called in this contract.
CODES = {"op_id_reused": "client_version_reused"}


def results(caller: Caller, changes: Sequence[Change], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
	"""One result for each change, in their order."""
	pairs = list(zip(changes, outcomes, strict=True))
	holders = _holders(caller, pairs)
	return [_result(change, outcome, holders) for change, outcome in pairs]


def _result(change: Change, outcome: Outcome, holders: dict[Any, Any]) -> dict[str, Any]:
	temp_id = change.raw.get("client_temp_id")
	answer = {
		"client_temp_id": temp_id[: ids.LONGEST] if isinstance(temp_id, str) else None,
		"status": CONFLICT if outcome.code == TAKEN else STATUSES[outcome.status],
		"server_id": _server_id(change, outcome),
	}
	ignored = mobile_items.ignored(change, outcome)
	return {**answer, **_rest(change, outcome, holders), **({"ignored": ignored} if ignored else {})}


def _rest(change: Change, outcome: Outcome, holders: dict[Any, Any]) -> dict[str, Any]:
	if outcome.code == TAKEN:
		return _taken(change, outcome, holders)
	if outcome.status == CONFLICT:
		return _conflict(change, outcome)
	if outcome.status == ERROR:
		return _error(outcome)
	merged = {"merged": True} if outcome.merged else {}
	shown = {"server_payload": outcome.record} if outcome.merged or outcome.record is not None else {}
	adjusted = {"adjusted": outcome.adjusted} if outcome.adjusted else {}
	named = {"name": outcome.document_name} if outcome.document_name else {}
	undone = {"left_undone": _left_undone(outcome.left_undone)} if outcome.left_undone else {}
	return {"server_version": outcome.doc_version, **named, **merged, **shown, **adjusted, **undone}


def _left_undone(undone: dict[str, Any]) -> dict[str, Any]:
	"""The action that was refused while the rest of the item was applied, and why."""
	code = undone["code"]
	message = item_message(code, undone["detail"], undone["words"])
	return {"action": undone["action"], "error_code": code, "error": message}


def _server_id(change: Change, outcome: Outcome) -> str | None:
	"""Null when a create made nothing, and when the item does not say which record it means."""
	failed_create = outcome.status == ERROR and change.raw.get("action") in (CREATE, AMEND)
	return None if failed_create else change.client_id or None


def _conflict(change: Change, outcome: Outcome) -> dict[str, Any]:
	server, client = outcome.doc_version, change.raw.get("client_version")
	return {
		"error": f"Version mismatch: server_version={server}, client_version={client}",
		"error_code": "version_mismatch",
		"conflict_id": outcome.conflict,
		"server_version": server,
		"server_payload": outcome.record,
		"conflict_fields": outcome.conflict_fields,
	}


def _error(outcome: Outcome) -> dict[str, Any]:
	code = CODES.get(outcome.code or "", outcome.code)
	message = item_message(code) if code and code != outcome.code else outcome.message
	answer = {"error": message, "error_code": code, "retryable": is_retryable(outcome)}
	if isinstance(outcome.detail, dict) and outcome.code == "deleted":
		return {**answer, "server_version": outcome.detail["doc_version"], "is_deleted": True}
	return {**answer, "detail": outcome.detail} if outcome.detail is not None else answer


# --- values that another record has


def _taken(change: Change, outcome: Outcome, holders: dict[Any, Any]) -> dict[str, Any]:
	"""A conflict over a unique value: which field, and the record that has the value, as it is now."""
	detail, entity = _detail(outcome), entity_types.registry().by_name.get(change.entity_type)
	field = next((name for name in detail if entity and name in entity.fields), None)
	version, payload = holders.get((change.entity_type, detail.get(field)), (None, None))
	holder = detail[field] if payload else None
	value = (change.raw.get("payload") or {}).get(field)
	return {
		"server_id": holder if change.raw.get("action") == "create" else change.client_id,
		"error": _sentence(field, value, holder),
		"error_code": TAKEN,
		"field": field,
		"held_by": holder,
		"conflict_id": outcome.conflict or holders.get(ids.op_key(change.op_id or "")),
		"server_version": version,
		"server_payload": payload,
	}


def _detail(outcome: Outcome) -> dict[Any, Any]:
	return outcome.detail if isinstance(outcome.detail, dict) else {}


def _sentence(field: str | None, value: Any, holder: str | None) -> str:
	"""One whole sentence for each case; the contract has them in English."""
	if field and holder:
		return f"Value taken: {field}={value} belongs to {holder}"
	return (
		f"Value taken: {field}={value}"
		if field
		else f"Value taken belongs to {holder}"
		if holder
		else "Value taken"
	)


def _holders(caller: Caller, pairs: Iterable[tuple[Change, Outcome]]) -> dict[Any, Any]:
	"""{(entity type, id): (version, payload)} of records that have taken values, and {op key: open conflict}."""
	clashing = [(change, outcome) for change, outcome in pairs if outcome.code == TAKEN]
	if not clashing:
		return {}
	found: dict[Any, Any] = unique_conflicts.open_conflicts(
		caller.device, [change.op_id for change, _ in clashing if change.op_id]
	)
	for change, outcome in clashing:
		for holder in filter(None, _detail(outcome).values()):
			found[change.entity_type, holder] = current(caller, change.entity_type, holder)
	return found


def current(caller: Caller, entity_type: str, client_id: str) -> tuple[int | None, dict[str, Any] | None]:
	"""(version, payload) of a record as a pull shows it; (None, None) when it is gone or not for the caller."""
	registry = entity_types.registry()
	entity, name = registry.by_name.get(entity_type), ids.record(caller.space, entity_type, client_id)
	stored = load.records([name]).get(name)
	if entity is None or stored is None or not stored.live:
		return None, None
	values = visibility.visible(entity, [stored.document_name], caller).get(stored.document_name)
	if values is None:
		return None, None
	names = wire.client_ids([(entity, values)], caller.space, registry, caller.user)
	return stored.doc_version, wire.payload(entity, values, names, registry)
