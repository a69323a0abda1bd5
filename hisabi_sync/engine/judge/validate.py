"""Validating payloads: from values of the wire to canonical values, with the item errors of the contracts.

Pure, except that sentences are translated.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hisabi_sync.engine.judge.base import UNKNOWN
from hisabi_sync.engine.model.change import CREATE, DELETE, Change
from hisabi_sync.engine.model.entity_type import SENSITIVE, EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.model.merge import same

LINKS = ("Link", "Dynamic Link")
MAX_NAME, MAX_NAMES = 140, 50  # of names that an error repeats
EMPTY: tuple[Any, ...] = (None, "", [])
ENCODER = json.JSONEncoder(ensure_ascii=False)


def check_size(change: Change, payload: Any, entity: EntityType) -> None:
	"""Raise ItemError payload_too_large for a payload that is longer than the entity type allows.

	The text of the whole item, which holds the payload, shows of nearly all that they are short.
	"""
	if change.text is None or longest(change.text) > entity.max_payload:
		require_size(payload, entity.max_payload)


def require_size(value: Any, limit: int) -> None:
	"""The same for any value and a limit in bytes."""
	size = len(ENCODER.encode(value).encode("utf-8", "replace"))
	if size > limit:
		raise ItemError("payload_too_large", {"bytes": size, "limit": limit})


def longest(text: str) -> int:
	"""The largest size in bytes that a text can have, without encoding it."""
	return len(text) if text.isascii() else 4 * len(text)


def parse(change: Change, entity: EntityType) -> None:
	"""Fill `change.values` (fields that the device may set), `change.base`, and `change.warnings` (names that are ignored).

	Raises ItemError: sensitive_field_not_allowed, invalid_field, invalid_field_type, invalid_choice, invalid_value,
	missing_required_fields.
	"""
	change.base = _parse_base(change.base_values or {}, entity)
	if change.operation == DELETE or change.is_action:
		return
	named, unknown = _name_fields(change, entity)
	_refuse("invalid_field", unknown)
	parsed = _parse_values(named, entity)
	change.cleaned = any(entity.fields[n].changes(named[n], parsed[n]) for n in entity.cleaned & named.keys())
	_check_required(change, entity, named)
	change.values = parsed
	change.warnings += _server_columns(named, entity)


def _name_fields(change: Change, entity: EntityType) -> tuple[dict[str, Any], list[str]]:
	named: dict[str, Any] = {}
	unknown: list[str] = []
	sensitive: list[str] = []
	hidden: list[str] = []
	for key, value in change.payload.items():
		if (name := entity.settable.get(key)) is not None:
			if named.get(name, value) != value:
				raise ItemError("invalid_value", [key, name])
			named[name] = value
			continue
		name = key if key in entity.fields else entity.aliases.get(key)
		if key in SENSITIVE:
			sensitive.append(key)
		elif name is not None and entity.fields[name].access == "Hidden":
			hidden.append(name)  # like a field that is not there, and never compared
		elif name is not None or key in entity.client_only or key in entity.stamps:
			change.warnings.append(key)
		else:
			unknown.append(key)
	_refuse("sensitive_field_not_allowed", sensitive)
	_refuse("server_field_not_allowed", hidden)
	return named, unknown


def check_kept(values: Mapping[str, Any], present: Mapping[str, Any], entity: EntityType) -> None:
	"""Raise ItemError for stored canonical values that a device could not send today.

	Options are removed, and fields become shorter. Values and rows that the record has may stay.
	"""
	wire = {name: _sent(entity.fields[name], value, present.get(name)) for name, value in values.items()}
	_parse_values({name: value for name, value in wire.items() if value is not None}, entity)


def _sent(field: Field, value: Any, present: Any) -> Any:
	"""The wire value of a value that differs from the present one; None if it does not."""
	if same(value, present):
		return None
	if field.columns and isinstance(value, list):
		present_rows = present if isinstance(present, list) else []
		value = [row for row in value if not any(same(row, one) for one in present_rows)]
	return field.dump(value)


def is_sent(field: Field, value: Any, present: Any) -> bool:
	"""Whether a record holds the wire value that a device sent. What cannot be compared counts as held: links and rows."""
	if field.columns or field.fieldtype in LINKS:
		return True
	try:
		return same(field.parse(value) or None, present or None)
	except ItemError:
		return False


def added(item: Mapping[str, Any], *names: str) -> list[tuple[str, Any]]:
	"""(name, value) of those names that an item has. They were added to the contract later, and are part of its fingerprint."""
	return [(name, item[name]) for name in names if item.get(name) is not None]


def base_values(sent: Any, change: Change) -> dict[str, Any] | None:
	"""The base values of an item, None if it has none. Raises ItemError base_values_must_be_object."""
	if sent is None or change.operation == CREATE:
		return None
	if not isinstance(sent, dict):
		raise ItemError("base_values_must_be_object")
	return sent or None


def _parse_base(sent: Mapping[str, Any], entity: EntityType) -> dict[str, Any]:
	"""Canonical base values. One that could not be sent today, such as a removed option, is UNKNOWN."""
	found = {}
	for key, value in sent.items():
		field = entity.fields.get(key if key in entity.fields else entity.aliases.get(key, ""))
		if field is not None and field.writable:
			try:
				found[field.name] = field.parse(value)
			except ItemError:
				found[field.name] = UNKNOWN
	return found


def _server_columns(named: Mapping[str, Any], entity: EntityType) -> list[str]:
	"""Names of the columns in sent rows that only the server sets, or that devices do not know."""
	if not entity.row_fields:
		return []
	server_columns = {
		name: {key for row in named[name] or () for key in row} for name in entity.row_fields & named.keys()
	}
	return [
		f"{name}.{column}"
		for name, keys in sorted(server_columns.items())
		for column in _not_writable(entity.fields[name])
		if column in keys
	]


def _not_writable(table: Field) -> list[str]:
	return [column.name for column in table.columns if not column.writable] + sorted(table.left_out)


def _refuse(code: str, names: Sequence[str]) -> None:
	if names:
		raise ItemError(code, [name[:MAX_NAME] for name in names[:MAX_NAMES]])


def _parse_values(named: Mapping[str, Any], entity: EntityType) -> dict[str, Any]:
	parsed: dict[str, Any] = {}
	wrong: dict[str, list[Any]] = {}
	limits: dict[str, int] = {}
	for name, value in named.items():
		try:
			parsed[name] = entity.fields[name].parse(value)
		except ItemError as error:
			wrong.setdefault(error.code, []).append(error.detail)
			limits.update(error.words.get("at_most") or {})
	for code, details in wrong.items():
		raise ItemError(code, _join(details), **({"at_most": limits} if limits else {}))
	return parsed


def _join(details: Sequence[Any]) -> dict[str, Any] | list[Any]:
	if isinstance(details[0], dict):
		return {name: expected for detail in details for name, expected in detail.items()}
	return [name for detail in details for name in detail]


def _check_required(change: Change, entity: EntityType, named: Mapping[str, Any]) -> None:
	if change.operation == CREATE and not change.amends:
		missing: list[Any] = [name for name in entity.required if named.get(name) in EMPTY]
		missing += [list(group) for group in entity.one_of if all(named.get(name) in EMPTY for name in group)]
	else:
		missing = [name for name in entity.required if name in named and named[name] in EMPTY]
	_refuse("missing_required_fields", ["/".join(m) if isinstance(m, list) else m for m in missing])
