"""Which uploads a user is shown: their own, and those that a record names, if they are shown both the record and the field.

The caller's own uploads cost nothing. For the others, the records that named them last are looked at, all at once, and then the
other documents of the space. A file that a record named earlier, or in a refused change, is not shown by that record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import files
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.sharing import rights, visibility
from hisabi_sync.engine.store import load
from hisabi_sync.media import places, sidebar
from hisabi_sync.media.places import Source
from hisabi_sync.media.rows import Media


def usable(media: list[Media], caller: Caller) -> set[str]:
	"""Keys that the caller may name; with several users, keys that all of them may name. Uploads that a kept conflict
	brings are judged by the rights of its author.
	"""
	offered, author = caller.memo.get(files.OFFERED, ((), ""))
	taken = shown([one for one in media if one.key in offered], author)
	left = [one for one in media if one.key not in offered]
	for user in caller.users:
		found = _nameable(left, user, caller.reviews or user == caller.also)
		left = [one for one in left if one.key in found]
	return taken | {one.key for one in left}


def _nameable(media: Sequence[Media], user: str, in_desk: bool) -> set[str]:
	"""In the Desk a person may also name what the list of uploads shows them."""
	found = shown(media, user, in_desk)
	return found | _listed([one.key for one in media if one.key not in found], user) if in_desk else found


def is_listed(media: Media, user: str) -> bool:
	"""Whether the list of uploads in the Desk shows an upload to the user."""
	return bool(_listed([media.key], user))


def _listed(keys: Sequence[str], user: str) -> set[str]:
	if not keys or not frappe.has_permission("Sync Media", "read", user=user):
		return set()
	filters = {"name": ["in", keys]}
	with rights.with_eyes_of(user):
		return set(frappe.get_list("Sync Media", filters=filters, pluck="name", limit_page_length=0))


def shown(media: Iterable[Media], user: str, in_desk: bool = False) -> set[str]:
	"""Keys of the uploads, all of one space, that the user is shown.

	In the Desk they need Frappe's rights on every document, elsewhere where the entity type asks for them.
	"""
	media = list(media)
	found = {one.key for one in media if one.user == user}
	for look in (_by_records, _by_documents):
		if left := [one for one in media if one.key not in found]:
			found |= look(left, user, in_desk)
	return found


def _by_records(media: Sequence[Media], user: str, in_desk: bool) -> set[str]:
	"""Keys of those whose records, which named them last, the user is shown."""
	records = load.records({one.record for one in media if one.record})
	by_type: dict[str, list[tuple[str, Stored]]] = {}
	for one in media:
		if one.record in records:
			by_type.setdefault(records[one.record].entity_type, []).append((one.key, records[one.record]))
	by_name = registry().by_name
	return {
		key
		for name, pairs in by_type.items()
		if name in by_name
		for key in _of_type(_judged(by_name[name], in_desk), pairs, user)
	}


def _judged(entity: EntityType, in_desk: bool) -> EntityType:
	return replace(entity, check_permissions=True) if in_desk else entity


def _of_type(entity: EntityType, pairs: list[tuple[str, Stored]], user: str) -> set[str]:
	"""Keys of `(key, record)` that the user is shown: the record is live, they may read it, and it names the key now, in a field that they may read."""
	pairs = _readable(entity, [(key, stored) for key, stored in pairs if stored.live], user)
	found = {(str(stored.document_name), key) for key, stored in pairs}
	names = sorted({name for name, _ in found})
	named = _named(_sources(entity, user), {key for _, key in found}, names)
	return {key for _, key in found & (named | sidebar.of_documents(entity.doctype, names))}


def _readable(entity: EntityType, pairs: list[tuple[str, Stored]], user: str) -> list[tuple[str, Stored]]:
	names = {stored.document_name for _, stored in pairs}
	seen = set(map(str, visibility.readable(entity, sorted(names), user)))
	return [(key, stored) for key, stored in pairs if str(stored.document_name) in seen]


def _sources(entity: EntityType, user: str) -> list[Source]:
	return places.of_fields(entity.doctype, visibility.fields(entity, user))


def _named(sources: Iterable[Source], keys: set[str], documents: Iterable[str] = ()) -> set[tuple[str, str]]:
	return set().union(*(places.namers(source, keys, documents) for source in sources)) if keys else set()


def _by_documents(media: Sequence[Media], user: str, in_desk: bool) -> set[str]:
	"""Keys that other documents of the space name, in fields that the user is shown."""
	space, keys = media[0].space, {one.key for one in media}
	space_type = frappe.db.get_value("Sync Space", space, "space_type", cache=True)
	found: set[str] = set()
	for entity in registry().of_space_type(space_type):
		entity = _judged(entity, in_desk)
		named = _named(_sources(entity, user), keys - found)
		seen = _in_space(entity, space, {name for name, _ in named}, user)
		found |= {key for name, key in named if name in seen}
	return found


def _in_space(entity: EntityType, space: str, names: set[str], user: str) -> set[str]:
	"""The documents that lie in the space and are shown to the user."""
	where, values = "document_type = %s AND space = %s AND deleted_at IS NULL", (entity.doctype, space)
	rows = sql.select_in("Sync Record", ["document_name"], "document_name", sorted(names), where, values)
	return set(map(str, visibility.readable(entity, [row[0] for row in rows], user)))


def seen_by_all(records: Iterable[str]) -> set[str]:
	"""The Sync Records that are shown to every member of their space."""
	by_name = registry().by_name
	return {
		name
		for name, stored in load.records(set(records)).items()
		if stored.live and stored.entity_type in by_name and not by_name[stored.entity_type].check_permissions
	}
