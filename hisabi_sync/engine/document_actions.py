"""Actions on documents, through their controllers and under the rights of the user who is signed in."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.model.workflow import apply_workflow

from hisabi_sync.engine import attachments, document_values
from hisabi_sync.engine.model.actions import ATTACHING, CANCEL, CANCELLED, METHOD, SUBMIT, WORKFLOW
from hisabi_sync.engine.model.change import Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.sharing.action_rights import replaced
from hisabi_sync.engine.store import load


def take(action: str, args: dict[str, Any], stored: Stored, entity: EntityType) -> bool:
	"""Take an action on the document of a record, which is locked; returns False if there was nothing to do.

	What the controller raises is left to the caller.
	"""
	doc = frappe.get_doc(entity.doctype, stored.document_name, for_update=True)
	if action in ATTACHING:
		return attachments.TAKEN[action](doc, args[ATTACHING[action]], entity)
	kind, _, name = action.partition(":")
	TAKEN[kind](doc, name, args)
	return True


def _submit(doc: Document, _name: str, _args: dict[str, Any]) -> None:
	doc.submit()


def _cancel(doc: Document, _name: str, _args: dict[str, Any]) -> None:
	doc.cancel()


def _follow_workflow(doc: Document, name: str, _args: dict[str, Any]) -> None:
	apply_workflow(doc, name)


def _call(doc: Document, name: str, args: dict[str, Any]) -> None:
	"""Call a method that the site lists for devices and that the controller opens to calls of users."""
	doc.check_permission("write")
	method = getattr(doc, name, None)
	if method is None:
		raise ItemError("action_not_allowed", [f"{METHOD}:{name}"])
	doc.is_whitelisted(name)
	try:
		inspect.signature(method).bind(**args)
	except TypeError:
		raise ItemError("invalid_action", sorted(args) or ["args"]) from None
	doc.run_method(name, **args)


TAKEN: dict[str, Callable[[Document, str, dict[str, Any]], None]] = {
	SUBMIT: _submit,
	CANCEL: _cancel,
	WORKFLOW: _follow_workflow,
	METHOD: _call,
}


def amendment(amended: Stored, entity: EntityType, values: Mapping[str, Any]) -> Document:
	"""A new document in the place of a cancelled one, as the Desk begins it, with these values. Raises ItemError not_cancelled or
	already_amended: the cancelled document is locked, so that two devices cannot make two of it.

	The Desk keeps fields that other copies leave out, such as the day of a delivery; here the cancelled one alone keeps unique keys.
	Rows are found by their names in the cancelled document, so that they keep the columns that the device leaves out.
	"""
	old = frappe.get_doc(entity.doctype, amended.document_name, for_update=True)
	if old.docstatus != CANCELLED:
		raise ItemError("not_cancelled")
	old.check_permission("amend")
	if replaced(entity.doctype, [old.name], load.LATEST):  # as it is now, and not when the push began
		raise ItemError("already_amended")
	doc = frappe.copy_doc(old)
	doc.update({df.fieldname: None for df in doc.meta.fields if df.no_copy and df.unique})
	for table in entity.row_fields:
		for row, earlier in zip(doc.get(table), old.get(table), strict=True):
			row.name = earlier.name
	document_values.set_on(doc, entity, values)
	for row in doc.get_all_children():
		row.name = None
	doc.amended_from = old.name
	return doc
