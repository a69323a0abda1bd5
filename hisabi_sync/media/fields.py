"""Uploads that documents of synced DocTypes name: which of them, and who may look at them."""

from collections.abc import Iterable

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing.visibility import ADMINISTRATOR
from hisabi_sync.media import places, sidebar, use
from hisabi_sync.media.places import Source
from hisabi_sync.media.rows import Media


def usable(named: dict[str, str], caller: Caller) -> set[str]:
	"""Hook: which keys the caller may name; they are used from now on. `named` is {key: record}."""
	return set(use.use(named, caller.space, caller))


def named(keys: Iterable[str]) -> set[str]:
	"""Which of the keys live documents of synced DocTypes name.

	The documents that named the keys last are asked first, by name; only what those do not name is looked for elsewhere.
	"""
	keys, sources = set(keys), places.every()
	by_type = _documents(keys)
	found = set()
	for source in sources:
		if names := by_type.get(source.document_type):
			found |= places.keys_in(source, keys, names)
	for source in sources:
		found |= places.keys_in(source, keys - found)
	return found | sidebar.named(keys - found)


def _documents(keys: set[str]) -> dict[str, list[str]]:
	"""{DocType: names of the documents whose records named the keys last}."""
	records = {row[0] for row in sql.select_in("Sync Media", ["record"], "name", sorted(keys)) if row[0]}
	columns = ["document_type", "document_name"]
	by_type: dict[str, list[str]] = {}
	for document_type, name in sql.select_in("Sync Record", columns, "name", sorted(records)):
		by_type.setdefault(document_type, []).append(name)
	return by_type


def may_look(media: Media) -> bool:
	"""Whether the user of this session may read a document of the upload's space that names it now, and the field.

	The document whose record named it last is asked first.
	"""
	sources = [source for source in places.every() if _reaches(source)]
	doctype, name = _last(media)
	if (name, media.key) in sidebar.of_documents(doctype, [name]) and _may_read(doctype, name):
		return True
	if any(_reads_one_of(source, media, [name]) for source in sources if source.document_type == doctype):
		return True
	return any(_reads_one_of(source, media) for source in sources)


def _last(media: Media) -> tuple[str, str]:
	"""(DocType, name) of the document whose record named the upload last."""
	columns = ["document_type", "document_name"]
	found = frappe.db.get_value("Sync Record", media.record, columns) if media.record else None
	return found if found and found[1] else ("", "")


def _reaches(source: Source) -> bool:
	"""Whether the user reads the field's permission levels."""
	if frappe.session.user == ADMINISTRATOR:
		return True
	return source.levels <= {0, *frappe.get_meta(source.document_type).get_permlevel_access("read")}


def _may_read(doctype: str, name: str) -> bool:
	if not frappe.db.exists(doctype, name):
		return False
	return bool(frappe.has_permission(doctype, "read", doc=name))


def _reads_one_of(source: Source, media: Media, documents: Iterable[str] = ()) -> bool:
	"""Whether one of the documents of the source that name the upload, and lie in its space, is the user's to read.

	Of the given documents, or of all.
	"""
	if not frappe.has_permission(source.document_type, "read"):
		return False
	names = [name for name, _ in places.namers(source, [media.key], documents)]
	mine = "document_type = %s AND space = %s AND deleted_at IS NULL"
	rows = sql.select_in(
		"Sync Record", ["document_name"], "document_name", names, mine, (source.document_type, media.space)
	)
	return any(_may_read(source.document_type, row[0]) for row in rows)
