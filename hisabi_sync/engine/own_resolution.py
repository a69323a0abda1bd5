"""A change that settles the conflict of an earlier one (`resolves`): the user's choices, and the rest of the earlier change.

Both together are judged like any change. Their base is the server's side that the conflict shows, so nothing that others
did since is overwritten, and none of their rows is lost.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hisabi_sync.engine import wire
from hisabi_sync.engine.conflicts.conflict_rows import (
	CLIENT,
	MERGE,
	OPEN,
	RESOLVED,
	SEPARATOR,
	SERVER,
	SIDES,
	SUPERSEDED,
)
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.judge import choices
from hisabi_sync.engine.judge.base import MERGED, UNKNOWN, seen
from hisabi_sync.engine.model import clock, column_values, ids
from hisabi_sync.engine.model import merge as merging
from hisabi_sync.engine.model.change import (
	ACCEPTED,
	CONFLICT,
	DUPLICATE,
	UPDATE,
	Caller,
	Change,
	Outcome,
	Stored,
)
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import CHECK, DECIMAL, INT, ROWS, Field
from hisabi_sync.engine.store import side_effects, stored_json

AMOUNTS = (INT, DECIMAL, CHECK)  # kinds of columns that do not identify a row
KINDS = ("update", "create", "delete")  # a conflict about a unique value is settled by another value
COLUMNS = (
	"name status kind space user entity_type client_id fields server_version resolution resolved_by resolved_at history "
	"base_values server_values client_values"
).split()
CLOSED = (
	"name modified modified_by status resolution resolved_by resolved_at resolved_values resolved_version history"
).split()
# Status of the change -> status of the conflict. After an error the conflict stays open.
ENDS = {ACCEPTED: RESOLVED, DUPLICATE: RESOLVED, CONFLICT: SUPERSEDED}


@dataclass(slots=True)
class OpenConflict:
	"""The row of a conflict, with the canonical values of its sides."""

	row: dict[str, Any]
	base: dict[str, Any]
	server: dict[str, Any]
	client: dict[str, Any]

	@property
	def asked(self) -> set[str]:
		"""Names of the fields that the conflict is about."""
		return set((self.row["fields"] or "").split(SEPARATOR))


@dataclass(slots=True)
class Resolving:
	"""The conflicts that a batch settles. `rows` are {name: row}; `closed` are rows to write."""

	rows: dict[str, dict[str, Any]] = field(default_factory=dict)
	closed: list[dict[str, Any]] = field(default_factory=list)

	def find(self, changes: list[Change]) -> None:
		"""Read the conflicts before records are locked. A change without a version was made on the version of its conflict."""
		self.rows = self._select(changes)
		for change in changes:
			row = self.rows.get(change.resolves or "")
			if row and change.base_version is None:
				change.base_version = row["server_version"]

	def bring_rests(self, changes: list[Change], registry: Registry, caller: Caller) -> list[Change]:
		"""Set `rest` of each change to the earlier one whose conflict it settles, as it would be sent today; returns those."""
		found = []
		for change in changes:
			change.rest = None
			row = self.rows.get(change.resolves or "")
			if row and _is_of(row, change, caller):
				fields = registry.by_name[change.entity_type].fields
				values = stored_json.decode_values(row[SIDES["client"]], fields)
				change.rest = replace(change, operation=UPDATE, base={}, base_version=None, values=values)
				found.append(change.rest)
		own = [(registry.by_name[rest.entity_type], rest) for rest in found]
		names = wire.client_ids(
			[(entity, rest.values) for entity, rest in own], caller.space, registry, caller.user
		)
		for entity, rest in own:
			rest.values = wire.named(rest.values, entity, names)
		return found

	def lock(self, changes: list[Change]) -> None:
		"""Lock the conflicts and read them again. They are locked after the records, as everywhere."""
		self.rows = self._select(changes, "ORDER BY name FOR UPDATE") if self.rows else {}

	def _select(self, changes: list[Change], tail: str = "") -> dict[str, dict[str, Any]]:
		names = sorted({change.resolves for change in changes if change.resolves})
		rows = sql.select_in("Sync Conflict", map(sql.quote, COLUMNS), "name", names, tail=tail)
		return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}

	def of(self, change: Change, entity: EntityType, caller: Caller) -> OpenConflict:
		"""The open conflict that the change names, which has to be the caller's own.

		Raises ItemError: conflict_not_found, conflict_not_resolvable, already_settled.
		"""
		row = self.rows.get(change.resolves or "")
		if row is None or not _is_of(row, change, caller):
			raise ItemError("conflict_not_found")
		if row["kind"] not in KINDS:
			raise ItemError("conflict_not_resolvable")
		if row["status"] != OPEN:
			raise ItemError("already_settled", _ended(row))
		return OpenConflict(
			row, *(stored_json.decode_values(row[column], entity.fields) for column in SIDES.values())
		)

	def close(
		self, conflict: OpenConflict, outcome: Outcome, stored: Stored, caller: Caller, entity: EntityType
	) -> None:
		"""Close the conflict by the outcome of its change; `write` brings it to the database."""
		if status := ENDS.get(outcome.status):
			now = clock.now()
			values = {name: stored.values.get(name) for name in conflict.client} if stored.live else {}
			resolution = _resolution(conflict, stored) if status == RESOLVED else None
			conflict.row.update(
				status=status, resolution=resolution, resolved_by=caller.user, resolved_at=now
			)
			conflict.row.update(
				resolved_values=stored_json.encode_values(values, entity.fields), modified=now
			)
			conflict.row.update(resolved_version=stored.doc_version, modified_by=caller.user)
			conflict.row["history"] = _history(conflict.row, caller)
			self.closed.append(conflict.row)

	def write(self) -> None:
		"""Write the closed conflicts. Open forms are refreshed after the commit."""
		sql.upsert("Sync Conflict", CLOSED, [tuple(row[name] for name in CLOSED) for row in self.closed])
		for row in self.closed:
			side_effects.refresh_form("Sync Conflict", row["name"])


def _is_of(row: Mapping[str, Any], change: Change, caller: Caller) -> bool:
	"""Whether a conflict is the caller's own, about the record of the change."""
	own = (caller.space, caller.user, change.entity_type, ids.encode(change.client_id))
	return (row["space"], row["user"], row["entity_type"], row["client_id"]) == own


