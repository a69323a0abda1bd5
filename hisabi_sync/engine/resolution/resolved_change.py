"""The change that a resolution of a conflict makes, processed like a push of one change."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hisabi_sync.engine import linking, own_resolution, push, wire
from hisabi_sync.engine.batch import Batch
from hisabi_sync.engine.conflicts.conflict_rows import CLIENT, SERVER
from hisabi_sync.engine.conflicts.unique_conflicts import unique_fields
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.judge import validate
from hisabi_sync.engine.judge.base import MERGED
from hisabi_sync.engine.model import clock, column_values, files, ids
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model import merge as merging
from hisabi_sync.engine.model.change import (
	ACCEPTED,
	CREATE,
	DELETE,
	DUPLICATE,
	UPDATE,
	Caller,
	Change,
	Outcome,
	Stored,
)
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError, item_message
from hisabi_sync.engine.store import load, write

if TYPE_CHECKING:
	from hisabi_sync.engine.resolution.cases import Case, Resolution


def apply(case: "Case", resolution: "Resolution") -> Stored | None:
	"""Put the resolution into effect; returns the record. It has a new version even if nothing changed, so that all devices pull it.

	Raises RequestError: record_deleted, resolution_refused, invalid_argument.
	"""
	operation, kept, typed = _wanted_by_author(case, resolution) if case.is_own else _wanted(case, resolution)
	stored, caller = case.stored, case.caller
	if operation and not case.is_live:
		raise RequestError("record_deleted")
	if operation:
		batch = ResolutionBatch(case, caller, operation, kept, typed)
		batch.changes[0].in_parts = resolution.in_parts and not case.is_own
		resolved = batch.process_one()
		if operation == CREATE or stored is None or resolved.doc_version != stored.doc_version:
			return resolved
		stored = resolved
	return stored and _touch(stored, case, caller)


def _wanted(case: "Case", resolution: "Resolution") -> tuple[str | None, dict[str, Any], dict[str, Any]]:
	"""(operation or None if the record stays, canonical values, values as they were typed)."""
	if case.is_action:
		return _wanted_action(case, resolution), {}, {}
	deletes = case.conflict.kind == "delete"
	if resolution.choice == CLIENT:
		return (DELETE, {}, {}) if deletes else (UPDATE, _fitting(with_others(case, case.side("client"))), {})
	if resolution.choice == SERVER:
		server_values = {} if case.has_moved_on or not case.is_live else _writable(case.side("server"), case)
		kept = {
			name: value for name, value in server_values.items() if not column_values.is_unreadable(value)
		}
		return (UPDATE if kept else None), kept, {}
	kept = _kept(case, resolution.keep)
	if _is_new(case, resolution.values):
		return CREATE, {}, _payload_of_new(case, kept, resolution.values)
	return (UPDATE if kept or resolution.values else None), kept, resolution.values


def _wanted_action(case: "Case", resolution: "Resolution") -> str | None:
	"""The action, if it is to be taken on the record as it is now."""
	if resolution.choice not in (CLIENT, SERVER):
		raise RequestError("invalid_argument", argument="resolution")
	return case.conflict.action if resolution.choice == CLIENT else None


def _wanted_by_author(
	case: "Case", resolution: "Resolution"
) -> tuple[str | None, dict[str, Any], dict[str, Any]]:
	"""The same for an author: only fields of their change, and no write if they accept the server's side."""
	own, aliases = case.asked | case.side("client").keys(), case.entity.aliases
	for name in resolution.values:
		if aliases.get(name, name) not in own:
			raise RequestError("invalid_argument", argument=f"payload.{name}")
	operation, kept, typed = _wanted(case, resolution)
	if resolution.choice == SERVER:
		return None, {}, {}
	return operation, _writable(kept, case), typed


def _writable(values: Mapping[str, Any], case: "Case") -> dict[str, Any]:
	return {name: value for name, value in values.items() if case.entity.fields[name].writable}


def _kept(case: "Case", keep: Mapping[str, str]) -> dict[str, Any]:
	"""The values of the chosen sides. The server's side of a record that has changed since is its present value."""
	values = {}
	for name, side in keep.items():
		if case.has_moved_on and side == "server":
			continue
		side_values = case.side(side) if side in case.SIDES else {}
		side_values = with_others(case, side_values) if side == "client" else side_values
		if name not in side_values or name not in _writable(side_values, case):
			raise RequestError("invalid_argument", argument=f"keep.{name}")
		values[name] = side_values[name]
	return _fitting(values)


def with_others(case: "Case", values: dict[str, Any]) -> dict[str, Any]:
	"""The device's side, with changes that others made to the same lists and objects since.

	The side of an author is merged by `own_resolution`. A side without a known base is taken as it is.
	"""
	if case.is_own or case.stored is None or not case.is_live:
		return values
	base, present, fields = case.side("base"), case.stored.values, case.entity.fields
	merging = [name for name in values if name in base and fields[name].kind in MERGED]
	merged = {
		name: merged_with(fields[name], base[name], values[name], present.get(name)) for name in merging
	}
	return {**values, **merged}


def merged_with(field: kinds.Field, base: Any, client: Any, present: Any) -> Any:
	"""The present value with the device's changes. Where both changed the same part, that of the device wins."""
	if any(map(column_values.is_unreadable, (base, client, present))):
		return client
	if field.kind is not kinds.ROWS:
		return merging.merge(base, client, present)[0]
	keys = field.row_keys
	return merging.merge_rows(base, merging.name_rows(client or [], present or [], keys), present, keys)[0]


