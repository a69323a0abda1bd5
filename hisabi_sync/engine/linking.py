"""Links of a change: client ids become document names.

A link is refused unless the caller may name the document, or the record holds the link already.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import ids, texts
from hisabi_sync.engine.model.change import Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.sharing import elsewhere
from hisabi_sync.engine.sharing.elsewhere import Target
from hisabi_sync.engine.sharing.foreign import Foreign


def each_link(values: Mapping[str, Any], entity: EntityType) -> list[tuple[Any, Field, str]]:
	"""[(holder, field, path)] of every link that has a value. The holder is the dict with the value."""
	found: list[tuple[Any, Field, str]] = [
		(values, field, field.name) for field in entity.link_fields if isinstance(values.get(field.name), str)
	]
	if entity.link_columns:
		found += _links_of_rows(values, entity)
	return found


def _links_of_rows(values: Mapping[str, Any], entity: EntityType) -> Iterator[tuple[Any, Field, str]]:
	for table, column in entity.link_columns:
		rows = values.get(table)
		for row in rows if isinstance(rows, list) else ():
			if isinstance(row.get(column.name), str):
				yield row, column, f"{table}.{column.name}"


def each_dynamic(
	values: Mapping[str, Any], present: Mapping[str, Any], entity: EntityType
) -> Iterator[tuple[Any, str, str, str]]:
	"""(holder, name, DocType, path) of every Dynamic Link with a text. `present` has the DocType where values do not name it."""
	for link in entity.dynamic:
		if not link.columns and isinstance(values.get(link.name), str):
			yield values, link.name, values.get(link.options, present.get(link.options)) or "", link.name
		rows = values.get(link.name) if link.columns else None
		for row in rows if isinstance(rows, list) else ():
			for column in link.columns:
				if column.fieldtype == "Dynamic Link" and isinstance(row.get(column.name), str):
					yield row, column.name, row.get(column.options) or "", f"{link.name}.{column.name}"


def targets(
	values: Mapping[str, Any],
	entity: EntityType,
	registry: Registry,
	present: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[tuple[EntityType, str]]:
	"""(entity type, text) of every link and Dynamic Link to a synced DocType, whatever space its records lie in.

	`present` has the DocType of a Dynamic Link where values do not name it.
	"""
	for holder, field, _ in each_link(values, entity):
		if target := target_of(field, registry):
			yield target, holder[field.name]
	for holder, name, doctype, _ in each_dynamic(values, present, entity):
		if isinstance(doctype, str) and (target := registry.by_doctype.get(doctype)):
			yield target, holder[name]


def linked_records(values: Mapping[str, Any], entity: EntityType, registry: Registry, space: str) -> set[str]:
	"""Names of the Sync Records of the space that the links in values lead to, if their texts are client ids."""
	return {
		ids.record(space, target.name, text)
		for target, text in targets(values, entity, registry)
		if target.space_type == entity.space_type
	}


def target_of(field: Field, registry: Registry) -> EntityType | None:
	"""The entity type whose records a link leads to, whatever space they lie in; None if its DocType is not synced."""
	return registry.by_doctype.get(field.options) if field.fieldtype == "Link" else None


def links_elsewhere(
	changes: Iterable[Change], stored: Mapping[str, Stored], registry: Registry, space: str
) -> set[elsewhere.Link]:
	"""Links of changes to synced DocTypes whose text is no client id of a live record of the space, or of one that comes."""
	coming = {change.record for change in changes}
	found = set()
	for change in changes:
		entity = registry.by_name[change.entity_type]
		present = stored[change.record].values if change.record in stored else {}
		for values in filter(None, (change.values, change.base)):
			for target, text in targets(values, entity, registry, present):
				name = ids.record(space, target.name, text)
				if name not in coming and not _is_live(stored.get(name)):
					found.add((target.doctype, text))
	return found


def _is_live(stored: Stored | None) -> bool:
	return stored is not None and stored.live


@dataclass(frozen=True, slots=True)
class Reach:
	"""What the links of a batch may lead to. `hidden` are names of Sync Records that the caller may not read."""

	registry: Registry
	space: str
	stored: dict[str, Stored]
	foreign: Foreign
	elsewhere: Mapping[elsewhere.Link, Target]
	hidden: set[str]

	def find(self, field: Field, value: str, entity: EntityType) -> tuple[str | None, bool]:
		"""(name of the document that a link leads to or None, whether the caller may name it)."""
		target = target_of(field, self.registry)
		if target is None and self.registry.is_broken(field.options):
			return None, False
		if target is None:
			name = self.foreign.find(field.options, value)
			return name, name is not None and self.foreign.may_name(field, name, entity)
		record = self.own(target, value)
		if record is not None and record.live:
			return record.document_name, record.name not in self.hidden
		return self._elsewhere(field.options, value)

	def find_dynamic(self, doctype: str, value: str) -> str | None:
		"""The document of a record that the caller sees, if the text is its client id."""
		target = self.registry.by_doctype.get(doctype)
		record = self.own(target, value) if target else None
		if record is not None and record.live:
			return record.document_name if record.name not in self.hidden else None
		name, may = self._elsewhere(doctype, value) if target else (None, False)
		return name if may else None

	def own(self, target: EntityType, value: str) -> Stored | None:
		"""The record of the caller's space with a client id."""
		return self.stored.get(ids.record(self.space, target.name, value))

	def is_merged(self, field: Field, value: str) -> bool:
		"""Whether the document that a link names was merged into the one that it leads to."""
		found = self.elsewhere.get((field.options, value))
		return found is not None and found.merged

	def _elsewhere(self, doctype: str, value: str) -> tuple[str | None, bool]:
		found = self.elsewhere.get((doctype, value))
		if found is None or texts.begins_attribute(found.name):
			return None, False
		record = self.stored.get(found.record or "")
		if record is not None and not record.live:
			return None, False  # deleted in this batch
		return found.name, found.may


