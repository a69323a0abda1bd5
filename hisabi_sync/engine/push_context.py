"""Which push saves a document right now, so that the hooks which run meanwhile count the change as that of a device."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.model.change import Caller, Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.sharing import spaces


class Push(NamedTuple):
	"""The caller of a push, the change whose document it saves, and the record of that document; all None without a push."""

	caller: Caller | None = None
	change: Change | None = None
	stored: Stored | None = None


NO_PUSH = Push()


@contextmanager
def saving(caller: Caller, change: Change | None = None, stored: Stored | None = None) -> Iterator[None]:
	"""While a push saves a document, let the hooks know its caller, its change and the record of the document."""
	previous = current()
	frappe.local.hisabi_sync_push = Push(caller, change, stored)
	try:
		yield
	finally:
		frappe.local.hisabi_sync_push = previous


def current() -> Push:
	"""The push that is saving a document right now, or NO_PUSH."""
	return getattr(frappe.local, "hisabi_sync_push", None) or NO_PUSH


def caller() -> Caller | None:
	"""The caller of the push that is saving a document right now, or None."""
	return current().caller


def is_pushed(doc: Document, entity: EntityType) -> bool:
	"""Whether the document is that of the change that is being saved, and not one that came along."""
	pushed = current().stored
	if pushed is None or pushed.entity_type != entity.name:
		return False
	return bool(doc.flags.hisabi_sync_made) or pushed.document_name == str(doc.name)


def set_space(doc: Document, entity: EntityType) -> None:
	"""Put a new document of a push into the caller's space. If links lead to the space, the device has sent them."""
	caller = current().caller
	doc.flags.hisabi_sync_made = True
	fields = [way.own_field for way in entity.ways if way.own_field]
	if caller and fields and (entity.key_field or spaces.key_of(doc, entity) != caller.space_key):
		doc.set(fields[0], caller.space_key)


def require_own_space(doc: Document, entity: EntityType, space: str | None) -> None:
	"""Raise ItemError invalid_link if a document that a push makes lies in another space than the one that is pushed to."""
	caller = current().caller
	if caller and doc.flags.hisabi_sync_made and space != caller.space:
		raise ItemError("invalid_link", [way.path[0].field for way in entity.ways if way.path])


def tell(stored: Stored) -> None:
	"""Copy the new state of the record to the push that saves this document."""
	pushed = current().stored
	if pushed is not None and pushed.name == stored.name:
		# Later changes of the same push are judged by it too.
		stored.history = [*pushed.history, *stored.history]
		for name in Stored.__slots__:
			setattr(pushed, name, getattr(stored, name))
