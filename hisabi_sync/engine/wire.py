"""The form that devices see of a record: readable fields, and links as client ids."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hisabi_sync.engine import linking
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model.change import Caller, Outcome, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.sharing import elsewhere, visibility


def named(
	values: dict[str, Any], entity: EntityType, names: Mapping[tuple[str, str], str | None]
) -> dict[str, Any]:
	"""Canonical values with client ids in the place of document names, as a device would have sent them."""
	values = copy.deepcopy(values)
	for holder, field, _ in linking.each_link(values, entity):
		holder[field.name] = names.get((field.options, holder[field.name])) or holder[field.name]
	return values


def show(shown: Sequence[tuple[Outcome, Stored, EntityType]], caller: Caller, registry: Registry) -> None:
	"""Put the wire form of the record, as a pull would show it, into each outcome of [(outcome, stored, entity)]."""
	hidden = visibility.hidden([stored for _, stored, _ in shown], registry, [caller.user])
	seen = [
		(outcome, entity, visibility.cut(entity, stored.values, caller.user))
		for outcome, stored, entity in shown
		if stored.name not in hidden
	]
	pairs = [(entity, values) for _, entity, values in seen]
	names = client_ids(pairs, caller.space, registry, caller.user)
	for outcome, entity, values in seen:
		outcome.record = payload(entity, values, names, registry)


def client_ids(
	pairs: Iterable[tuple[EntityType, Mapping[str, Any]]],
	space: str,
	registry: Registry,
	user: str | None = None,
	database: sql.Database | None = None,
) -> dict[tuple[str, str], str | None]:
	"""{(DocType, document name): client id, or the name} for the links of [(entity type, values)].

	A record of the space has its client id, and so has one of another space that the user is a member of, if the records of
	its entity type may be named there. Records that stay within another space are None. Everything else is a link without
	more: the name of its document.
	"""
	linked = {
		(field.options, holder[field.name])
		for entity, values in pairs
		for holder, field, _ in linking.each_link(values, entity)
		if (target := linking.target_of(field, registry)) and target.space_type == entity.space_type
	}
	doctypes = {doctype for doctype, _ in linked}
	closed = {name for name in doctypes if not elsewhere.leaves_its_space(registry.by_doctype[name])}
	return elsewhere.shown(space, linked, closed, user, database) if linked else {}


def client_ids_in(
	pairs: Mapping[str, Iterable[tuple[EntityType, Mapping[str, Any]]]],
	registry: Registry,
	user: str,
	database: sql.Database | None = None,
) -> dict[str, dict[tuple[str, str], str | None]]:
	"""`client_ids` for records of several spaces, {space: [(entity type, values)]}, in a fixed number of statements.

	Here a link that leads to another kind of space is a client id too, if the user is a member there and records may be named.
	"""
	linked = {space: _linked(own_pairs, registry) for space, own_pairs in pairs.items()}
	links = {space: set(found) for space, found in linked.items()}
	closed = {space: _closed(found, registry) for space, found in linked.items()}
	return (
		elsewhere.shown_in(links, closed, user, database) if any(links.values()) else dict.fromkeys(links, {})
	)


def _linked(
	pairs: Iterable[tuple[EntityType, Mapping[str, Any]]], registry: Registry
) -> dict[tuple[str, str], bool]:
	"""{link to a synced document: whether its entity type is of another kind of space}."""
	return {
		(field.options, holder[field.name]): target.space_type != entity.space_type
		for entity, values in pairs
		for holder, field, _ in linking.each_link(values, entity)
		if (target := linking.target_of(field, registry))
	}


def _closed(linked: Mapping[tuple[str, str], bool], registry: Registry) -> set[str]:
	"""DocTypes whose records stay within their space, as far as links within a kind of space lead to them."""
	return {
		doctype
		for (doctype, _), is_foreign in linked.items()
		if not is_foreign and not elsewhere.leaves_its_space(registry.by_doctype[doctype])
	}


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
		if field.fieldtype == "Link":
			value = names.get((field.options, value), value)
		elif field.columns and value:
			value = [_row(row, field, names) for row in value]
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


def _row(row: Mapping[str, Any], table: Field, names: Mapping[tuple[str, str], str | None]) -> dict[str, Any]:
	linked = {
		column.name: names.get((column.options, row[column.name]), row[column.name])
		for column in table.columns
		if column.fieldtype == "Link" and row.get(column.name)
	}
	return {**row, **linked}