def resolve_links(
	change: Change, entity: EntityType, reach: Reach, earlier: Iterable[Mapping[str, Any]]
) -> None:
	"""Replace client ids in the change by document names. Raises ItemError invalid_link with the fields.

	A document that the caller may not read is answered like one that does not exist. A link that the record has, or had
	(`earlier`), may stay.
	"""
	wrong, kept = [], None
	for holder, field, path in each_link(change.values, entity):
		name, may = reach.find(field, holder[field.name], entity)
		if reach.is_merged(field, holder[field.name]):
			change.redirected.append(path)
		if name is not None and not may:
			kept = _path_names(earlier, entity) if kept is None else kept
			name = name if (path, name) in kept else None
		if name is not None and _is_self(change, field, entity, reach.stored, name):
			name = None
		holder[field.name] = name
		if name is None:
			wrong.append(path)
	if wrong:
		raise ItemError("invalid_link", wrong)


def resolve_dynamic(
	change: Change, present: Mapping[str, Any], entity: EntityType, reach: Reach
) -> set[tuple[str, str]]:
	"""Replace client ids in Dynamic Links by document names; (DocType, name) of those documents. Other texts stay as they are:
	they may be names, which `foreign.check_dynamic` judges.
	"""
	found = set()
	for holder, key, doctype, _ in each_dynamic(change.values, present, entity):
		name = reach.find_dynamic(doctype, holder[key])
		if name is not None:
			holder[key] = name
			found.add((doctype, name))
	return found


def _path_names(earlier: Iterable[Mapping[str, Any]], entity: EntityType) -> set[tuple[str, Any]]:
	return {(path, holder[field.name]) for one in earlier for holder, field, path in each_link(one, entity)}


def resolve_base(change: Change, entity: EntityType, reach: Reach) -> set[str]:
	"""Replace client ids in the base values; returns the fields whose links lead to nothing any more."""
	lost = set()
	for holder, field, path in each_link(change.base, entity):
		target = target_of(field, reach.registry)
		record = target and reach.own(target, holder[field.name])
		document_name = record and record.document_name
		holder[field.name] = document_name or reach.find(field, holder[field.name], entity)[0]
		if holder[field.name] is None:
			lost.add(path.partition(".")[0])
	return lost


def _is_self(
	change: Change, field: Field, entity: EntityType, stored: Mapping[str, Stored], name: str
) -> bool:
	"""Whether a link leads to the record itself, such as an account that is its own parent."""
	own = stored.get(change.record)
	return field.options == entity.doctype and own is not None and own.document_name == name


def check_brought(
	values: Mapping[str, Any],
	rest: Change,
	brought: Mapping[str, Any],
	entity: EntityType,
	reach: Reach,
	earlier: Iterable[Mapping[str, Any]],
) -> None:
	"""Raise ItemError invalid_link for links of an earlier change that the caller may not name today.

	`values` include what that change `brought`; `rest` is that change with client ids. A link that the record has, or had
	(`earlier`), may stay.
	"""
	found = [
		(path, reach.find(field, holder[field.name], entity))
		for holder, field, path in each_link(rest.values, entity)
	]
	good = {(path, name) for path, (name, may) in found if may} | _path_names(earlier, entity)
	suspects = _path_names([brought], entity) - good
	wrong = [
		path for holder, field, path in each_link(values, entity) if (path, holder[field.name]) in suspects
	]
	if wrong:
		raise ItemError("invalid_link", list(dict.fromkeys(wrong)))
