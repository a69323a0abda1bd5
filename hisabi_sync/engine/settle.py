"""Settling conflicts. What a person decides is a change like any other, and goes the way of a push of one change.

Every function here leaves the commit to its caller, and raises RequestError.
"""

import json
from dataclasses import dataclass, field

import frappe

from hisabi_sync.engine import clock, live, load, settlement, sql, wire
from hisabi_sync.engine.conflicts import OPEN
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import RequestError

RESOLVED, DISMISSED = "Resolved", "Dismissed"
SIDES = {"base": "base_values", "server": "server_values", "client": "client_values"}
COLUMNS = (
	"name status kind entity_type record client_id document_name space device user fields base_version server_version "
	"base_values server_values client_values resolution reason resolved_by resolved_at resolved_values "
	"resolved_version history"
).split()
UNDECIDED = {
	**dict.fromkeys(("resolution", "reason", "resolved_by", "resolved_at", "resolved_values")),
	"resolved_version": 0,
}


@dataclass(slots=True)
class Decision:
	"""What a person decided.

	In a manual merge `keep` maps fields to a side (base, server or client) and `values` to values of the wire or of the
	document; other fields stay as they are. `version` is the record's version that the person has seen, when that is
	not the one the conflict shows.
	"""

	choice: str
	keep: dict = field(default_factory=dict)
	values: dict = field(default_factory=dict)
	reason: str | None = None
	version: int | None = None


class Case:
	"""A conflict and its record, both locked: first the record, as a push does."""

	SIDES = SIDES

	def __init__(self, name):
		self.registry = registry()
		held = _row(name)
		self.entity = self.registry.by_name.get(held.entity_type)
		if self.entity is None:
			raise RequestError("unsupported_entity_type", entity_types=[held.entity_type])
		self.stored = load.working_copies([held.record], self.registry).get(held.record)
		self.conflict = _row(name, lock=True)

	def side(self, name):
		"""Canonical values of the base, the server or the client as the conflict has them."""
		return load.decode_values(self.conflict.get(SIDES[name]), self.entity.fields)

	@property
	def has_moved_on(self):
		return self.stored is not None and self.stored.content_version > (self.conflict.server_version or 0)

	@property
	def creates(self):
		"""Whether the device's change would have made a record of its own."""
		return self.stored is None or self.stored.client_id != self.conflict.client_id

	@property
	def is_live(self):
		return self.stored is not None and self.stored.live

	def require_open(self):
		if self.conflict.status != OPEN:
			raise RequestError("already_settled", conflict=outcome(self.conflict))

	def require_seen(self, version):
		"""The person has seen what the record holds now, by the conflict or by its new state."""
		if self.has_moved_on and not (version and version >= self.stored.content_version):
			raise RequestError("record_changed", conflict_id=self.conflict.name, **state(self))


def _row(name, lock=False):
	tail = "FOR UPDATE" if lock else ""
	rows = sql.select("Sync Conflict", map(sql.quote, COLUMNS), "name = %s", (name,), tail)
	if not rows:
		raise RequestError("not_found")
	return frappe._dict(zip(COLUMNS, rows[0], strict=True))


def state(case):
	"""The record as it is now: `{doc_version, server_modified, is_deleted, server_record}`."""
	stored, space = case.stored, case.conflict.space
	if stored is None:
		return {"doc_version": None, "server_modified": None, "is_deleted": True, "server_record": None}
	names = wire.client_ids([(case.entity, stored.values)], space, case.registry)
	record = wire.payload(case.entity, stored.values, names, case.registry) if stored.live else None
	modified = clock.dump(stored.modified)
	return {
		"doc_version": stored.doc_version,
		"server_modified": modified,
		"is_deleted": not stored.live,
		"server_record": record,
	}


def outcome(conflict):
	"""What became of a conflict, in words for an answer."""
	return {
		"conflict_id": conflict.name,
		"status": conflict.status,
		"resolution": conflict.resolution,
		"reason": conflict.reason,
		"resolved_by": conflict.resolved_by,
		"resolved_at": clock.dump(conflict.resolved_at),
		"resolved_version": conflict.resolved_version,
	}


def resolve(name, decision, announce=True):
	"""Apply a decision and close the conflict; returns `outcome` and the record's new `state` in one dict.

	Raises already_settled, record_changed, record_deleted, resolution_refused.
	"""
	case = Case(name)
	case.require_open()
	case.require_seen(decision.version)
	case.stored = settlement.apply(case, decision)
	values = {
		"status": RESOLVED,
		"resolution": decision.choice,
		"reason": decision.reason,
		"resolved_values": load.encode_values(_held(case, decision), case.entity.fields),
		"resolved_version": case.stored.doc_version if case.stored else 0,
	}
	_close(case, values, announce)
	return {**outcome(case.conflict), **state(case)}


def _held(case, decision):
	"""What the record holds now of the fields that the resolution was about."""
	if not case.is_live:
		return {}
	asked = {name for side in SIDES for name in case.side(side)} | set(decision.values)
	return {name: value for name, value in case.stored.values.items() if name in asked}


def dismiss(name, reason, announce=True):
	"""Close the conflict without touching the record. Raises reason_required, already_settled."""
	if not reason:
		raise RequestError("reason_required")
	case = Case(name)
	case.require_open()
	_close(case, {"status": DISMISSED, "reason": reason}, announce)
	return {**outcome(case.conflict), **state(case)}


def reopen(name, reason=None, announce=True):
	"""Ask once more, about the record as it is now; what was decided stays in the history. Raises not_settled."""
	case = Case(name)
	if case.conflict.status == OPEN:
		raise RequestError("not_settled")
	seen = {"server_version": case.stored.doc_version} if case.stored else {}
	_save(case, {**UNDECIDED, "status": OPEN, **seen}, "reopened", reason, announce)
	return {**outcome(case.conflict), **state(case)}


def _close(case, values, announce):
	person = {"resolved_by": frappe.session.user, "resolved_at": clock.now()}
	_save(case, {**values, **person}, values["status"].lower(), values.get("reason"), announce)


def _save(case, values, action, reason, announce):
	"""Write the conflict and a line of its history; whoever looks at it is told after the commit."""
	entry = {"action": action, "at": clock.dump(clock.now()), "by": frappe.session.user, "reason": reason}
	kept = ("resolution", "resolved_values", "resolved_version", "server_version")
	entry.update({name: values[name] for name in kept if values.get(name)})
	history = [*json.loads(case.conflict.history or "[]"), entry]
	text = json.dumps(history, ensure_ascii=False, default=str)
	case.conflict.update(values, history=text)
	frappe.db.set_value("Sync Conflict", case.conflict.name, {**values, "history": text})
	live.tell("Sync Conflict", case.conflict.name, announce)
