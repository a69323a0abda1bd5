"""Dynamic Links: the name of a document of a DocType that another field names. Frappe follows them when it saves."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import Registry
from hisabi_sync.engine.model.change import Caller, Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.sharing import foreign


def cells(
	values: Mapping[str, Any], held: Mapping[str, Any], entity: EntityType
) -> Iterator[tuple[str, tuple[str, str]]]:
	"""(path, (DocType, name)) of every Dynamic Link that has a value, or another DocType; one of both may be what the record holds."""
	for field in entity.dynamic:
		if field.columns:
			for row in values.get(field.name) or ():
				for column in field.columns:
					if column.fieldtype == "Dynamic Link" and row.get(column.name):
						yield f"{field.name}.{column.name}", (row.get(column.options) or "", row[column.name])
		elif field.name in values or field.options in values:
			doctype, name = (values.get(n, held.get(n)) for n in (field.options, field.name))
			if name:
				yield field.name, (doctype or "", name)


def visible(
	changes: Iterable[Change], stored: Mapping[str, Stored], caller: Caller, registry: Registry
) -> set[tuple[str, str]]:
	"""(DocType, name) of those documents that changes name in Dynamic Links and the caller may see.

	Records of the space that a pull shows them, and what Frappe lets them read; a few statements for each DocType, none
	without Dynamic Links.
	"""
	wanted: dict[str, set[str]] = {}
	for change in changes:
		held = stored[change.record].values if change.record in stored else {}
		for _, (doctype, name) in cells(change.values, held, registry.by_name[change.entity_type]):
			wanted.setdefault(doctype, set()).add(name)
	return {
		(doctype, name)
		for doctype, names in wanted.items()
		for name in _seen(doctype, names, caller, registry.by_doctype.get(doctype))
	}


def _seen(doctype: str, names: set[str], caller: Caller, target: EntityType | None) -> set[str]:
	readable = set.intersection(*(foreign.readable(doctype, names, user) for user in caller.users))
	if target is None or target.check_permissions:
		return readable
	where, values = "document_type = %s AND space = %s AND deleted_at IS NULL", (doctype, caller.space)
	rows = sql.select_in("Sync Record", ["document_name"], "document_name", sorted(names), where, values)
	return {row[0] for row in rows} | readable


def check(
	values: Mapping[str, Any],
	held: Iterable[Mapping[str, Any]],
	entity: EntityType,
	seen: set[tuple[str, str]],
) -> None:
	"""Raise ItemError invalid_link with the fields that name what the caller does not see and the record does not hold."""
	held = list(held)
	kept = {cell for one in held for cell in cells(one, one, entity)}
	current = held[0] if held else {}
	wrong = [
		path
		for path, target in cells(values, current, entity)
		if target not in seen and (path, target) not in kept
	]
	if wrong:
		raise ItemError("invalid_link", list(dict.fromkeys(wrong)))
