"""From outcomes and a page of changes to the answer of a batch call. Source: docs/contracts/batch.md."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from frappe import _

from hisabi_sync.api.batch import items as batch_items
from hisabi_sync.api.batch.exchange import Exchange
from hisabi_sync.api.protocol.item_reader import is_retryable
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import ACCEPTED, CONFLICT, DUPLICATE, ERROR, Caller, Change, Outcome
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store.calls import Counts
from hisabi_sync.hisabi_farm import history, patches
from hisabi_sync.hisabi_farm.document import CONFIRMED
from hisabi_sync.hisabi_farm.entities import OBSERVATION, PLAYBOOK, RECOMMENDATION, TABLE, wire_names

REBASE, CORRECT, REFRESH, NONE = "rebase", "correct", "refresh", "none"
# Entity -> code, action and sentence of its conflicts.
CONFLICTS = {
	OBSERVATION: (
		"observation_confirmed",
		CORRECT,
		"This observation is confirmed; send a correction with correctionOf and a reason",
	),
	RECOMMENDATION: (
		"recommendation_confirmed",
		REFRESH,
		"This recommendation is confirmed and does not change any more",
	),
	batch_items.PATCH: (
		"base_version_mismatch",
		REBASE,
		"The playbook has another active version; rebase the patch on serverRecord",
	),
}
RACED = ("record_exists", REFRESH, "Another device made this record at the same moment")
# Code of an error -> what the app can do; whatever is wrong with the item itself is to be put right.
ACTIONS = {
	**dict.fromkeys(("not_found", "deleted", "already_corrected", "base_version_ahead"), REFRESH),
	**dict.fromkeys(("permission_denied", "insufficient_scope", "unique_violation", "internal_error"), NONE),
	**dict.fromkeys(("depends_on_failed_item", "batch_rolled_back", "op_id_reused", "entity_disabled"), NONE),
}
ID_NAMES = {OBSERVATION: "observationId", RECOMMENDATION: "recommendationId", PLAYBOOK: "playbookId"}
NAMES = {entity_type: wire_names(entity_type) for entity_type in TABLE}
DOWN = {PLAYBOOK: "playbooks", OBSERVATION: "observations", RECOMMENDATION: "recommendations"}


def record(
	entity_type: str, client_id: str, values: Mapping[str, Any], version: int, modified: str | None
) -> dict[str, Any]:
	"""A record as devices know it, from the engine's names and wire values."""
	names = NAMES[entity_type]
	named = {names[name]: value for name, value in values.items() if name in names}
	if entity_type == PLAYBOOK:
		named["rules"] = [patches.on_wire(row) for row in values.get("rules") or []]
	return {
		ID_NAMES[entity_type]: client_id,
		**named,
		"serverVersion": version,
		"serverModified": modified,
	}


def answer(exchange: Exchange) -> tuple[dict[str, Any], Counts]:
	"""(body, Counts) of an exchange."""
	pairs = list(zip(exchange.changes, exchange.outcomes, strict=True))
	accepted = [pair for pair in pairs if pair[1].status in (ACCEPTED, DUPLICATE)]
	conflicts = [_conflict(*pair) for pair in pairs if pair[1].status in (CONFLICT, ERROR)]
	downstream = _downstream(exchange, accepted)
	body = {
		"syncId": exchange.call.sync_id,
		"acceptedAt": clock.dump(clock.now()),
		"serverCursor": exchange.page.next_cursor,
		"hasMore": exchange.page.has_more,
		"acceptedCounts": _counts(accepted),
		"accepted": _accepted(exchange, accepted),
		"conflicts": conflicts,
		"downstream": downstream,
	}
	down = sum(len(downstream[name]) for name in (*DOWN.values(), "deleted"))
	return body, Counts(len(accepted), len(conflicts), down)


def _counts(accepted: Iterable[tuple[Change, Outcome]]) -> dict[str, int]:
	found = [change.raw["collection"] for change, _ in accepted]
	return {name: found.count(name) for name in batch_items.COLLECTIONS}


def _entity(change: Change) -> tuple[str, str]:
	"""(name on the wire, id on the wire) of what was sent."""
	entity, _entity_type, id_name = batch_items.COLLECTIONS[change.raw["collection"]]
	return entity, change.raw["item"][id_name][: ids.LONGEST]


def _accepted(exchange: Exchange, accepted: Sequence[tuple[Change, Outcome]]) -> list[dict[str, Any]]:
	made = _made_versions(exchange, accepted)
	return [_accepted_entry(change, outcome, made) for change, outcome in accepted]


def _accepted_entry(change: Change, outcome: Outcome, made: Mapping[str, int]) -> dict[str, Any]:
	entity, key = _entity(change)
	return {
		"entity": entity,
		"id": key,
		"serverVersion": made.get(key) if entity == batch_items.PATCH else outcome.doc_version,
		"duplicate": outcome.status == DUPLICATE or outcome.repeated,
		"merged": outcome.merged,
		"ignored": batch_items.ignored(change) + (outcome.adjusted or []),
	}