def _ended(row: Mapping[str, Any]) -> dict[str, Any]:
	return {
		"status": row["status"],
		"resolution": row["resolution"],
		"resolved_by": row["resolved_by"],
		"resolved_at": clock.dump(row["resolved_at"]),
	}


def _resolution(conflict: OpenConflict, stored: Stored) -> str:
	"""The choice that led to the present values of the conflict's fields, as the Desk names it."""
	if not stored.live:
		return CLIENT if conflict.row["kind"] == "delete" else MERGE
	for choice, side in ((SERVER, conflict.server), (CLIENT, conflict.client)):
		decided = conflict.asked & side.keys()
		if decided and all(merging.same(stored.values.get(name), side[name]) for name in decided):
			return choice
	return MERGE


def _history(row: Mapping[str, Any], caller: Caller) -> str:
	entry = {
		"action": row["status"].lower(),
		"at": clock.dump(row["resolved_at"]),
		"by": caller.user,
		"reason": None,
		"device": caller.device,
		"resolution": row["resolution"],
		"resolved_values": row["resolved_values"],
		"resolved_version": row["resolved_version"],
	}
	return json.dumps([*json.loads(row["history"] or "[]"), entry], ensure_ascii=False, default=str)


# --- the change as a whole


def take_up(change: Change, conflict: OpenConflict, stored: Stored, entity: EntityType) -> None:
	"""Add to the change what is left of the earlier one: values, and the base of each."""
	for name, value in conflict.client.items():
		if not entity.fields[name].writable:
			continue
		if column_values.is_unreadable(value) and name not in change.values:
			# Its field has another type by now, so the user has to choose.
			raise ItemError("invalid_value", [name])
		_take(change, name, _part(entity.fields[name], change, conflict, stored))
	take_parts(change, change.values.keys() - conflict.client.keys(), stored, entity)


def take_parts(change: Change, names: Iterable[str], stored: Stored, entity: EntityType) -> None:
	"""Complete lists and objects of which the change names some parts with the other parts of the record."""
	for name in sorted(names):
		if entity.fields[name].kind in MERGED:
			_take(change, name, _choice_alone(entity.fields[name], change, stored))


def _take(change: Change, name: str, part: tuple[Any, Any] | None) -> None:
	if part is not None:
		change.values[name], change.base[name] = part


def _part(field: Field, change: Change, conflict: OpenConflict, stored: Stored) -> tuple[Any, Any] | None:
	"""(value, its base) of one field, or None if the record keeps its value."""
	name, server = field.name, conflict.server.get(field.name)
	present = stored.values.get(name)
	if name in change.values:
		if (change.base_version or 0) >= stored.version_of(name):
			server = present  # the user has seen it
		sides = (conflict.base.get(name), server, conflict.client[name])
		return _chosen(field, sides, change.values[name], present)
	if name not in conflict.asked:
		return _completed(field, conflict.client[name], server, present), server
	return _rest(field, conflict, server, present) if field.kind in MERGED else None


def _rest(field: Field, conflict: OpenConflict, server: Any, present: Any) -> tuple[Any, Any]:
	"""Without a choice, the parts of a list or object that do not clash are merged, and the others stay."""
	base, client = conflict.base.get(field.name), conflict.client[field.name]
	if field.kind is ROWS:
		value: Any = merging.merge_rows(base, server, client, field.row_keys)[0]
	else:
		value = merging.merge(base, server, client)[0]
	return _completed(field, value, server, present), server


def _completed(field: Field, value: Any, server: Any, present: Any) -> Any:
	"""The value with what was added to rows and objects since the conflict."""
	if field.kind is ROWS:
		return choices.complete_rows(value or [], server or [], present or [], field.row_keys)
	return choices.complete(value, server, present) if field.kind in MERGED else value


def _choice_alone(field: Field, change: Change, stored: Stored) -> tuple[Any, Any] | None:
	"""(value, its base) of a field that the earlier change did not set."""
	server, _ = seen(change, stored, field)
	if server is UNKNOWN:
		return None
	return _chosen(field, (server, server, server), change.values[field.name], stored.values.get(field.name))


def _chosen(field: Field, sides: tuple[Any, Any, Any], value: Any, present: Any) -> tuple[Any, Any]:
	base, server, client = sides
	if field.kind not in MERGED:
		return value, server
	if column_values.is_unreadable(base) or column_values.is_unreadable(client):
		base = client = server  # of another type by now, so what was removed is unknown
	if field.kind is ROWS:
		lists = [part if isinstance(part, list) else [] for part in (base, server, client, value, present)]
		return choices.apply_rows(*lists, keys=field.row_keys, labels=_labels(field))
	return choices.apply(base, server, client, value, present)


def _labels(field: Field) -> tuple[str, ...]:
	"""Columns by which new rows without links are recognised: all but numbers."""
	return tuple(c.name for c in field.columns if c.writable and c.kind not in AMOUNTS)
