"""Settling conflicts. A resolution is a change like any other, and takes the way of a push of one change.

All functions here leave the commit to their caller, and raise RequestError.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import frappe

from hisabi_sync import permissions
from hisabi_sync.engine import derive, wire
from hisabi_sync.engine.conflicts.conflict_rows import ACTION, DISMISSED, OPEN, RESOLVED, SEPARATOR, SIDES
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, ids, strict_json, texts
from hisabi_sync.engine.model.change import Caller, Membership
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import resolved_change
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store import load, side_effects, stored_json

# Members with these roles may settle conflicts of others; policies do not limit their decisions.
DECIDING_ROLES = ("admin", "owner")
COLUMNS = (
	"name status kind action args entity_type record client_id document_name space device user fields base_version server_version "
	"base_values server_values client_values resolution reason resolved_by resolved_at resolved_values "
	"resolved_version history"
).split()
UNDECIDED = {
	**dict.fromkeys(("resolution", "reason", "resolved_by", "resolved_at", "resolved_values")),
	"resolved_version": 0,
}


@dataclass(slots=True)
class Resolution:
	"""What a person decided about a conflict.

	In a manual merge, `keep` maps fields to a side (base, server or client), and `values` maps fields to values of the wire or
	of the document. Other fields stay. With `in_parts`, lists and objects in `values` have only the rows and keys that they
	set, and the others stay. `version` is the version of the record that the person has seen, if it is not the one that the
	conflict shows.
	"""

	choice: str
	keep: dict[str, str] = field(default_factory=dict)
	values: dict[str, Any] = field(default_factory=dict)
	reason: str | None = None
	version: int | None = None
	in_parts: bool = False


class Case:
	"""A conflict and its record. To settle it, both are locked in the order of a push; to look at it, neither is.

	`member` is the Caller of a member who settles in their own space. Without it, the signed-in user reviews conflicts in the
	Desk.
	"""

	SIDES = SIDES

	def __init__(self, name: str, lock: bool = True, member: Caller | None = None) -> None:
		self.registry = registry()
		row = _row(name)
		entity = self.registry.by_name.get(row.entity_type)
		if entity is None:
			raise RequestError("unsupported_entity_type", entity_types=[row.entity_type])
		self.entity = entity
		self.caller = replace(member, memo={}) if member else _caller(row.space, self.entity)
		if lock:
			derive.hold(self.caller, {self.entity.name})
		self.stored = load.working_copies([row.record], self.registry, lock=lock).get(row.record)
		self.conflict = _row(name, lock=True) if lock else row
		self.require_visible()

	@property
	def is_own(self) -> bool:
		"""Whether the author of the change settles; they may do what they may do in a push, and nothing else."""
		return not (self.caller.reviews or self.caller.role in DECIDING_ROLES)

	def require_visible(self) -> None:
		"""Raise RequestError not_found if the person may not read the record, as if there were no conflict."""
		if self.stored and visibility.hidden([self.stored], self.registry, [frappe.session.user]):
			raise RequestError("not_found")

	def seen(self, values: dict[str, Any]) -> dict[str, Any]:
		"""The values of the record that the person may read."""
		return visibility.cut(self.entity, values, frappe.session.user)

	def side(self, name: str) -> dict[str, Any]:
		"""Canonical values of a side of the conflict: base, server or client."""
		return stored_json.decode_values(self.conflict.get(SIDES[name]), self.entity.fields)

	@property
	def asked(self) -> set[str]:
		"""Names of the fields in conflict."""
		return set((self.conflict.fields or "").split(SEPARATOR)) - {""}

	@property
	def has_moved_on(self) -> bool:
		"""Whether the record's content changed after the conflict arose."""
		return self.stored is not None and self.stored.content_version > (self.conflict.server_version or 0)

	@property
	def creates(self) -> bool:
		"""Whether the change of the device would have made a new record."""
		return self.stored is None or self.stored.client_id != self.conflict.client_id

	@property
	def is_live(self) -> bool:
		"""Whether the record exists and is no tombstone."""
		return self.stored is not None and self.stored.live

	@property
	def is_action(self) -> bool:
		"""Whether the device asked for an action; there is nothing to merge then."""
		return self.conflict.kind == ACTION

	def require_open(self) -> None:
		"""Raise RequestError already_settled, with the outcome, unless the conflict is open."""
		if self.conflict.status != OPEN:
			raise RequestError("already_settled", conflict=outcome(self.conflict))

	def require_seen(self, version: int | None) -> None:
		"""Raise RequestError record_changed unless the person has seen the present content of the record.

		`version` is the version that they saw, None for that of the conflict. Versions without new content count as seen.
		"""
		if self.stored is None:
			return
		version = self.conflict.server_version or 0 if version is None else version
		if not self.stored.content_version <= version <= self.stored.doc_version:
			raise RequestError("record_changed", conflict_id=self.conflict.name, **state(self))


