"""Links to documents that are not records of the space: which documents exist, and which of them a caller may name.

Frappe fills fields from linked documents (`fetch_from`) without asking for rights. So if a link fills fields, a caller may name
only documents that they may read. Any other link tells no more than that a name exists: a caller may name what Frappe's own
save would take from them. A Dynamic Link may name a document of any DocType, which another field names.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import texts
from hisabi_sync.engine.model.change import Caller, Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.sharing import rights

USER = re.compile(
	r"[!#-;=?-~]+"
)  # what names of users are made of: ASCII without blanks, brackets and double quotes


@dataclass(frozen=True, slots=True)
class Foreign:
	"""Documents that links name: {DocType: {folded name: name}}, and those that all `users` may read, by DocType."""

	names: dict[str, dict[str, str]] = field(default_factory=dict)
	read: dict[str, set[str]] = field(default_factory=dict)
	users: tuple[str, ...] = ()

	def find(self, doctype: str, value: str) -> str | None:
		"""The name of a document; None if it does not exist, or if its name would end an attribute of a page."""
		name = self.names.get(doctype, {}).get(value.lower())
		return None if name is None or texts.begins_attribute(name) else name

	def may_name(self, link: Field, name: str, entity: EntityType) -> bool:
		"""Whether the users may name the document in a new value of the link."""
		if link.feeds:
			return name.lower() in self.read.get(link.options, ())
		return not entity.check_permissions or all(
			rights.permits_link(link, name, entity.doctype, user) for user in self.users
		)


def find(
	links: Iterable[tuple[EntityType, Field, str]],
	new: Iterable[tuple[EntityType, Field, str]],
	users: Iterable[str],
) -> Foreign:
	"""The documents that links name: one statement for each DocType, one more if links fill fields from it.

	`links` and `new` are (entity type, link, value); rights are needed for the new ones only.
	"""
	named: dict[str, set[str]] = {}
	asked: dict[str, set[str]] = {}
	for _, link, value in (*links, *(new := list(new))):
		named.setdefault(link.options, set()).add(value)
	for _, link, value in new:
		if link.feeds:
			asked.setdefault(link.options, set()).add(value)
	users = tuple(users)
	names = {doctype: _names(doctype, values) for doctype, values in named.items()}
	read = {doctype: _of_all(rights.readable, doctype, values, users) for doctype, values in asked.items()}
	return Foreign(names, read, users)


def _names(doctype: str, values: Iterable[str]) -> dict[str, str]:
	if doctype == "User":
		# Must not reveal who has an account: each valid name is taken as given.
		return {value.lower(): value.lower() for value in values if USER.fullmatch(value)}
	rows = sql.select_in(doctype, ["name"], "name", sorted(values))
	return {str(row[0]).lower(): str(row[0]) for row in rows}


def _of_all(
	of_user: Callable[[str, set[str], str], set[str]], doctype: str, names: set[str], users: Iterable[str]
) -> set[str]:
	"""Folded names that `of_user` gives for every one of the users."""
	every = [{name.lower() for name in of_user(doctype, names, user)} for user in users]
	return set.intersection(*every)


def of_changes(
	changes: Iterable[Change],
	links: Callable[..., Iterable[tuple[Any, Field, str]]],
	is_synced: Callable[..., Any],
	by_name: Mapping[str, EntityType],
	users: Iterable[str],
) -> Foreign:
	"""The Foreign of a batch; `links` gives (holder, link, path), `is_synced` says which links lead to records."""
	found: dict[str, list[tuple[EntityType, Field, str]]] = {"base": [], "values": []}
	for change in changes:
		entity = by_name[change.entity_type]
		for part, pairs in found.items():
			if values := getattr(change, part):
				every = links(values, entity)
				pairs += [
					(entity, link, holder[link.name]) for holder, link, _ in every if not is_synced(link)
				]
	return find(found["base"], found["values"], users)


def dynamic_cells(
	values: Mapping[str, Any], present: Mapping[str, Any], entity: EntityType
) -> Iterator[tuple[str, tuple[str, str]]]:
	"""(path, (DocType, name)) of every Dynamic Link in values; `present` has the DocType or name if only one of them is set."""
	for link in entity.dynamic:
		if link.columns:
			for row in values.get(link.name) or ():
				for column in link.columns:
					if column.fieldtype == "Dynamic Link" and row.get(column.name):
						yield f"{link.name}.{column.name}", (row.get(column.options) or "", row[column.name])
		elif link.name in values or link.options in values:
			doctype, name = (values.get(n, present.get(n)) for n in (link.options, link.name))
			if name:
				yield link.name, (doctype or "", name)


def dynamic_targets(
	changes: Iterable[Change], stored: Mapping[str, Stored], caller: Caller, registry: Registry
) -> set[tuple[str, str]]:
	"""(DocType, name) of the documents in Dynamic Links of changes that the caller may see.

	These are records of the space that a pull shows, and documents that Frappe lets them read. Costs a few statements for
	each DocType.
	"""
	names_by_doctype: dict[str, set[str]] = {}
	for change in changes:
		present = stored[change.record].values if change.record in stored else {}
		for _, (doctype, name) in dynamic_cells(change.values, present, registry.by_name[change.entity_type]):
			names_by_doctype.setdefault(doctype, set()).add(name)
	return {
		(doctype, name)
		for doctype, names in names_by_doctype.items()
		for name in _seen_targets(doctype, names, caller, registry.by_doctype.get(doctype))
	}


def _seen_targets(doctype: str, names: set[str], caller: Caller, target: EntityType | None) -> set[str]:
	readable = set.intersection(*(rights.readable(doctype, names, user) for user in caller.users))
	if target is None or target.check_permissions:
		return readable
	where, values = "document_type = %s AND space = %s AND deleted_at IS NULL", (doctype, caller.space)
	rows = sql.select_in("Sync Record", ["document_name"], "document_name", sorted(names), where, values)
	return {row[0] for row in rows} | readable


def check_dynamic(
	values: Mapping[str, Any],
	earlier: Iterable[Mapping[str, Any]],
	entity: EntityType,
	seen: set[tuple[str, str]],
) -> None:
	"""Raise ItemError invalid_link with the Dynamic Links whose document the caller may not see, unless the record has them."""
	earlier = list(earlier)
	kept = {cell for one in earlier for cell in dynamic_cells(one, one, entity)}
	current = earlier[0] if earlier else {}
	wrong = [
		path
		for path, target in dynamic_cells(values, current, entity)
		if target not in seen and (path, target) not in kept
	]
	if wrong:
		raise ItemError("invalid_link", list(dict.fromkeys(wrong)))
