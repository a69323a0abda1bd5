"""Checks and defaults of a family's records beyond what their DocTypes say. Source: docs/contracts/delta.md."""

from collections.abc import Iterable, Mapping
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import CREATE, UPDATE, Caller, Change, Stored
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.sharing.spaces import ROLE_RANK
from hisabi_sync.engine.store import load
from hisabi_sync.hisabi_family import families

DONE = "done"
MOST_PEOPLE = 100
POINTS = "Family Points Entry"


def task(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""Points are no debts, people are texts, and of two completions the first stands."""
	present, values = _held(stored), change.values
	if (values.get("points") or 0) < 0:
		raise ItemError("invalid_value", ["points"])
	_check_people(values, "assignees")
	if present.get("status") == DONE and values.get("status") == DONE:
		values.pop("completed_at", None)
	_judge_by_time(change, present)


def event(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""Check a family's event. Raises ItemError invalid_value for an end before its start, and for attendees that are no list of ids."""
	present, values = _held(stored), change.values
	start, end = (values.get(name, present.get(name)) for name in ("starts_at", "ends_at"))
	if start and end and end < start:
		raise ItemError("invalid_value", ["ends_at"])
	_check_people(values, "attendees")
	_judge_by_time(change, present)


def _held(stored: Stored | None) -> dict[str, Any]:
	return (stored.values if stored else {}) or {}


def _check_people(values: Mapping[str, Any], name: str) -> None:
	people = values.get(name)
	if people is None:
		return
	if not isinstance(people, list) or len(people) > MOST_PEOPLE:
		raise ItemError("invalid_value", [name])
	if not all(isinstance(person, str) and 0 < len(person) <= 140 for person in people):
		raise ItemError("invalid_value", [name])


def _judge_by_time(change: Change, present: Mapping[str, Any]) -> None:
	"""Note the time of a create. An update without a version wins as a whole if it is newer than the record.

	An older update loses each field that differs. It is judged like an update without any version or time.
	"""
	if change.operation == CREATE:
		change.values["updated_at"] = change.client_time or clock.now()
	elif change.operation == UPDATE and change.base_version is None and not change.base:
		latest = present.get("updated_at")
		if not (change.client_time and (latest is None or clock.is_after(change.client_time, latest))):
			change.base_version, change.client_time = 0, None


# --- points


def prepare_points(changes: Iterable[Change], caller: Caller) -> None:
	"""Look up for a whole batch which of the named tasks were paid for; the family is locked until the commit."""
	client_ids = {c.values["task"] for c in changes if isinstance(c.values.get("task"), str)}
	if not client_ids:
		return
	sql.select("Family", ["name"], "name = %s", (caller.space_key,), "FOR UPDATE")
	records = load.records([ids.record(caller.space, "task", client_id) for client_id in client_ids])
	caller.memo["awarded"] = awarded(
		[stored.document_name for stored in records.values() if stored.document_name]
	)


def awarded(tasks: Iterable[str]) -> set[str]:
	"""Which of the tasks, by document name, have points now."""
	where = "delta > 0 AND is_deleted = 0"
	rows = sql.select_in(POINTS, ["task"], "task", sorted(tasks), where, tail=load.LATEST)
	return {row[0] for row in rows}


def points(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""Lines are added and never changed. Parents give and take points, others spend their own."""
	if change.operation == UPDATE:
		raise ItemError("record_is_final")
	if stored and stored.exists:
		return
	values = change.values
	if not families.is_member(caller, values["user_id"]):
		raise ItemError("invalid_link", ["user_id"])
	spends_own = values["delta"] < 0 and values["user_id"] == families.user_id_of(caller)
	if ROLE_RANK[caller.role] < ROLE_RANK["admin"] and not spends_own:
		raise ItemError("permission_denied")
	if values["delta"] > 0 and values.get("task"):
		_award_once(values["task"], caller)


def _award_once(task: str, caller: Caller) -> None:
	paid = caller.memo.setdefault("awarded", set())
	if task in paid:
		raise ItemError("points_awarded")
	paid.add(task)
