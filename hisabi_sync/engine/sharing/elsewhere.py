"""Links to what the caller's space does not have under the id that was sent: documents by their name, records of other spaces.

If an entity type asks for Frappe's permissions, who may read a document in Frappe may name it, whatever space it lies in, or none.
Only members of a space may name its records by client id. The records of any other entity type stay within their space: money of
one wallet never moves into another one. Everything else is answered as if it did not exist. Texts are compared exactly, while
the database takes `Ab` for `ab`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.sharing import rights, visibility
from hisabi_sync.engine.store import load

Link = tuple[str, str]  # (DocType, text that was sent)
Placed = tuple[Stored, str]  # (record, its space)
MERGES = 8  # of documents one after the other that a link is followed through


@dataclass(frozen=True, slots=True)
class Target:
	"""A document that a link leads to. `record` names its Sync Record, if it has one; `may` says whether the caller may name it."""

	name: str
	record: str | None
	may: bool
	merged: bool = False  # the document that was named is gone: it was merged into this one


def find(links: Collection[Link], caller: Caller, registry: Registry) -> dict[Link, Target]:
	"""{(DocType, text of a link): Target}. Costs a few statements for each DocType, whatever the number of links."""
	if not links:
		return {}
	open_types = [e for d, _ in links if leaves_its_space(e := registry.by_doctype[d])]
	near = {**(_spaces_of(caller.users) if open_types else {}), caller.space: caller.space_type}
	placed = _placed(links, near, caller.space, registry)
	seen = _seen(placed, caller, registry)
	by_key = _by_key(placed, near, registry)
	found: dict[Link, Target] = {}
	for doctype, text in links:
		records = [*by_key.get((doctype, "id", text), ()), *by_key.get((doctype, "name", text), ())]
		if records:
			best, _ = max(records, key=lambda one: (one[0].name in seen, one[1] == caller.space))
			found[doctype, text] = Target(best.document_name or "", best.name, best.name in seen)
	found |= _without_space(set(links) - found.keys(), caller, registry)
	return found | _merged(set(links) - found.keys(), near, caller, registry)


def _merged(
	links: Collection[Link], near: Mapping[str, str], caller: Caller, registry: Registry
) -> dict[Link, Target]:
	"""Links to documents that were merged into others, by the client ids that their records had: the ones that stay."""
	keys = {record: link for link in links for record in _records_near(link, near, caller.space, registry)}
	if not keys:
		return {}
	heirs = {name: heir for name, heir in _heirs(keys).items() if heir}
	placed = load.live_records("name", sorted(set(heirs.values())), {})
	seen = _seen(placed, caller, registry)
	staying = {stored.name: stored for stored, _ in placed}
	return {
		keys[name]: Target(stored.document_name or "", heir, heir in seen, merged=True)
		for name, heir in heirs.items()
		if (stored := staying.get(heir))
	}


def _heirs(records: Collection[str]) -> dict[str, str | None]:
	"""{merged record: the record that it ends in, through up to MERGES merges}; one statement for each of them."""
	heirs: dict[str, str | None] = dict.fromkeys(records)
	open_ones = {name: name for name in records}
	for _ in range(MERGES):
		rows = sql.select_in("Sync Record", ["name", "merged_into"], "name", sorted(set(open_ones.values())))
		into = {name: heir for name, heir in rows if heir}
		open_ones = {first: into[last] for first, last in open_ones.items() if last in into}
		heirs.update(open_ones)
		if not open_ones:
			break
	return heirs


def _spaces_of(users: Collection[str]) -> dict[str, str]:
	"""{space: its type} of those of which every one of the users is an active member."""
	rows = frappe.db.sql(
		"""SELECT m.space, m.user, s.space_type FROM `tabSync Space Member` m
		JOIN `tabSync Space` s ON s.name = m.space WHERE m.user IN %s AND m.status = 'active'""",
		(tuple(users),),
	)
	shared = _of_all([row[:2] for row in rows], users)
	return {space: space_type for space, _, space_type in rows if space in shared}


def _placed(links: Iterable[Link], near: Mapping[str, str], own: str, registry: Registry) -> list[Placed]:
	"""Live records that have one of the texts as client id in a space that is near, or as name of their document.

	The names of records with a client id are computed: an app that calls an account `main` does so in every space. The own space
	counts too: a change of only the name in a Dynamic Link says of what DocType it is when its record was read.
	"""
	pairs = [(registry.by_doctype[doctype], text) for doctype, text in links]
	records = [record for link in links for record in _records_near(link, near, own, registry)]
	texts, doctypes = sorted({text for _, text in pairs}), tuple({entity.doctype for entity, _ in pairs})
	by_name = load.live_records("document_name", texts, {"document_type": doctypes})
	return [*load.live_records("name", records, {}), *by_name]


def _records_near(link: Link, near: Mapping[str, str], own: str, registry: Registry) -> list[str]:
	"""Names of the records that may have the text as client id in one of the spaces, as far as they may be named from the own one."""
	doctype, text = link
	entity = registry.by_doctype[doctype]
	spaces = [space for space, space_type in near.items() if space_type == entity.space_type]
	return [
		ids.record(space, entity.name, text) for space in spaces if space == own or leaves_its_space(entity)
	]


def leaves_its_space(entity: EntityType | None) -> bool:
	"""Whether records of other spaces may hold links to records of the entity type."""
	return entity is not None and entity.check_permissions


def _by_key(
	placed: Iterable[Placed], near: Collection[str], registry: Registry
) -> dict[tuple[str, str, str], list[Placed]]:
	found: dict[tuple[str, str, str], list[Placed]] = {}
	for stored, space in placed:
		if entity := registry.by_name.get(stored.entity_type):
			by_id = [("id", stored.client_id)] if space in near else []
			for key in (*by_id, ("name", stored.document_name or "")):
				found.setdefault((entity.doctype, *key), []).append((stored, space))
	return found


def _seen(placed: Collection[Placed], caller: Caller, registry: Registry) -> set[str]:
	"""Names of the records that the caller may name: those of their space, and of others what Frappe lets them read."""
	records = [
		stored
		for stored, space in placed
		if space == caller.space or leaves_its_space(registry.by_name.get(stored.entity_type))
	]
	return {stored.name for stored in records} - visibility.hidden(records, registry, caller.users)


def member_spaces(spaces: Collection[str], users: Iterable[str]) -> set[str]:
	"""Those of the spaces of which every one of the users is an active member."""
	users = set(users)
	rows = sql.select_in(
		"Sync Space Member",
		["space", "user"],
		"space",
		sorted(spaces),
		"user IN %s AND status = 'active'",
		[tuple(users)],
	)
	return _of_all(rows, users)


def _of_all(rows: Iterable[Sequence[str]], users: Iterable[str]) -> set[str]:
	"""Spaces that stand in the (space, user) rows with every one of the users."""
	members: dict[str, set[str]] = {}
	for space, user in rows:
		members.setdefault(space, set()).add(user)
	return {space for space, joined_by in members.items() if joined_by == set(users)}


def _without_space(links: Iterable[Link], caller: Caller, registry: Registry) -> dict[Link, Target]:
	"""Documents that have no record, such as one whose field for the space is empty."""
	asked: dict[str, set[str]] = {}
	for doctype, text in links:
		if "is_deleted" not in registry.by_doctype[doctype].stamps:
			asked.setdefault(doctype, set()).add(text)
	return {
		(doctype, text): target
		for doctype, texts in asked.items()
		for text, target in _readable(doctype, texts, caller).items()
	}


def _readable(doctype: str, texts: Collection[str], caller: Caller) -> Mapping[str, Target]:
	every = [rights.readable(doctype, texts, user) for user in caller.users]
	return {text: Target(text, None, True) for text in set.intersection(*every).intersection(texts)}


# --- to devices


def shown(
	space: str,
	pairs: Collection[Link],
	closed: Collection[str],
	user: str | None,
	database: sql.Database | None = None,
) -> dict[Link, str | None]:
	"""{(DocType, document name): client id, or the name} for links to synced DocTypes; one statement or two.

	A link to a record of another space is None if its DocType is one of the `closed`, whose records stay within their space.
	"""
	return shown_in({space: pairs}, {space: closed}, user, database)[space]


def shown_in(
	pairs: Mapping[str, Collection[Link]],
	closed: Mapping[str, Collection[str]],
	user: str | None,
	database: sql.Database | None = None,
) -> dict[str, dict[Link, str | None]]:
	"""`shown` for records of several spaces at once: {space: {link: client id, name or None}}; one statement or two."""
	columns = ["document_type", "document_name", "client_id", "space", "deleted_at IS NULL"]
	names = sorted({name for linked in pairs.values() for _, name in linked})
	rows = sql.select_in("Sync Record", columns, "document_name", names, database=database)
	others = {row[3] for row in rows if row[4]}.difference(pairs if len(pairs) == 1 else ())
	near = member_spaces(others, [user]) if others and user else set()
	return {space: _shown(space, linked, closed[space], rows, near) for space, linked in pairs.items()}


def _shown(
	space: str, pairs: Collection[Link], closed: Collection[str], rows: sql.Rows, near: Collection[str]
) -> dict[Link, str | None]:
	found: dict[Link, str | None] = {}
	# What counts more comes later: a tombstone of the space, a document elsewhere, a record that the user may have.
	for doctype, name, client_id, own_space, live in sorted(rows, key=lambda row: (row[4], row[3] == space)):
		is_known = own_space == space or own_space in near
		if own_space != space and doctype in closed:
			found.setdefault((doctype, name), None)
		elif live or own_space == space:
			found[doctype, name] = ids.decode(client_id) if is_known else name
	return {pair: found.get(pair, pair[1]) for pair in pairs}
