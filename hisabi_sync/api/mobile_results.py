"""From outcomes to the results of a mobile push. Source: the document's example response, contracts/mobile.md."""

from hisabi_sync.api import mobile_items
from hisabi_sync.engine import ids, ledger, load, taken, wire
from hisabi_sync.engine.change import ACCEPTED, CONFLICT, DUPLICATE, ERROR
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import item_message

OK = "ok"
STATUSES = {ACCEPTED: OK, DUPLICATE: OK, CONFLICT: CONFLICT, ERROR: ERROR}
TAKEN = "unique_violation"
# What an error is called in this contract.
CODES = {"op_id_reused": "client_version_reused"}
RETRYABLE = {"internal_error", "depends_on_failed_item", "batch_rolled_back"}


def results(caller, changes, outcomes):
	"""One result for each change, in their order."""
	pairs = list(zip(changes, outcomes, strict=True))
	holders = _holders(caller, pairs)
	return [_result(change, outcome, holders) for change, outcome in pairs]


def _result(change, outcome, holders):
	temp_id = change.raw.get("client_temp_id")
	given = {
		"client_temp_id": temp_id if isinstance(temp_id, str) else None,
		"status": CONFLICT if outcome.code == TAKEN else STATUSES[outcome.status],
		"server_id": _server_id(change, outcome),
	}
	ignored = mobile_items.ignored(change, outcome)
	return {**given, **_rest(change, outcome, holders), **({"ignored": ignored} if ignored else {})}


def _rest(change, outcome, holders):
	if outcome.code == TAKEN:
		return _taken(change, outcome, holders)
	if outcome.status == CONFLICT:
		return _conflict(change, outcome)
	if outcome.status == ERROR:
		return _error(outcome)
	merged = {"merged": True, "server_payload": outcome.record} if outcome.merged else {}
	return {"server_version": outcome.doc_version, **merged}


def _server_id(change, outcome):
	"""Null when a create made nothing, and when the item does not say which record it means."""
	failed_create = outcome.status == ERROR and change.raw.get("action") == "create"
	return None if failed_create else change.client_id or None


def _conflict(change, outcome):
	server, client = outcome.doc_version, change.raw.get("client_version")
	return {
		"error": f"Version mismatch: server_version={server}, client_version={client}",
		"error_code": "version_mismatch",
		"conflict_id": outcome.conflict,
		"server_version": server,
		"server_payload": outcome.record,
		"conflict_fields": outcome.conflict_fields,
	}


def _error(outcome):
	code = CODES.get(outcome.code, outcome.code)
	message = outcome.message if code == outcome.code else item_message(code)
	given = {"error": message, "error_code": code, "retryable": code in RETRYABLE}
	if isinstance(outcome.detail, dict) and outcome.code == "deleted":
		return {**given, "server_version": outcome.detail["doc_version"], "is_deleted": True}
	return {**given, "detail": outcome.detail} if outcome.detail is not None else given


# --- values that another record has


def _taken(change, outcome, holders):
	"""A conflict over a unique value: which field, and the record that has the value, as it is now."""
	detail = outcome.detail if isinstance(outcome.detail, dict) else {}
	field, holder = next(iter(detail.items()), (None, None))
	version, payload = holders.get((change.entity_type, holder), (None, None))
	value = (change.raw.get("payload") or {}).get(field)
	return {
		"server_id": holder if change.raw.get("action") == "create" else change.client_id,
		"error": f"Value taken: {field}={value} belongs to {holder}",
		"error_code": TAKEN,
		"field": field,
		"held_by": holder,
		"conflict_id": outcome.conflict or holders.get(ledger.op_key(change.op_id)),
		"server_version": version,
		"server_payload": payload,
	}


def _holders(caller, pairs):
	"""{(entity type, id): (version, payload)} of records that have taken values, and {op key: open conflict}."""
	clashing = [(change, outcome) for change, outcome in pairs if outcome.code == TAKEN]
	if not clashing:
		return {}
	found = taken.open_conflicts(caller.device, [change.op_id for change, _ in clashing])
	for change, outcome in clashing:
		for holder in (outcome.detail or {}).values():
			found[change.entity_type, holder] = current(caller.space, change.entity_type, holder)
	return found


def current(space, entity_type, client_id):
	"""(version, payload) of a record as devices know it; (None, None) when it is gone."""
	known = registry()
	entity, name = known.by_name[entity_type], ids.record(space, entity_type, client_id)
	stored = load.records([name]).get(name)
	if stored is None or not stored.live:
		return None, None
	values = load.documents(entity, [stored.document_name]).get(stored.document_name, {})
	return stored.doc_version, wire.payload(
		entity, values, wire.client_ids([(entity, values)], space, known), known
	)
