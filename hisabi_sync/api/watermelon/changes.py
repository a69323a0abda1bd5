"""From the rows of a WatermelonDB push to changes of the site contract. Source: docs/contracts/watermelon.md, Push. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hisabi_sync.api.dialects.values import is_empty, same
from hisabi_sync.api.watermelon import raws
from hisabi_sync.engine.ledger import fingerprint
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import CREATE, DELETE, UPDATE
from hisabi_sync.engine.model.entity_type import EntityType

CREATED, UPDATED, DELETED = "created", "updated", "deleted"
ORDER = {CREATED: 0, UPDATED: 1, DELETED: 2}


@dataclass(frozen=True, slots=True)
class Row:
	"""A row as it was pushed; `entity` is None for a table that there is not."""

	table: str
	listed_in: str
	raw: Mapping[str, Any]
	entity: EntityType | None

	@property
	def client_id(self) -> str:
		"""Its id, as it was sent."""
		return str(self.raw.get("id"))

	@property
	def key(self) -> str:
		"""Its table and its id."""
		return f"{self.table} {self.client_id}"

	@property
	def problem(self) -> tuple[str, list[str] | None] | None:
		"""(code, names) of why nothing can become of it, or None."""
		if self.entity is None:
			return "unknown_type", [self.table]
		return None if ids.is_client_id(self.client_id) else ("invalid_client_id", None)


@dataclass(frozen=True, slots=True)
class Present:
	"""The record of a row on the server: its version, 0 without one, whether it is deleted, its values, and what the device had of it.

	`seen` is the version that the device has pulled.
	"""

	version: int = 0
	is_gone: bool = False
	values: Mapping[str, Any] | None = None
	seen: int = 0


def change(row: Row, present: Present) -> dict[str, Any] | None:
	"""The change of a row as the site contract sends it, or None if nothing is to be done.

	A row that is sent again on the same version is the same op: a refusal counts its attempts, and nothing is applied twice.
	"""
	assert row.entity is not None
	made = _delete(present) if row.listed_in == DELETED else _edit(row, present)
	if made is None:
		return None
	op_id = fingerprint(row.table, row.client_id, made, present.version)
	return {"op_id": f"wm:{op_id}", "type": row.entity.name, "id": row.client_id, **made}


def _edit(row: Row, present: Present) -> dict[str, Any] | None:
	entity = row.entity
	assert entity is not None
	is_new = row.listed_in == CREATED or not present.version
	values = raws.values(row.raw, row.raw if is_new else _changed(row.raw), entity)
	if is_new:
		values = {name: value for name, value in values.items() if not is_empty(value)}
	if _is_done(values, present, entity):
		return None
	if is_new:
		return {"op": CREATE, "values": values}
	return {"op": UPDATE, "values": values, "base_version": _base(row.raw, present)}


def _is_done(values: Mapping[str, Any], present: Present, entity: EntityType) -> bool:
	"""Whether the record is there and has these values."""
	if present.values is None or present.is_gone:
		return False
	stored = {name: present.values.get(entity.aliases.get(name, name)) for name in values}
	json = {name for name in values if _is_json(entity, name)}
	return all(same(value, stored[name], name in json) for name, value in values.items())


def _is_json(entity: EntityType, name: str) -> bool:
	field = entity.fields.get(entity.aliases.get(name, name))
	return field is not None and field.kind is kinds.JSON


def _changed(raw: Mapping[str, Any]) -> list[str]:
	"""The columns that the app changed."""
	said = raw.get("_changed")
	return [name for name in said.split(",") if name] if isinstance(said, str) else []


def _base(raw: Mapping[str, Any], present: Present) -> int:
	"""The version that the device had: the row says it, or else what it has pulled."""
	said = raw.get(raws.VERSION)
	if isinstance(said, (int, float)) and not isinstance(said, bool) and 0 < said <= present.version:
		return int(said)
	return present.seen


def _delete(present: Present) -> dict[str, Any] | None:
	if not present.version or present.is_gone:
		return None
	return {"op": DELETE, "base_version": present.seen}
