"""Rights in Frappe: what users may read, whose rights count, and what they may change.

A person who edits the failed item of a device needs the rights of both. Frappe asks for those of the device's user when
the document is saved; those of the person are asked for here.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import frappe
import frappe.share
from frappe import _
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.permissions import get_allowed_docs_for_doctype, get_role_permissions

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.actions import STEPS
from hisabi_sync.engine.model.change import ACCEPTED, CREATE, DELETE, Caller, Change, Outcome
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.store import load


def readable_rows(doctype: str, names: Collection[str]) -> set[str]:
	"""Those of the names that exist and that the signed-in user may read; one statement."""
	if not names or not frappe.has_permission(doctype, "read"):
		return set()
	filters = {"name": ["in", list(names)]}
	return set(frappe.get_list(doctype, filters=filters, pluck="name", limit_page_length=0, order_by="name"))


def readable(doctype: str, names: Iterable[str], user: str) -> set[str]:
	"""Those documents of any DocType that exist and that the user may read; one statement or two."""
	if not frappe.db.exists("DocType", doctype, cache=True) or frappe.get_meta(doctype).issingle:
		return set()
	shared = only_shared(doctype, user)
	if shared is not None:
		return shared.intersection(names)
	filters = {"name": ["in", sorted(names)]}
	rows = frappe.get_list(
		doctype, filters=filters, pluck="name", limit_page_length=0, user=user, order_by="name"
	)
	return set(map(str, rows))


def only_shared(doctype: str, user: str) -> set[str] | None:
	"""Names of the documents shared with a user whose roles do not let them read the DocType; None for other users.

	Lists of Frappe's are not for such a user: they also have documents that the user may only choose, and some versions of
	Frappe make a statement without columns, because the user may read no field.
	"""
	if reads_by_role(doctype, user):
		return None
	return set(map(str, frappe.share.get_shared(doctype, user)))


def permits_link(link: Field, name: str, doctype: str, user: str) -> bool:
	"""Whether the user's User Permissions let a document of the DocType name another one; Frappe's save asks nothing else of a link."""
	if link.unrestricted:
		return True
	permissions = get_user_permissions(user).get(link.options) or []
	allowed = get_allowed_docs_for_doctype(permissions, doctype)
	return not allowed or name in allowed


def reads_by_role(doctype: str, user: str) -> bool:
	"""Whether a role of the user lets them read documents of the DocType, be it only their own."""
	return bool(get_role_permissions(frappe.get_meta(doctype), user=user).get("read"))


def shared_doctypes(doctypes: Iterable[str], user: str) -> list[str]:
	"""Those of the DocTypes of which a document is shared with the user; one statement, none without DocTypes."""
	where = "`read` = 1 AND (user = %s OR everyone = 1)"
	rows = sql.select_in(
		"DocShare", ["DISTINCT share_doctype"], "share_doctype", sorted(doctypes), where, [user]
	)
	return sorted(row[0] for row in rows)


# --- on behalf of others


@contextmanager
def as_user(user: str) -> Iterator[str]:
	"""In this block, controllers and permissions see this user as the signed-in one; yields the person who is."""
	person, form = frappe.session.user, frappe.local.form_dict
	session = {name: frappe.session.get(name) for name in ("sid", "data")}
	frappe.set_user(user)
	try:
		yield person
	finally:
		frappe.set_user(person)
		frappe.local.form_dict = form
		frappe.session.update(session)


def with_eyes_of(user: str) -> AbstractContextManager[Any]:
	"""For listing what a user may read: `frappe.get_list` first checks the rights of the signed-in user."""
	return nullcontext() if user == frappe.session.user else as_user(user)


# --- rights to change


def require_before(caller: Caller, changes: list[Change]) -> None:
	"""Raise RequestError permission_denied if the person may not make one of the changes to the present documents."""
	for change in changes:
		entity = registry().by_name.get(change.entity_type)
		if entity and not change.error:
			_require(caller, change, entity, _document(caller, change, entity))


def require_after(caller: Caller, changes: list[Change], outcomes: list[Outcome]) -> None:
	"""The same after the changes, because rights may depend on the new values."""
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
	"""The detail of permission_denied: the right on the DocType that no role of the user gives; None if one does.

	It is about the DocType only, so it reveals nothing about a document.
	"""
	right = _right(change, entity)
	if frappe.has_permission(entity.doctype, right, user=user):
		return None
	reason = _("In Frappe no role of yours gives the right to {0} on {1}").format(_(right), entity.doctype)
	return {"reason": reason, "doctype": entity.doctype, "right": right}


def _right(change: Change, entity: EntityType) -> str:
	"""The right that a change needs; to mark a document as deleted is to write it."""
	if change.operation == DELETE:
		return "write" if "is_deleted" in entity.stamps else "delete"
	if change.operation in STEPS:
		return change.operation
	return "create" if change.operation == CREATE else "write"
