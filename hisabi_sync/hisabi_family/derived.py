"""What follows from done tasks: points, streaks and badges, in the transaction that changes the tasks.

Everything that the server makes has a client id computed from what it is for, so that it is made once.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import frappe

from hisabi_sync.engine import capture
from hisabi_sync.engine.database import background, sql
from hisabi_sync.engine.derive import Access, Effect
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.store import load
from hisabi_sync.hisabi_family import families, rules, streaks

TASK, EVENT, POINTS, STREAK, BADGE = "task", "event", "points_ledger", "user_streak", "badge"
DONE = rules.DONE
MOST_DAYS = 4000  # of a member's history that are looked at
# What a badge rule counts -> field of the member's row.
METRICS = {"Streak": "longest_streak", "Points": "points_earned", "Tasks": "tasks_done"}


@dataclass
class Gain:
	"""What a transaction adds for one member. `recount` says that days were taken away."""

	points: int = 0
	earned: int = 0
	tasks: int = 0
	days: set = field(default_factory=set)
	recount: bool = False


def hold(caller: Caller, entity_types: Collection[str]) -> tuple[str, str] | None:
	"""Lock the family first, if points, streaks or badges follow from one of these entity types or are one of them."""
	return (families.DOCTYPE, caller.space_key) if {TASK, POINTS, STREAK, BADGE} & set(entity_types) else None


def derive(effects: Iterable[Effect], access: Access) -> None:
	"""What follows from tasks and points."""
	by_type = defaultdict(list)
	for effect in effects:
		by_type[effect.entity_type].append(effect)
	for entity_type in (TASK, EVENT):
		_note_times(entity_type, by_type[entity_type], access)
	done = [e for e in by_type[TASK] if e.after and _is_done(e.after) and not _is_done(e.before)]
	undone = [e for e in by_type[TASK] if e.after and _is_done(e.before) and not _is_done(e.after)]
	_keep_completion(by_type[TASK], access)
	if done or undone or by_type[POINTS]:
		_count(done, undone, by_type[POINTS], access)


def _is_done(values: Mapping[str, Any] | None) -> bool:
	return bool(values and values["status"] == DONE)


def _note_times(entity_type: str, effects: Iterable[Effect], access: Access) -> None:
	"""`updated_at` is the latest time of an edit, by the clock of its author."""
	for copy in access.copies(entity_type, {e.document_name for e in effects if e.after}).values():
		latest = copy.history[-1] if copy.history else None
		if latest and latest.version > copy.loaded_version and latest.at:
			present = copy.values["updated_at"]
			access.set(copy, {"updated_at": max(latest.at, present) if present else latest.at})


def _keep_completion(effects: Iterable[Effect], access: Access) -> None:
	"""A task that stays done keeps its time of completion; a late edit does not change it."""
	kept = {
		e.document_name: e.before["completed_at"]
		for e in effects
		if e.before and e.after and _is_done(e.before) and _is_done(e.after) and not e.after["completed_at"]
	}
	for name, copy in access.copies(TASK, kept).items() if kept else ():
		access.set(copy, {"completed_at": kept[name]})


def _count(done: list[Effect], undone: list[Effect], entries: Iterable[Effect], access: Access) -> None:
	"""The family is locked, so that two phones cannot be the first to do a task."""
	access.lock(families.DOCTYPE, access.caller.space_key)
	gains: defaultdict[str, Gain] = defaultdict(Gain)
	_complete(done, gains, access)
	_reopen(undone, gains, access)
	_award(done, gains, access)
	for entry in entries:
		_add_points(gains, entry.after, 1)
		_add_points(gains, entry.before, -1)
	copies = _save_counts(gains, access)
	_award_badges(copies, access)


# --- tasks


def _complete(done: list[Effect], gains: defaultdict[str, Gain], access: Access) -> None:
	if not done:
		return
	now, members = access.writer.now or clock.now(), _members(access.caller)
	for copy in access.copies(TASK, {e.document_name for e in done}).values():
		at = min(copy.values["completed_at"] or now, now)
		day = families.day_of(at, access.caller.space_key)
		person = _who_did(copy.values["assignees"], families.user_id_of(access.caller), members)
		access.set(copy, {"completed_at": at, "completed_by": person, "completed_on": day})
		if person in members:
			gains[person].tasks += 1
			gains[person].days.add(day)


def _members(caller: Caller) -> set[str]:
	"""User IDs that can gain points: those of the family's members. Other people in the Desk gain nothing."""
	own = {families.user_id_of(caller)} if caller.device else set()
	return own | set(families.members_of(caller))