def _fitting(values: dict[str, Any]) -> dict[str, Any]:
	"""The values, if all their fields can still take them. Raises RequestError resolution_refused."""
	wrong = [name for name, value in values.items() if column_values.is_unreadable(value)]
	if wrong:
		code = "invalid_value"
		raise RequestError(
			"resolution_refused", item_message(code, wrong), item_error_code=code, detail=wrong
		)
	return values


def _is_new(case: "Case", typed: Mapping[str, Any]) -> bool:
	"""Whether the resolution makes a new record: of a create whose unique value existed, with another value."""
	own = case.entity.aliases
	names = {own.get(name, name) for name, value in typed.items() if value not in (None, "")}
	return (
		case.conflict.kind == "unique"
		and case.creates
		and any(name in names for name in unique_fields(case.entity))
	)


def _payload_of_new(case: "Case", kept: dict[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
	entity, values = case.entity, {**case.side("client"), **kept}
	names = wire.client_ids([(entity, values)], case.conflict.space, case.registry)
	return {**wire.payload(entity, _writable(values, case), names, case.registry), **typed}


class ResolutionBatch(Batch):
	"""A batch of one change, which is neither in the ledger nor counted as a push.

	Policies do not limit the resolutions of reviewers. The resolution of an author is a change like their others, with `resolves`.
	"""

	def __init__(
		self, case: "Case", caller: Caller, operation: str, kept: dict[str, Any], typed: Mapping[str, Any]
	) -> None:
		stored, entity = case.stored, case.entity
		if operation == CREATE or stored is None:
			client_id, version = case.conflict.client_id, None
		else:
			client_id, version = stored.client_id, stored.doc_version
		typed = _as_wire(typed, entity)
		change = Change(0, None, entity.name, client_id, operation, typed, version)
		change.args = json.loads(case.conflict.args or "null") if case.is_action else None
		super().__init__(caller, [change], push.Options("settlement"))
		if not case.is_own:
			self._set_free(entity)
		elif case.conflict.kind in own_resolution.KINDS:
			change.resolves = case.conflict.name
		self.kept, self.present = kept, stored.values if stored else {}
		if not case.is_own:
			caller.memo[files.OFFERED] = (files.offered(kept, entity), case.conflict.user)

	def _set_free(self, entity: EntityType) -> None:
		"""Replace the policy, so that nothing is refused. A reviewer without a role in the space may write as a member."""
		role = "member" if self.caller.reviews else entity.write_role
		free = replace(entity, policy="client_wins", parameters={}, field_policies={}, write_role=role)
		others = [other for other in self.registry.by_name.values() if other.name != entity.name]
		self.registry = self.writer.registry = Registry([*others, free])

	def _close(
		self, resolved: own_resolution.OpenConflict, outcome: Outcome, stored: Stored, entity: EntityType
	) -> None:
		"""Do nothing: `cases` closes the conflict, with the person's reason."""

	def _parse_one(self, i: int, change: Change) -> None:
		"""Values of a side are canonical and need no parsing; links are checked like those of a device."""
		super()._parse_one(i, change)
		entity, space = self.registry.by_name[change.entity_type], self.caller.space
		validate.check_kept(self.kept, self.present, entity)
		_name_links(change.values, entity, space, self.registry)
		change.values = {**_as_sent(self.kept, entity, space, self.registry), **change.values}
		self._leave_out_of_reach(change, entity)
		self.links[i] = linking.linked_records(change.values, entity, self.registry, space)

	def process_one(self) -> Stored:
		"""Process the change; returns the record. Raises RequestError resolution_refused with the error of the item."""
		(outcome,) = self.process()
		done = self.changes[0].is_action and outcome.status == DUPLICATE  # somebody took the action meanwhile
		if outcome.status != ACCEPTED and not done:
			code, detail = outcome.code or outcome.status, outcome.detail
			raise RequestError("resolution_refused", outcome.message, item_error_code=code, detail=detail)
		return self.stored[self.changes[0].record]


def _as_sent(values: dict[str, Any], entity: EntityType, space: str, registry: Registry) -> dict[str, Any]:
	return wire.named(values, entity, wire.client_ids([(entity, values)], space, registry))


def _name_links(values: Mapping[str, Any], entity: EntityType, space: str, registry: Registry) -> None:
	"""Replace document names in typed links by client ids. The Desk has names; a text that is a client id stays."""
	found = [
		(holder, field, ids.record(space, registry.by_doctype[field.options].name, holder[field.name]))
		for holder, field, _ in linking.each_link(values, entity)
		if field.options in registry.by_doctype
	]
	records = load.records([record for _, _, record in found])
	names = wire.client_ids([(entity, values)], space, registry) if found else {}
	for holder, field, record in found:
		if record not in records:
			holder[field.name] = names.get((field.options, holder[field.name]), holder[field.name])


def _as_wire(typed: Mapping[str, Any], entity: EntityType) -> dict[str, Any]:
	"""Times of the Desk, `2026-03-01 10:00:00` in the site's zone, as the wire has them."""
	return {name: _wire_value(entity.fields.get(name), value) for name, value in typed.items()}


def _wire_value(field: kinds.Field | None, value: Any) -> Any:
	if field is None or field.kind is not kinds.DATETIME or not isinstance(value, str) or "T" in value:
		return value
	try:
		return (clock.dump(value) or value) if value else value
	except (ValueError, OverflowError):
		return value


def _touch(stored: Stored, case: "Case", caller: Caller) -> Stored:
	"""Make a version without a change of content, so that edits of devices do not become stale."""
	stored.doc_version += 1
	stored.modified = clock.now()
	if stored.document_name:
		write.stamp_document(stored, case.entity, caller.user)
	write.write_records([stored], case.registry, caller, stored.modified)
	return stored
