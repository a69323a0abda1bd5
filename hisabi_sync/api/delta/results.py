"""From outcomes and pulled records to a delta answer. Source: docs/contracts/delta.md."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from frappe import _

from hisabi_sync.api.delta import items as family_items
from hisabi_sync.api.protocol.item_reader import MAX_TEXT, is_retryable
from hisabi_sync.engine import pull
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.change import CONFLICT, CREATE, DELETE, ERROR, UPDATE, Change, Outcome
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.hisabi_family.rules import DONE

SERVER_WINS = "server_wins"
ROLLED_BACK = "batch_rolled_back"
MISMATCH, DONE_WINS = "version_mismatch", "done_wins"
# Item errors that say that the server's record stands: reported as conflicts, with the record.
REFUSALS = {
	"deleted": "deleted",
	"record_is_final": "immutable",
	"points_awarded": "points_awarded",
	"permission_denied": "server_only",
}
# What only the server writes; a role that is too low is an error there like anywhere else.
SERVER_ONLY = "server_only"


def reason(code: str) -> str:
	"""The sentence for a conflict's code."""
	return {
		MISMATCH: _("Version mismatch"),
		DONE_WINS: _("Done on the server"),
		"deleted": _("Deleted on the server"),
		"immutable": _("Such a record never changes"),
		"points_awarded": _("Points for this task were awarded already"),
		SERVER_ONLY: _("Only the server sets this"),
	}[code]


@dataclass
class Report:
	"""What became of the changes of a request."""

	applied: int = 0
	conflicts: list[dict[str, Any]] = field(default_factory=list)
	errors: list[dict[str, Any]] = field(default_factory=list)
	ignored: list[dict[str, Any]] = field(default_factory=list)

	@property
	def success(self) -> bool:
		"""Whether every change was applied."""
		return not (self.conflicts or self.errors)


def report(changes: Iterable[Change], outcomes: Iterable[Outcome]) -> Report:
	"""The Report of changes and their outcomes, in the order in which the client sent them."""
	pairs = sorted(zip(changes, outcomes, strict=True), key=lambda pair: pair[0].index)
	causes = {change.op_id: change.index for change, _ in pairs}
	found = Report()
	for change, outcome in pairs:
		_add(found, change, outcome, causes)
	return found


def _add(found: Report, change: Change, outcome: Outcome, causes: Mapping[str | None, int]) -> None:
	code = _conflict_code(change, outcome)
	if code:
		found.conflicts.append(_conflict(change, outcome, code))
	elif outcome.status == ERROR:
		found.errors.append(_error(change, outcome, causes))
	else:
		found.applied += 1
	names = [*family_items.ignored(change), *(outcome.warnings or []), *(outcome.adjusted or [])]
	if names:
		found.ignored.append({"index": change.index, "fields": names})


def _conflict_code(change: Change, outcome: Outcome) -> str | None:
	"""Why the server's record stands against the change, or None."""
	if outcome.status == ERROR:
		return _refusal(change, outcome)
	if outcome.status != CONFLICT and not outcome.conflict_fields:
		return None
	server_record = outcome.record or {}
	by_done = "status" in (outcome.conflict_fields or ()) and server_record.get("status") == DONE
	return DONE_WINS if by_done else MISMATCH


def _refusal(change: Change, outcome: Outcome) -> str | None:
	code = REFUSALS.get(outcome.code or "")
	if code != SERVER_ONLY:
		return code
	entity = registry().by_name.get(change.entity_type)
	return code if entity and entity.policy == SERVER_ONLY else None


def _who(change: Change) -> dict[str, Any]:
	return {
		"entity_type": change.raw["entity_type"][:MAX_TEXT],
		"entity_id": change.raw["entity_id"][:MAX_TEXT],
		"index": change.index,
	}


def _conflict(change: Change, outcome: Outcome, code: str) -> dict[str, Any]:
	names = _names(change.entity_type)
	return {
		**_who(change),
		"conflict_reason": reason(code),
		"code": code,
		"resolution": SERVER_WINS,
		"client_version": change.raw.get("version"),
		"server_version": outcome.doc_version or None,
		"server_data": _data(change.entity_type, outcome.record) if outcome.record else None,
		"fields": [names.get(name, name) for name in outcome.conflict_fields or ()],
		"conflict_id": outcome.conflict,
	}


def _error(change: Change, outcome: Outcome, causes: Mapping[str | None, int]) -> dict[str, Any]:
	answer = {
		**_who(change),
		"action": change.raw["action"][:MAX_TEXT],
		"code": outcome.code,
		"message": outcome.message,
		"retryable": is_retryable(outcome),
	}
	if outcome.code == ROLLED_BACK:
		answer["caused_by"] = sorted(causes[op_id] for op_id in outcome.detail["caused_by"])
	elif outcome.detail is not None:
		answer["detail"] = outcome.detail
	return answer


# --- records


@lru_cache(maxsize=64)
def _wire_names(entity: EntityType) -> dict[str, str]:
	"""{field: name on the wire}: the first alias of each field that has one."""
	names: dict[str, str] = {}
	for alias, name in entity.aliases.items():
		names.setdefault(name, alias)
	return names


def _names(entity_type: str) -> dict[str, str]:
	entity = registry().by_name.get(entity_type)
	return _wire_names(entity) if entity else {}


def _data(entity_type: str, payload: Mapping[str, Any]) -> dict[str, Any]:
	names = _names(entity_type)
	return {names.get(name, name): value for name, value in payload.items()}


def server_change(item: pull.Item) -> dict[str, Any]:
	"""A record as the client sees it: what it has not been told of before is a create, however often it was edited."""
	action = CREATE if item.is_new or item.doc_version == 1 else UPDATE
	names = _names(item.entity_type)
	edited = item.payload.get("updated_at") or clock.dump(item.modified)
	return {
		"entity_type": item.wire_name,
		"entity_id": item.client_id,
		"action": DELETE if item.deleted_at else action,
		"data": _data(item.entity_type, item.payload),
		"version": item.doc_version,
		"client_timestamp": edited,
		**({"warnings": [names.get(name, name) for name in item.warnings]} if item.warnings else {}),
	}
