"""The change that a decision on a conflict stands for, taken through the pipeline of a push."""

import copy
from dataclasses import replace

import frappe

from hisabi_sync.engine import clock, ids, load, push, wire, write
from hisabi_sync.engine import fields as kinds
from hisabi_sync.engine.batch import Batch
from hisabi_sync.engine.change import ACCEPTED, CREATE, DELETE, UPDATE, Caller, Change
from hisabi_sync.engine.entities import Registry
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.taken import unique_fields

SERVER, CLIENT, MERGE = CHOICES = ("accept_server", "accept_client", "manual_merge")


def apply(case, decision):
	"""Put the decision into effect; returns the record, which has a new version even if nothing changed.

	So every device gets the record with its next pull. Raises record_deleted, resolution_refused, invalid_argument.
	"""
	operation, kept, typed = _wanted(case, decision)
	stored, caller = case.stored, _caller(case)
	if operation and not case.is_live:
		raise RequestError("record_deleted")
	if operation:
		settled = Settlement(case, caller, operation, kept, typed).settle()
		if operation == CREATE or settled.doc_version != stored.doc_version:
			return settled
		stored = settled
	return stored and _touch(stored, case, caller)


def _wanted(case, decision):
	"""(operation, canonical values, values as typed); no operation when the record stays as it is."""
	deletes = case.conflict.kind == "delete"
	if decision.choice == CLIENT:
		return (DELETE, {}, {}) if deletes else (UPDATE, case.side("client"), {})
	if decision.choice == SERVER:
		kept = {} if case.has_moved_on or not case.is_live else _writable(case.side("server"), case)
		return (UPDATE if kept else None), kept, {}
	kept = _kept(case, decision.keep)
	if _is_new(case, decision.values):
		return CREATE, {}, _payload_of_new(case, kept, decision.values)
	return (UPDATE if kept or decision.values else None), kept, decision.values


def _writable(values, case):
	return {name: value for name, value in values.items() if case.entity.fields[name].writable}


def _kept(case, keep):
	"""The values of the chosen sides. The server's side of a record that moved on is what it holds now."""
	values = {}
	for name, side in keep.items():
		if case.has_moved_on and side == "server":
			continue
		held = case.side(side) if side in case.SIDES else {}
		if name not in held or name not in _writable(held, case):
			raise RequestError("invalid_argument", argument=f"keep.{name}")
		values[name] = held[name]
	return values


def _is_new(case, typed):
	"""A create with a taken value becomes a record of its own when a person gives it another value."""
	own = case.entity.aliases
	names = {own.get(name, name) for name, value in typed.items() if value not in (None, "")}
	return (
		case.conflict.kind == "unique"
		and case.creates
		and any(name in names for name in unique_fields(case.entity))
	)


def _payload_of_new(case, kept, typed):
	entity, values = case.entity, {**case.side("client"), **kept}
	names = wire.client_ids([(entity, values)], case.conflict.space, case.registry)
	return {**wire.payload(entity, _writable(values, case), names, case.registry), **typed}


def _caller(case):
	key = frappe.db.get_value("Sync Space", case.conflict.space, "space_key")
	space_type = case.entity.space_type
	return Caller(frappe.session.user, case.conflict.space, "owner", None, space_type, key or "")


class Settlement(Batch):
	"""A batch of one change in which no policy has a say: neither in the ledger nor counted as a push."""

	def __init__(self, case, caller, operation, kept, typed):
		stored, entity = case.stored, case.entity
		client_id = case.conflict.client_id if operation == CREATE else stored.client_id
		version = None if operation == CREATE else stored.doc_version
		typed = _as_wire(typed, entity)
		change = Change(0, None, entity.name, client_id, operation, typed, version)
		super().__init__(caller, [change], push.Options("settlement"))
		free = replace(entity, policy="client_wins", parameters={}, field_policies={}, write_role="member")
		others = [other for other in self.registry.by_name.values() if other.name != entity.name]
		self.registry = self.writer.registry = Registry([*others, free])
		self.kept = kept

	def _parse_one(self, i, change):
		"""Values of a side are canonical and need no parsing; links are checked like those of a device."""
		server = super()._parse_one(i, change)
		entity, space = self.registry.by_name[change.entity_type], self.caller.space
		_name_links(change.values, entity, space, self.registry)
		change.values = {**_as_sent(self.kept, entity, space, self.registry), **change.values}
		self.links[i] = wire.linked_records(change, entity, self.registry, space)
		return server

	def settle(self):
		(outcome,) = self.process()
		if outcome.status != ACCEPTED:
			code, detail = outcome.code or outcome.status, outcome.detail
			raise RequestError("resolution_refused", outcome.message, item_error_code=code, detail=detail)
		return self.stored[self.changes[0].record]


def _as_sent(values, entity, space, registry):
	"""Canonical values with client ids in the place of document names, as a device would have sent them."""
	values = copy.deepcopy(values)
	names = wire.client_ids([(entity, values)], space, registry)
	for holder, field, _ in wire.links(values, entity):
		holder[field.name] = names.get((field.options, holder[field.name]), holder[field.name])
	return values


def _name_links(values, entity, space, registry):
	"""Typed links may be client ids or, from the Desk, document names; a client id goes first."""
	found = [
		(holder, field, ids.record(space, registry.by_doctype[field.options].name, holder[field.name]))
		for holder, field, _ in wire.links(values, entity)
		if field.options in registry.by_doctype
	]
	known = load.records([record for _, _, record in found])
	names = wire.client_ids([(entity, values)], space, registry) if found else {}
	for holder, field, record in found:
		if record not in known:
			holder[field.name] = names.get((field.options, holder[field.name]), holder[field.name])


def _as_wire(typed, entity):
	"""Times of the Desk, `2026-03-01 10:00:00` in the site's zone, as the wire has them."""
	return {name: _wire_value(entity.fields.get(name), value) for name, value in typed.items()}


def _wire_value(field, value):
	if field is None or field.kind is not kinds.DATETIME or not isinstance(value, str) or "T" in value:
		return value
	try:
		return clock.dump(value) if value else value
	except (ValueError, OverflowError):
		return value


def _touch(stored, case, caller):
	"""A version without a change of content: edits of devices do not become stale by it."""
	stored.doc_version += 1
	stored.modified = clock.now()
	if stored.document_name:
		write.stamp_document(stored, case.entity, caller.user)
	write.write_records([stored], case.registry, caller, stored.modified)
	return stored
