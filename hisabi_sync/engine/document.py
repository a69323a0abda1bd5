"""Saving through the controller of a DocType: for DocTypes of other apps, and those that hooks or people listen to."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import frappe
from frappe.model.document import Document
from frappe.model.meta import Meta
from frappe.utils import strip_html

from hisabi_sync import compat
from hisabi_sync.engine import capture, document_actions, document_values, push_context
from hisabi_sync.engine.conflicts import unique_conflicts
from hisabi_sync.engine.database import retry, transaction
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.judge.decide import Decision
from hisabi_sync.engine.model import column_values, errors, fields, ids, texts
from hisabi_sync.engine.model.actions import DOCSTATUS
from hisabi_sync.engine.model.change import Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError, RequestError, item_message
from hisabi_sync.engine.sharing import rights
from hisabi_sync.engine.store import load

if TYPE_CHECKING:
	from hisabi_sync.engine.batch import Batch

REFUSALS = (
	# (exception, item error code); the first that fits counts
	(frappe.PermissionError, "permission_denied"),
	(frappe.MandatoryError, "missing_required_fields"),
	(frappe.LinkValidationError, "invalid_link"),
	(frappe.UniqueValidationError, "unique_violation"),
	(frappe.DuplicateEntryError, "unique_violation"),
	(frappe.ValidationError, "rejected"),
	(frappe.NameError, "rejected"),
)
# Errors of a program that counts on a value.
STUMBLES = (TypeError, AttributeError, ValueError, LookupError, ArithmeticError)
SAVEPOINT, WHOLE = "sync_item", "sync_item_whole"


def save(run: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision) -> None:
	"""Apply a decision with `frappe.get_doc(...).save()` inside a savepoint. Raises ItemError, leaving no trace."""
	with one_item(run, change, stored, entity):
		_save(run, change, stored, entity, decision)


@contextmanager
def one_item(run: "Batch", change: Change, stored: Stored, entity: EntityType) -> Iterator[None]:
	"""What the block does with the document of a change leaves no trace if it raises. Raises ItemError for what was refused."""
	before = copy.copy(stored)
	try:
		with transaction.savepoint(SAVEPOINT), push_context.saving(run.caller, change, stored):
			yield
	except Exception as error:
		if isinstance(error, RequestError) or retry.ends_transaction(error):
			raise
		if retry.is_race(error) and code_of(error) is None:
			raise retry.Undone from error  # somebody else took the key a moment ago; another try sees what they wrote
		_put_back(stored, before)
		lacking = _lacking(error, run, change, entity)
		frappe.clear_messages()
		if isinstance(error, ItemError):
			raise
		raise lacking or refused(error, entity.name, entity) from error


@contextmanager
def whole(stored: Stored) -> Iterator[None]:
	"""Several steps with one document leave no trace if one of them raises."""
	before = copy.copy(stored)
	try:
		with transaction.savepoint(WHOLE):
			yield
	except ItemError:
		_put_back(stored, before)
		raise


def _lacking(error: Exception, run: "Batch", change: Change, entity: EntityType) -> ItemError | None:
	"""The item error for a right that Frappe refused without saying which."""
	if not isinstance(error, frappe.PermissionError) or str(error):
		return None
	detail = rights.lacking(run.caller.user, change, entity)
	return ItemError("permission_denied", detail) if detail else None


def _put_back(stored: Stored, before: Stored) -> None:
	"""Restore the working copy, which the capture hook may have changed before a later hook refused."""
	for name in Stored.__slots__:
		setattr(stored, name, getattr(before, name))


def refused(error: Exception, entity_type: str, entity: EntityType | None = None) -> ItemError:
	"""The item error for what a controller, a hook or the database raised about one document."""
	code = code_of(error)
	if code == "unique_violation" and _quotes(error):
		field = unique_conflicts.field_of(error, entity) if entity else None
		return ItemError(code, {field: None} if field else ["payload"])
	if code:
		reason = said(error)
		return ItemError(code, {"reason": reason}, reason=reason)
	if retry.is_bad_value(error):
		return ItemError("invalid_value", ["payload"])
	errors.log_once(f"an item of {entity_type} failed", error)
	return ItemError("internal_error")


def code_of(error: Exception) -> str | None:
	"""The item error code for an exception with which Frappe refuses; None for any other, which is a bug."""
	code = next((code for kind, code in REFUSALS if isinstance(error, kind)), None)
	told = 400 <= getattr(error, "http_status_code", 500) < 500
	return code or ("rejected" if told else None)


def said(error: Exception) -> str:
	"""The sentence of a refusal, as plain text. Never the text of an error of the database or of Python."""
	if _quotes(error):
		code = "unique_violation" if code_of(error) == "unique_violation" else "internal_error"
		return item_message(code, [str(error.args[0])])
	return " ".join(strip_html(str(error)).split()) or type(error).__name__


def _quotes(error: Exception) -> bool:
	"""Whether an exception carries another one instead of a sentence; Frappe hands on errors of the driver so."""
	return any(isinstance(part, Exception) for part in error.args)


def _save(run: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision) -> None:
	if not _is_known(entity):
		compat.forget_metas([entity.doctype, *(f.options for f in entity.fields.values() if f.columns)])
		if not _is_known(entity):
			# Changing a table commits a part of an edit before its end; the values would not be stored.
			frappe.db.after_rollback.add(entity_types.renew)
			raise RequestError("unavailable")
	if decision.delete:
		_delete(stored, entity, run)
	elif not stored.exists or stored.document_name is None:
		_insert(change, entity, decision.values, run.stored.get(change.amended_record))
	elif not stored.live:
		_begin_again(stored, entity, decision.values)
	elif decision.values:
		_update(stored, entity, decision.values)


def _is_known(entity: EntityType) -> bool:
	"""Whether Frappe knows all fields of the entity type. Its cache may be older than an edit, and it would drop values."""
	meta = frappe.get_meta(entity.doctype)
	return _has_all(meta, entity.fields.values()) and all(
		_has_all(frappe.get_meta(field.options), field.columns)
		for field in entity.fields.values()
		if field.columns
	)


def _has_all(meta: Meta, expected: Iterable[fields.Field]) -> bool:
	types = {df.fieldname: (df.fieldtype, df.options or "") for df in meta.fields}
	own = (field for field in expected if field.name != DOCSTATUS)  # a column of every table, and no field
	return all(types.get(field.name) == (field.fieldtype, field.options) for field in own)


def _insert(change: Change, entity: EntityType, values: Mapping[str, Any], amended: Stored | None) -> None:
	if amended:
		doc, filled = document_actions.amendment(amended, entity, values), dict(values)
	else:
		filled = {name: value for name, value in {**entity.defaults, **values}.items() if value is not None}
		doc = frappe.get_doc({"doctype": entity.doctype, **document_values.for_new(entity, filled)})
	push_context.set_space(doc, entity)
	if entity.client_id_field:
		doc.set(entity.client_id_field, ids.encode(change.client_id))
	doc.flags.update(_flags(entity, filled))
	doc.name = _given_name(doc.meta, change, entity)
	_store(doc, doc.insert)
	if not texts.is_safe_name(str(doc.name)):
		raise ItemError("invalid_value", naming(values))


def _given_name(meta: Meta, change: Change, entity: EntityType) -> str | None:
	"""The name of a new document of a DocType whose names people type: the client id, if it is valid and free."""
	if (meta.autoname or "").lower() != "prompt":
		return None
	expected = {change.client_id, ids.document_name(change.client_id, change.record, ())}
	return ids.document_name(change.client_id, change.record, load.existing(entity.doctype, expected))


def naming(values: Mapping[str, Any]) -> list[str]:
	"""Fields whose texts may have made the name that the document may not have."""
	strings = {name: value for name, value in values.items() if isinstance(value, str)}
	return [name for name, value in strings.items() if not texts.is_safe_name(value)] or ["name"]


def _begin_again(stored: Stored, entity: EntityType, values: Mapping[str, Any]) -> None:
	"""Restore a document that a tombstone left in its table. Its controller sees it as not deleted."""
	whole = {**entity.empty_values(), **entity.defaults, **values}
	computed = {
		name: column_values.for_column(entity.fields[name], whole[name])
		for name in entity.computed - entity.row_fields
	}
	begun = {"is_deleted": 0, **({"deleted_at": None} if "deleted_at" in entity.stamps else {}), **computed}
	frappe.db.set_value(entity.doctype, stored.document_name, begun, update_modified=False)
	doc = frappe.get_doc(entity.doctype, stored.document_name, for_update=True)
	doc.update(dict.fromkeys(entity.row_fields, []))
	document_values.set_on(doc, entity, whole)
	doc.flags.update(_flags(entity, whole))
	_store(doc, doc.save)


def _update(stored: Stored, entity: EntityType, values: Mapping[str, Any]) -> None:
	doc = frappe.get_doc(entity.doctype, stored.document_name, for_update=True)
	document_values.set_on(doc, entity, values)
	doc.flags.update(_flags(entity, values))
	_store(doc, doc.save)


def _store(doc: Document, storing: Callable[[], Any]) -> None:
	"""Insert or save. What is missing after the controller ran is named by fields and columns, as devices call them."""
	try:
		storing()
	except Exception as error:
		if missing := _told_missing(error, doc):
			raise ItemError("missing_required_fields", missing) from error
		raise


def _told_missing(error: Exception, doc: Document) -> list[str]:
	"""What a document lacks by an error: Frappe says so, or the controller stumbled over a table without rows before Frappe looked."""
	if isinstance(error, frappe.MandatoryError):
		return _missing(doc) if str(error).startswith(f"[{doc.doctype}, ") else []
	tables = [df.fieldname for df in doc.meta.get_table_fields() if df.reqd and not doc.get(df.fieldname)]
	return tables if isinstance(error, STUMBLES) else []


def _missing(doc: Document) -> list[str]:
	"""Names of the mandatory fields without a value, and of columns of rows as `table.column`."""
	found = [name for name, _ in doc._get_missing_mandatory_fields()]
	for row in doc.get_all_children():
		found += [f"{row.parentfield}.{name}" for name, _ in row._get_missing_mandatory_fields()]
	return list(dict.fromkeys(found))


def _flags(entity: EntityType, values: Mapping[str, Any]) -> dict[str, Any]:
	"""Flags for Frappe and for the capture hooks: whether rights count, and which fields the device set."""
	return {"ignore_permissions": not entity.check_permissions, "hisabi_sync_set": frozenset(values)}


def _delete(stored: Stored, entity: EntityType, run: "Batch") -> None:
	if "is_deleted" in entity.stamps:
		frappe.get_doc(entity.doctype, stored.document_name).run_method("before_tombstone")
		return capture.tombstone(stored, entity, run.caller)
	_detach_others_files(entity.doctype, stored.document_name, run.caller.user)
	frappe.delete_doc(entity.doctype, stored.document_name, ignore_permissions=not entity.check_permissions)


def _detach_others_files(doctype: str, name: str | None, user: str) -> None:
	"""Detach files of other users, because Frappe deletes the files of a document with it."""
	frappe.db.sql(
		"""UPDATE `tabFile` SET attached_to_doctype = NULL, attached_to_name = NULL, attached_to_field = NULL
		WHERE attached_to_doctype = %s AND attached_to_name = %s AND owner != %s""",
		(doctype, name, user),
	)