def _caller(space: str, entity: EntityType) -> Caller:
	"""The Caller for a user who reviews conflicts in the Desk, with the rights of an owner."""
	key = frappe.db.get_value("Sync Space", space, "space_key") or ""
	caller = Caller.of_system(frappe.session.user, space, entity.space_type, key)
	owner = Membership("owner", entity.space_type, key)
	return replace(caller, reviews=permissions.is_manager(), membership=owner)


def _row(name: str, lock: bool = False) -> frappe._dict:
	tail = "FOR UPDATE" if lock else ""
	rows = sql.select("Sync Conflict", map(sql.quote, COLUMNS), "name = %s", (name,), tail)
	if not rows:
		raise RequestError("not_found")
	row = frappe._dict(zip(COLUMNS, rows[0], strict=True))
	row.client_id = ids.decode(row.client_id)
	return row


def state(case: Case) -> dict[str, Any]:
	"""The record as it is now: `{doc_version, server_modified, is_deleted, server_record}`."""
	stored, space = case.stored, case.conflict.space
	if stored is None:
		return {"doc_version": None, "server_modified": None, "is_deleted": True, "server_record": None}
	seen = case.seen(stored.values)
	names = wire.client_ids([(case.entity, seen)], space, case.registry)
	record = wire.payload(case.entity, seen, names, case.registry) if stored.live else None
	modified = clock.dump(stored.modified)
	return {
		"doc_version": stored.doc_version,
		"server_modified": modified,
		"is_deleted": not stored.live,
		"server_record": record,
	}


def outcome(conflict: frappe._dict) -> dict[str, Any]:
	"""The status of a conflict and how it was settled, for an answer."""
	return {
		"conflict_id": conflict.name,
		"status": conflict.status,
		"resolution": conflict.resolution,
		"reason": conflict.reason,
		"resolved_by": conflict.resolved_by,
		"resolved_at": clock.dump(conflict.resolved_at),
		"resolved_version": conflict.resolved_version,
	}


def resolve(
	name: str, resolution: Resolution, announce: bool = True, member: Caller | None = None
) -> dict[str, Any]:
	"""Apply a resolution and close the conflict; returns `outcome` and the record's new `state` in one dict.

	`member` is that of a Case. Raises already_settled, record_changed, record_deleted, resolution_refused.
	"""
	case = Case(name, member=member)
	case.require_open()
	case.require_seen(resolution.version)
	case.stored = resolved_change.apply(case, resolution)
	values = {
		"status": RESOLVED,
		"resolution": resolution.choice,
		"reason": resolution.reason,
		"resolved_values": stored_json.encode_values(_held(case, resolution), case.entity.fields),
		"resolved_version": case.stored.doc_version if case.stored else 0,
	}
	_close(case, values, announce)
	return {**outcome(case.conflict), **state(case)}


def _held(case: Case, resolution: Resolution) -> dict[str, Any]:
	"""The record's present values of the fields that the resolution was about."""
	if case.stored is None or not case.is_live:
		return {}
	asked = {name for side in SIDES for name in case.side(side)} | set(resolution.values)
	return {name: value for name, value in case.stored.values.items() if name in asked}


def dismiss(name: str, reason: str | None, announce: bool = True) -> dict[str, Any]:
	"""Close the conflict without touching the record. Raises reason_required, already_settled."""
	if not reason:
		raise RequestError("reason_required")
	case = Case(name)
	case.require_open()
	_close(case, {"status": DISMISSED, "reason": reason}, announce)
	return {**outcome(case.conflict), **state(case)}


def reopen(name: str, reason: str | None = None, announce: bool = True) -> dict[str, Any]:
	"""Open a settled conflict again, about the present record. The earlier decision stays in the history. Raises not_settled."""
	case = Case(name)
	if case.conflict.status == OPEN:
		raise RequestError("not_settled")
	seen = {"server_version": case.stored.doc_version} if case.stored else {}
	_save(case, {**UNDECIDED, "status": OPEN, **seen}, "reopened", reason, announce)
	return {**outcome(case.conflict), **state(case)}


def _close(case: Case, values: Mapping[str, Any], announce: bool) -> None:
	person = {"resolved_by": frappe.session.user, "resolved_at": clock.now()}
	_save(case, {**values, **person}, values["status"].lower(), values.get("reason"), announce)


def _save(case: Case, values: Mapping[str, Any], action: str, reason: str | None, announce: bool) -> None:
	"""Write the conflict and an entry of its history. Open forms are refreshed after the commit."""
	reason = texts.plain(reason, texts.LONG) or None
	values = {**values, "reason": reason} if "reason" in values else values
	entry = {"action": action, "at": clock.dump(clock.now()), "by": frappe.session.user, "reason": reason}
	kept = ("resolution", "resolved_values", "resolved_version", "server_version")
	entry.update({name: values[name] for name in kept if values.get(name)})
	history = [*json.loads(case.conflict.history or "[]"), entry]
	text = strict_json.kept(history)
	case.conflict.update(values, history=text)
	frappe.db.set_value("Sync Conflict", case.conflict.name, {**values, "history": text})
	side_effects.refresh_form("Sync Conflict", case.conflict.name, announce)
