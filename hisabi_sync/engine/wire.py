"""Records as devices get them: readable fields, and client ids in the place of document names."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hisabi_sync.engine import links
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model.change import Caller, Outcome, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store import load


def named(
	values: dict[str, Any], entity: EntityType, names: Mapping[tuple[str, str], str | None]
) -> dict[str, Any]:
	"""Canonical values with client ids in the place of document names, as a device would have sent them."""
	values = copy.deepcopy(values)
	for holder, field, _ in links.each(values, entity):
		holder[field.name] = names.get((field.options, holder[field.name]), holder[field.name])
	return values


def show(shown: Sequence[tuple[Outcome, Stored, EntityType]], caller: Caller, registry: Registry) -> None:
	"""Put the wire form of the record, as a pull would show it, into each outcome of [(outcome, stored, entity)]."""
	hidden = visibility.hidden([stored for _, stored, _ in shown], registry, [caller.user])
	seen = [
		(outcome, entity, visibility.cut(entity, stored.values, caller.user))
		for outcome, stored, entity in shown
		if stored.name not in hidden
	]
	names = client_ids([(entity, values) for _, entity, values in seen], caller.space, registry)
	for outcome, entity, values in seen:
		outcome.record = payload(entity, values, names, registry)


def client_ids(
	pairs: Iterable[tuple[EntityType, Mapping[str, Any]]],
	space: str,
	registry: Registry,
	database: sql.Database | None = None,
) -> dict[tuple[str, str], str | None]:
	"""{(DocType, document name): client id} for the links of [(entity type, values)]."""
	linked = {
		(field.options, holder[field.name])
		for entity, values in pairs
		for holder, field, _ in links.each(values, entity)
		if links.target_of(field, entity, registry)
	}
	return load.link_names(space, linked, database) if linked else {}


def payload(
	entity: EntityType,
	values: Mapping[str, Any],
	names: Mapping[tuple[str, str], str | None],
	registry: Registry,
	warnings: list[str] | None = None,
) -> dict[str, Any]:
	"""What a device gets of a record: readable fields, links as client ids.

	Names of fields whose value the wire has no form for are added to the list `warnings`.
	"""
	dumped: dict[str, Any] = {}
	for name, field in entity.readable.items():
		if name not in values:
			continue  # a field that this caller may not read
		value = values[name]
		if value is None:
			dumped[name] = None
			continue
		if field.fieldtype == "Link" and links.target_of(field, entity, registry):
			value = names.get((field.options, value))
		elif field.columns and value:
			value = [_row(row, field, entity, names, registry) for row in value]
		dumped[name] = field.dump(value)
		if warnings is not None and value is not None and _is_lost(field, value, dumped[name]):
			warnings.append(name)
	return dumped


def _is_lost(field: Field, value: Any, dumped: Any) -> bool:
	if not field.columns:
		return dumped is None
	return any(
		cell is None and row.get(name) is not None
		for row, shown in zip(value, dumped, strict=True)
		for name, cell in shown.items()
	)


def _row(
	row: Mapping[str, Any],
	table: Field,
	entity: EntityType,
	names: Mapping[tuple[str, str], str | None],
	registry: Registry,
) -> dict[str, Any]:
	linked = {
		column.name: names.get((column.options, row[column.name]))
		for column in table.columns
		if links.target_of(column, entity, registry) and row.get(column.name)
	}
	return {**row, **linked}
