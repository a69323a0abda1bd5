"""Files that are attached to synced documents, as the sidebar of a form has them: Files without a field.

They are no values of a record, but a device is told of them with it: a file that comes or goes gives the record its next version.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine import capture, gathering, push_context
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, files, versions
from hisabi_sync.engine.model.actions import ATTACH, DETACH
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.store import load, write

Key = tuple[str, str]  # (entity type, document name)
MOST = 100  # files of a document to which a device may add one
NOTED = "documents of a push whose files changed"  # key of a caller's memo: names of Sync Records
COLUMNS = "attached_to_doctype attached_to_name name file_name file_size file_url owner".split()
ON_DISK = ("/files/", "/private/files/")  # how the addresses of files on the site's disk begin
IN_SIDEBAR = "COALESCE(attached_to_field, '') = '' AND is_folder = 0"
# What devices are told of a File, and where.
TOLD = ("attached_to_doctype", "attached_to_name", "attached_to_field", "file_name", "file_size", "file_url")


@dataclass(frozen=True, slots=True)
class Attachment:
	"""A File of a document. `key` is that of the upload of a device that it stands for, None for all others."""

	name: str
	file_name: str
	size: int
	address: str
	owner: str
	key: str | None

	def is_own(self, user: str) -> bool:
		"""Whether a device of the user attached it. What lies on the disk is gone at once, so devices do not remove that."""
		return self.key is not None and self.owner == user


def of_documents(documents: Collection[Key], tail: str = "") -> dict[Key, list[Attachment]]:
	"""{document: its files, the oldest first} of those documents whose entity types have attachments; one statement at most."""
	by_name = registry().by_name
	found: dict[Key, list[Attachment]] = {
		(of, str(name)): [] for of, name in documents if of in by_name and by_name[of].attachments
	}
	if not found:
		return {}
	keys = {(by_name[of].doctype, name): (of, name) for of, name in found}
	where, values = f"attached_to_doctype IN %s AND {IN_SIDEBAR}", [tuple({doctype for doctype, _ in keys})]
	names, order = sorted({name for _, name in keys}), f"ORDER BY creation, name {tail}"
	for doctype, name, *rest in sql.select_in(
		"File", COLUMNS, "attached_to_name", names, where, values, order
	):
		if (doctype, name) in keys:  # the database does not tell `a` from `A`
			found[keys[doctype, name]].append(_attachment(*rest))
	return found


def _attachment(name: str, file_name: str | None, size: int, address: str | None, owner: str) -> Attachment:
	address = address or ""
	return Attachment(name, file_name or name, size or 0, address, owner, files.key_in(address))


# --- what devices do


def attach(doc: Document, key: str, entity: EntityType) -> bool:
	"""Attach an upload of the caller to a locked document; returns False if it is attached already.

	Raises ItemError: file_not_allowed, too_many_attachments. What Frappe refuses is left to the caller.
	"""
	present = _present(doc, entity)
	if key in (one.key for one in present):
		return False
	if len(present) >= MOST:
		raise ItemError("too_many_attachments", {"limit": MOST}, limit=MOST)
	said = frappe.get_attr(frappe.get_hooks("sync_uploads")[-1])(key, push_context.caller())
	if said is None:
		raise ItemError("file_not_allowed", ["key"])
	place = {"attached_to_doctype": doc.doctype, "attached_to_name": doc.name}
	file = frappe.get_doc({"doctype": "File", **place, **said})
	file.flags.update({"ignore_permissions": not entity.check_permissions, files.ATTACHED: True})
	file.flags.ignore_duplicate_entry_error = (
		True  # Frappe looks for the same content on its disk, where this is not
	)
	file.insert()
	return True


def detach(doc: Document, name: str, entity: EntityType) -> bool:
	"""Remove a file that the caller attached; returns False if the document has no such file. Raises ItemError permission_denied."""
	found = next((one for one in _present(doc, entity) if one.name == name), None)
	if found is None:
		return False
	if not found.is_own(frappe.session.user):
		raise ItemError("permission_denied", ["file"])
	frappe.delete_doc("File", name, ignore_permissions=not entity.check_permissions)
	return True


def _present(doc: Document, entity: EntityType) -> list[Attachment]:
	"""The files of a locked document as they are now, and not when the push began. The caller may write the document."""
	if entity.check_permissions:
		doc.check_permission("write")
	return of_documents([(entity.name, str(doc.name))], load.LATEST)[entity.name, str(doc.name)]


TAKEN: Mapping[str, Callable[[Document, str, EntityType], bool]] = {ATTACH: attach, DETACH: detach}


# --- what happens to Files


def follow(doc: Document, method: str | None = None) -> None:
	"""Hook of File: it was made, changed or deleted. The documents that it belongs to, or did, get their next version."""
	if doc.flags.in_delete and method != "after_delete":
		return
	now, before = _told(doc), _told_before(doc)
	doc.flags.hisabi_sync_told = now
	if method != "after_delete" and now == before:
		return
	for doctype, name in {(one[0], one[1]) for one in (now, before) if one and one[0] and not one[2]}:
		entity = registry().by_doctype.get(doctype)
		if entity and entity.attachments:
			_number(entity, str(name))


def follow_merge(
	doc: Document, method: str | None = None, old: Any = None, new: Any = None, merge: bool = False
) -> None:
	"""Hook: Frappe gives the files of a merged document to the one that stays by SQL, without an event for either."""
	entity = registry().by_doctype.get(doc.doctype)
	if merge and entity and of_documents([(entity.name, str(new))]).get((entity.name, str(new))):
		_number(entity, str(new))


def _told(doc: Document) -> tuple[Any, ...] | None:
	return None if doc.is_folder else tuple(doc.get(column) or None for column in TOLD)


def _told_before(doc: Document) -> tuple[Any, ...] | None:
	"""As it was told last; Frappe also calls the hook for columns that devices are not told of."""
	previous = doc.get_doc_before_save()
	return doc.flags.hisabi_sync_told or (_told(previous) if previous else None)


def _number(entity: EntityType, name: str) -> None:
	"""Give the record of a document its next version. A push does it for its own document, as its own change."""
	pushed, caller = push_context.current().stored, push_context.caller()
	if pushed and caller and (pushed.entity_type, pushed.document_name) == (entity.name, name):
		caller.memo.setdefault(NOTED, set()).add(pushed.name)
		return
	gathering.release_named(entity, name)
	for stored, space in capture.records_of(entity, name):
		if stored.live:
			stored.values = load.documents(entity, [name]).get(name, {})
			versions.touch(stored, clock.now())
			capture.write_record(stored, entity, space)
			write.stamp_document(stored, entity, frappe.session.user)


def take_note(caller: Caller, stored: Stored) -> bool:
	"""Whether files of a record came or went with the change of it that a push has just applied; asked once."""
	noted: set[str] = caller.memo.get(NOTED, set())
	found = stored.name in noted
	noted.discard(stored.name)
	return found