def _made_versions(exchange: Exchange, accepted: Iterable[tuple[Change, Outcome]]) -> dict[str, int]:
	"""{patch id: version of the playbook that it made}; one statement."""
	farm = exchange.page.caller.space_key
	patch_ids = [_entity(change)[1] for change, _ in accepted if change.entity_type == PLAYBOOK]
	names = [history.patch_name(farm, patch_id) for patch_id in patch_ids]
	return dict(sql.select_in(history.PATCH, ["patch_id", "version"], "name", sorted(names)))


# --- what was not taken


def _conflict(change: Change, outcome: Outcome) -> dict[str, Any]:
	entity, key = _entity(change)
	code, action, sentence = _answer_to(entity, outcome)
	return {
		"entity": entity,
		"id": key,
		"code": code,
		"reason": sentence,
		"clientVersion": change.based_on if change.entity_type == PLAYBOOK else _client_version(change),
		**_server_side(change, outcome),
		"retryable": is_retryable(outcome),
		"action": action,
		"conflictId": outcome.conflict,
		"details": _details(change, outcome),
	}


def _client_version(change: Change) -> int | None:
	"""The version that the item itself names."""
	named = [change.raw["item"].get(name) for name in batch_items.BASE]
	return next((value for value in named if isinstance(value, int)), None)


def _answer_to(entity: str, outcome: Outcome) -> tuple[str | None, str, str | None]:
	"""(code, action, sentence) for what was not taken."""
	if outcome.status == ERROR:
		return outcome.code, ACTIONS.get(outcome.code or "", CORRECT), outcome.message
	status = (outcome.record or {}).get("status")
	raced = entity != batch_items.PATCH and status != CONFIRMED
	code, action, sentence = RACED if raced else CONFLICTS[entity]
	return code, action, _(sentence)


def _server_side(change: Change, outcome: Outcome) -> dict[str, Any]:
	"""serverVersion and serverRecord: for a patch the active version of the playbook and its rules, to rebase on."""
	if not outcome.record:
		return {"serverVersion": outcome.doc_version or None, "serverRecord": None}
	current_record = record(
		change.entity_type, change.client_id, outcome.record, outcome.doc_version, outcome.server_modified
	)
	version = current_record["version"] if change.entity_type == PLAYBOOK else outcome.doc_version
	return {"serverVersion": version, "serverRecord": current_record}


def _details(change: Change, outcome: Outcome) -> dict[str, Any]:
	"""The fields in question, by their names on the wire."""
	names = NAMES[change.entity_type]
	if outcome.status == CONFLICT:
		return {"fields": [names.get(name, name) for name in outcome.conflict_fields or []]}
	if isinstance(outcome.detail, dict):
		return {names.get(name) or name: value for name, value in outcome.detail.items()}
	if isinstance(outcome.detail, list):
		return {"fields": [names.get(name, name) for name in outcome.detail]}
	return {} if outcome.detail is None else {"detail": outcome.detail}


# --- what the device gets


def _downstream(exchange: Exchange, accepted: Iterable[tuple[Change, Outcome]]) -> dict[str, Any]:
	"""The page, without what the device has just sent and nobody changed."""
	own = {outcome.record_name for change, outcome in accepted if _is_known(exchange, outcome)}
	found: dict[str, Any] = {
		"playbook": _latest_playbook(exchange.page.caller),
		**{name: [] for name in DOWN.values()},
	}
	found["deleted"] = []
	for item in exchange.page.items:
		name = ids.record(exchange.page.caller.space, item.entity_type, item.client_id)
		if item.deleted_at:
			gone = {"entity": item.wire_name, "id": item.client_id, "serverVersion": item.doc_version}
			found["deleted"].append(gone)
		elif name not in own:
			modified = clock.dump(item.modified)
			values = record(item.entity_type, item.client_id, item.payload, item.doc_version, modified)
			if item.warnings:
				values["warnings"] = [NAMES[item.entity_type].get(n, n) for n in item.warnings]
			found[DOWN[item.entity_type]].append(values)
	return found


def _is_known(exchange: Exchange, outcome: Outcome) -> bool:
	"""Whether the device has all of the record: it made it just now, or had seen it before it changed it."""
	if outcome.merged or outcome.entity_type == PLAYBOOK:
		return False
	before = exchange.records.get(outcome.record_name or "")
	return before is None or before[0] <= exchange.seen(outcome.entity_type)


def _latest_playbook(caller: Caller) -> dict[str, Any] | None:
	"""Id and version of the playbook that changed last; a look at the end of an index."""
	rows = sql.select(
		"Sync Record",
		["client_id", "document_name", "doc_version", "modified"],
		"space = %s AND entity_type = %s AND deleted_at IS NULL",
		(caller.space, PLAYBOOK),
		"ORDER BY sequence DESC LIMIT 1",
	)
	if not rows:
		return None
	client_id, document, _version, modified = rows[0]
	fields = ["title", "crop", "status", "version"]
	entity = registry().by_name[PLAYBOOK]
	if not visibility.readable(entity, [document], caller.user):
		return None
	row = sql.select("Field Playbook", fields, "name = %s", (document,))[0]
	playbook = {
		name: entity.fields[name].dump(entity.fields[name].load(value))
		for name, value in zip(fields, row, strict=True)
	}
	values = {**dict.fromkeys(fields), **visibility.cut(entity, playbook, caller.user)}
	return {"playbookId": ids.decode(client_id), **values, "serverModified": clock.dump(modified)}