def _who_did(assignees: Iterable[str] | None, own: str, members: Container[str]) -> str:
	"""The member who is credited with a task: the caller if they are assigned or nobody is, else the first assignee."""
	others = [person for person in assignees or () if person in members]
	return own if own in others or not others else others[0]


def _reopen(undone: list[Effect], gains: defaultdict[str, Gain], access: Access) -> None:
	"""A task becomes undone: its day no longer counts, its points stay, and it gets no points a second time."""
	for effect in undone:
		person = effect.before and effect.before["completed_by"]
		if person:
			gains[person].tasks -= 1
			gains[person].recount = True
	empty = {"completed_at": None, "completed_by": None, "completed_on": None}
	for copy in access.copies(TASK, {e.document_name for e in undone}).values() if undone else ():
		access.set(copy, empty)


# --- points


def _award(done: list[Effect], gains: defaultdict[str, Gain], access: Access) -> None:
	"""One line of the points ledger for a task, also when the task is completed or sent again."""
	worth = {e.document_name for e in done if e.after and e.after["points"] > 0}
	worth -= rules.awarded(worth)
	members = _members(access.caller) if worth else ()
	tasks = {n: c for n, c in access.copies(TASK, worth).items() if c.values["completed_by"] in members}
	if not tasks:
		return
	made = access.ensure(POINTS, {_award_id(name): _line(name, copy) for name, copy in tasks.items()})
	for entry, is_new in made.values():
		if is_new:
			_add_points(gains, entry.values, 1)


def _award_id(task: str) -> str:
	return f"award-{ids.digest(task)}"


def _line(name: str, copy: Stored) -> dict[str, Any]:
	values = copy.values
	return {
		"user_id": values["completed_by"],
		"delta": values["points"],
		"reason": values["title"],
		"task": name,
	}


def _add_points(gains: defaultdict[str, Gain], entry: Mapping[str, Any] | None, sign: int) -> None:
	if entry:
		gain = gains[entry["user_id"]]
		gain.points += sign * entry["delta"]
		gain.earned += sign * max(entry["delta"], 0)


# --- what is counted for each member


def _client_id(user_id: str) -> str:
	return user_id if ids.is_name(user_id) else f"streak-{ids.digest(user_id)}"


def _save_counts(gains: defaultdict[str, Gain], access: Access) -> dict[str, Stored]:
	"""{userId: the member's row}."""
	values = {_client_id(user_id): {"user_id": user_id} for user_id in sorted(gains)}
	rows = access.ensure(STREAK, values)
	found = {user_id: rows[_client_id(user_id)][0] for user_id in gains}
	found = {user_id: copy for user_id, copy in found.items() if copy.live}
	history = _history(found, gains, access)
	for user_id, copy in found.items():
		streak = history.get(user_id) or _extended(copy.values, gains[user_id], access)
		told = _fields(streak)  # type: ignore[arg-type]  # history has whom _extended cannot tell
		access.set(copy, {**_counts(copy.values, gains[user_id]), **told})
	return found


def _counts(present: Mapping[str, Any], gain: Gain) -> dict[str, int]:
	return {
		"points_total": present["points_total"] + gain.points,
		"points_earned": present["points_earned"] + gain.earned,
		"tasks_done": max(present["tasks_done"] + gain.tasks, 0),
	}


