"""The delta contract's entity types. Source: docs/contracts/delta.md.

The first alias of a field is its name on the wire; the rest is accepted too.
"""

from typing import Any

from hisabi_sync.hisabi_family.families import SPACE_TYPE

COMPUTED = {"access": "Computed"}
DONE_WINS = {"field": "status", "value": "done", "otherwise": "last_write_wins"}


def _called(*aliases: str, **options: Any) -> dict[str, Any]:
	return {"aliases": ",".join(aliases), **options}


# Entity type: (DocType, policy, its parameters, write mode, {field: options})
TABLE = {
	"task": (
		"Family Task",
		"terminal_value_wins",
		DONE_WINS,
		"Auto",
		{
			"title": {"required": 1},
			"details": _called("desc", "description"),
			"status": {},
			"assignees": {},
			"due_at": _called("due", "dueAt", "dueDate", "due_date"),
			"points": {},
			"category": {},
			"priority": {},
			"completed_at": _called("completedAt"),
			"completed_by": _called("completedBy", **COMPUTED),
			"completed_on": _called("completedOn", **COMPUTED),
			"updated_at": _called("updatedAt", **COMPUTED),
		},
	),
	"event": (
		"Family Event",
		"last_write_wins",
		{},
		"Auto",
		{
			"title": {"required": 1},
			"details": _called("description", "desc"),
			"starts_at": _called("start", "startsAt"),
			"ends_at": _called("end", "endsAt"),
			"all_day": _called("allDay"),
			"location": {},
			"attendees": {},
			"updated_at": _called("updatedAt", **COMPUTED),
		},
	),
	"points_ledger": (
		"Family Points Entry",
		"immutable",
		{},
		"Bulk",
		{
			"user_id": _called("userId", required=1),
			"delta": {"required": 1},
			"reason": {},
			"task": _called("taskId", "task_id"),
		},
	),
	"user_streak": (
		"Family Streak",
		"server_only",
		{},
		"Bulk",
		{
			"user_id": _called("userId"),
			"current_streak": _called("currentStreak"),
			"longest_streak": _called("longestStreak"),
			"last_done_on": _called("lastDoneOn"),
			"points_total": _called("pointsTotal"),
			"points_earned": _called("pointsEarned"),
			"tasks_done": _called("tasksDone"),
		},
	),
	"badge": (
		"Family Badge",
		"server_only",
		{},
		"Bulk",
		{
			"user_id": _called("userId"),
			"code": {},
			"title": {},
			"awarded_at": _called("awardedAt"),
		},
	),
}
# The document's spellings of entity types.
SPELLINGS = {
	"Task": "task",
	"tasks": "task",
	"Event": "event",
	"events": "event",
	"PointsLedger": "points_ledger",
	"pointsLedger": "points_ledger",
	"UserStreak": "user_streak",
	"userStreak": "user_streak",
	"Badge": "badge",
	"badges": "badge",
}


def declare() -> list[dict[str, Any]]:
	"""Declarations in the shape that `hisabi_sync.engine.entities.contracts` takes."""
	return [_declaration(name, *row) for name, row in TABLE.items()]


def _declaration(
	name: str,
	doctype: str,
	policy: str,
	parameters: dict[str, Any],
	write_mode: str,
	fields: dict[str, dict[str, Any]],
) -> dict[str, Any]:
	return {
		"entity_type": name,
		"document_type": doctype,
		"space_type": SPACE_TYPE,
		"space_path": "family",
		"client_id_field": "client_id",
		# One rank for all: a batch is ordered by priority, and links bring parents first.
		"rank": 10,
		"policy": policy,
		"policy_parameters": parameters,
		"write_mode": write_mode,
		"write_role": "member",
		"check_permissions": 0,
		"fields": [
			{"fieldname": field, "access": "Read and write", **options} for field, options in fields.items()
		],
	}
