"""Uploads that stand as Files in the sidebar of documents. Such a File holds the address of this app's view, and no content."""

from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync import compat
from hisabi_sync.engine.model import files
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import item_message
from hisabi_sync.engine.sharing.visibility import ADMINISTRATOR
from hisabi_sync.media import fields, rows, signing, visibility
from hisabi_sync.media.rows import USED, Media


def as_file(key: str, caller: Caller) -> dict[str, Any] | None:
	"""Hook: what a File says of a finished upload of the caller's own in their space; None for any other key."""
	media = rows.select([key], caller.space).get(key)
	if media is None or media.user != caller.user or media.state != USED:
		return None
	address = compat.file_address(files.url_of(key), signing.base())
	return {"file_name": media.file_name, "file_size": media.size, "file_url": address, "is_private": 1}


def keep_private(doc: Document, method: str | None = None) -> None:
	"""Hook before a File is made: Frappe takes what does not lie among its private files for public, and shows everybody its name."""
	if files.key_in(doc.file_url or ""):
		doc.is_private = 1


def check(doc: Document, method: str | None = None) -> None:
	"""Hook before a File is saved: it names only an upload that the person may look at, because who reads its document may too."""
	key = files.key_in(doc.file_url or "")
	if key is None or doc.flags.get(files.ATTACHED) or _place(doc) == _place(doc.get_doc_before_save()):
		return
	media = rows.get(key)
	if media and not _may_name(media):
		frappe.throw(item_message("file_not_allowed", ["file_url"]))


def _place(doc: Document | None) -> tuple[Any, ...] | None:
	return (doc.file_url, doc.attached_to_doctype, doc.attached_to_name) if doc else None


def _may_name(media: Media) -> bool:
	user = frappe.session.user
	return user in (ADMINISTRATOR, media.user) or fields.may_look(media) or visibility.is_listed(media, user)
