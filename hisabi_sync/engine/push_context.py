"""Which push saves a document right now, so that the hooks which run meanwhile count the change as that of a device."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.model import joint
from hisabi_sync.engine.model.change import Caller, Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.sharing import joint_spaces, whereabouts

LATER = "what is brought to its space at the end"  # key of a caller's memo: {entity type: names of documents}


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
	if not caller:
		return
	if caller.space_type != entity.space_type:  # a share leads to the space of the caller
		change = current().change
		doc.update(change.leads if change else {})
		return
	if fields and (entity.key_field or _is_to_be_set(doc, entity, caller)):
		doc.set(fields[0], caller.space_key)


def _is_to_be_set(doc: Document, entity: EntityType, caller: Caller) -> bool:
	"""Whether a new document gets the key of the space that is pushed to: one that others share may have another home."""
	key = whereabouts.key_of(doc, entity)
	return not (key or joint.is_joint(caller.space_key)) if entity.shares else key != caller.space_key


def beginning(doc: Document, entity: EntityType, space: str | None) -> str | None:
	"""The space in which the record of a document begins. One that a push makes begins in the space that is pushed to.

	From there it goes to a joint space at the end of the push, if it lies in one. Raises ItemError invalid_link if the
	document lies elsewhere.
	"""
	caller = current().caller
	if not (caller and doc.flags.hisabi_sync_made):
		return space
	if space is None and entity.is_only_assigned:
		_assign(doc, caller.user)
		space = whereabouts.of_document(doc, entity)
	if space == caller.space:
		return space
	if not (space and joint_spaces.may_write_by(space, caller.space)):
		raise ItemError("invalid_link", [way.path[0].field for way in entity.all_ways if way.path])
	bring_later(caller, entity, doc.name)
	return caller.space


def _assign(doc: Document, user: str) -> None:
	"""Assign a document to the user, as the sidebar of its form does, without telling them by mail."""
	said = {"allocated_to": user, "assigned_by": user, "description": f"{doc.doctype} {doc.name}"}
	todo = frappe.get_doc(
		{
			"doctype": "ToDo",
			"reference_type": doc.doctype,
			"reference_name": doc.name,
			"status": "Open",
			**said,
		}
	)
	todo.insert(ignore_permissions=True)


def bring_later(caller: Caller, entity: EntityType, name: object) -> None:
	"""Leave a document to the end of the push, which brings its record to where it lies then."""
	caller.memo.setdefault(LATER, {}).setdefault(entity.name, set()).add(str(name))


def to_bring(caller: Caller) -> list[tuple[str, set[str]]]:
	"""[(entity type, names)] of the documents that were left to the end of the push, once."""
	return sorted(caller.memo.pop(LATER, {}).items())


def tell(stored: Stored) -> None:
	"""Copy the new state of the record to the push that saves this document."""
	pushed = current().stored
	if pushed is not None and pushed.name == stored.name:
		# Later changes of the same push are judged by it too.
		stored.history = [*pushed.history, *stored.history]
		for name in Stored.__slots__:
			setattr(pushed, name, getattr(stored, name))