def _held(values: Mapping[str, Any]) -> streaks.Streak:
	return streaks.Streak(values["current_streak"], values["longest_streak"], values["last_done_on"])


def _fields(streak: streaks.Streak) -> dict[str, Any]:
	names = ("current_streak", "longest_streak", "last_done_on")
	return dict(zip(names, (streak.current, streak.longest, streak.last), strict=True))


def _extended(values: Mapping[str, Any], gain: Gain, access: Access) -> streaks.Streak | None:
	return streaks.extended(
		_held(values), gain.days, families.day_of(access.writer.now or clock.now(), access.caller.space_key)
	)


def _history(
	copies: Mapping[str, Stored], gains: defaultdict[str, Gain], access: Access
) -> dict[str, streaks.Streak]:
	"""{userId: streak from all their days} of those whose streak cannot be extended; one statement."""
	from_scratch = {
		user_id
		for user_id, copy in copies.items()
		if gains[user_id].recount or _extended(copy.values, gains[user_id], access) is None
	}
	if not from_scratch:
		return {}
	access.writer.flush()
	days: dict[str, set[date]] = {user_id: set() for user_id in from_scratch}
	for user_id, day in _days_of(from_scratch, access.caller.space_key):
		if user_id in days:
			days[user_id].add(day)
	today = families.day_of(access.writer.now or clock.now(), access.caller.space_key)
	return {user_id: streaks.of_days(found, today) for user_id, found in days.items()}


def _days_of(user_ids: Collection[str], family: str) -> Sequence[tuple[str, date]]:
	"""(userId, day) of each day on which one of them did something; tasks that were deleted later count."""
	where = "family = %s AND completed_by IN %s AND completed_on IS NOT NULL AND status = 'done'"
	groups = "GROUP BY completed_by, completed_on ORDER BY completed_on DESC"
	tail = f"{groups} LIMIT {MOST_DAYS * len(user_ids)} {load.LATEST}"
	columns = ["completed_by", "completed_on"]
	return sql.select("Family Task", columns, where, (family, tuple(sorted(user_ids))), tail)


# --- badges


def _award_badges(copies: Mapping[str, Stored], access: Access) -> None:
	"""Every badge whose rule a member has reached; those awarded before stay as they are."""
	awards = {}
	fields = ["code", "title", "metric", "threshold"]
	rules = frappe.get_all("Family Badge Rule", filters={"enabled": 1}, fields=fields) if copies else []
	for user_id, copy in copies.items():
		for rule in rules:
			if copy.values[METRICS[rule.metric]] >= rule.threshold:
				values = {"user_id": user_id, "code": rule.code, "title": rule.title}
				badge = f"badge-{ids.digest(user_id, rule.code)}"
				awards[badge] = {**values, "awarded_at": access.writer.now}
	if awards:
		access.ensure(BADGE, awards)


# --- days that pass


def expire() -> None:
	"""Scheduled job: end the streaks of members who missed yesterday, and notify their phones."""
	last = (clock.now() - timedelta(days=1)).date()
	filters = {"current_streak": [">", 0], "last_done_on": ["<", last], "is_deleted": 0}
	fields = ["name", "family"]
	rows = frappe.get_all("Family Streak", filters=filters, fields=fields, order_by="family, name")
	families_of = {row.name: row.family for row in rows}
	background.each("expire", "streak", families_of, lambda name: _expire(name, families_of[name]))


def _expire(name: str, family: str) -> None:
	"""One document, one transaction. The day of the family decides, which may be another than the site's."""
	today = families.day_of(clock.now(), family)
	capture.hold(frappe.get_doc("Family Streak", name))
	doc = frappe.get_doc("Family Streak", name, for_update=True)
	if doc.current_streak and not streaks.expired(_held(doc.as_dict()), today).current:
		doc.current_streak = 0
		doc.flags.ignore_permissions = True
		doc.save()
	frappe.db.commit()
