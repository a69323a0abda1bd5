"""Rights in Frappe. Who edits what somebody's device wants needs the rights of both: the device's user has theirs, the person
shows theirs here.
"""

from typing import Any

import frappe
from frappe import _

from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import ACCEPTED, CREATE, DELETE, Caller, Change, Outcome
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.store import load


def require_before(caller: Caller, changes: list[Change]) -> None:
	"""Raise RequestError permission_denied for a change that the person might not make to the documents as they are."""
	for change in changes:
		entity = registry().by_name.get(change.entity_type)
		if entity and not change.error:
			_require(caller, change, entity, _document(caller, change, entity))


def require_after(caller: Caller, changes: list[Change], outcomes: list[Outcome]) -> None:
	"""The same for the documents as they have become: their values may be out of the person's reach."""
	for change, outcome in zip(changes, outcomes, strict=True):
		if outcome.status == ACCEPTED and change.operation != DELETE:
			entity = registry().by_name[change.entity_type]
			_require(caller, change, entity, _document(caller, change, entity))


def _document(caller: Caller, change: Change, entity: EntityType) -> str | None:
	"""Name of the document that a change is about, None where there is none yet."""
	name = ids.record(caller.space, entity.name, change.client_id)
	stored = load.records([name]).get(name)
	return stored.document_name if stored and stored.live else None


def _require(caller: Caller, change: Change, entity: EntityType, document: str | None) -> None:
	right = _right(change, entity)
	doc = document and frappe.get_doc(entity.doctype, document)
	if not frappe.has_permission(entity.doctype, right, doc=doc or None, user=caller.also):
		frappe.clear_messages()
		raise RequestError("permission_denied")


def lacking(user: str, change: Change, entity: EntityType) -> dict[str, Any] | None:
	"""The right that no role of the user gives on the DocType, as the detail of permission_denied; None if one gives it.

	It is said of the DocType alone, so that it tells nothing of a document.
	"""
	right = _right(change, entity)
	if frappe.has_permission(entity.doctype, right, user=user):
		return None
	reason = _("In Frappe no role of yours gives the right to {0} on {1}").format(_(right), entity.doctype)
	return {"reason": reason, "doctype": entity.doctype, "right": right}


def _right(change: Change, entity: EntityType) -> str:
	"""A tombstone that stays in its table is written, not deleted."""
	if change.operation == DELETE:
		return "write" if "is_deleted" in entity.stamps else "delete"
	return "create" if change.operation == CREATE else "write"
