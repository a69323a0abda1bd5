"""Saving through a DocType's own controller, for DocTypes of other apps and those that somebody listens to."""

import frappe
from frappe.utils import strip_html

from hisabi_sync.engine import capture, fields
from hisabi_sync.engine.errors import ItemError

REFUSALS = (
	# (exception, item error code); the first that fits counts
	(frappe.PermissionError, "permission_denied"),
	(frappe.MandatoryError, "missing_required_fields"),
	(frappe.LinkValidationError, "invalid_link"),
	(frappe.UniqueValidationError, "unique_violation"),
	(frappe.DuplicateEntryError, "unique_violation"),
)
# What a controller refuses with; anything else is a mistake of a program and ends the batch.
REFUSED = (
	frappe.ValidationError,
	frappe.PermissionError,
	frappe.DoesNotExistError,
	frappe.DuplicateEntryError,
)


def save(run, change, stored, entity, decision):
	"""Apply a decision with `frappe.get_doc(...).save()` inside a savepoint. Raises ItemError, leaving no trace."""
	frappe.db.savepoint("sync_item")
	try:
		with capture.as_caller(run.caller, change, stored):
			_save(run, change, stored, entity, decision)
	except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
		raise
	except ItemError:
		frappe.db.rollback(save_point="sync_item")
		raise
	except REFUSED as error:
		raise _refused(error) from error


def _refused(error):
	frappe.db.rollback(save_point="sync_item")
	frappe.clear_messages()
	code = next((code for kind, code in REFUSALS if isinstance(error, kind)), "rejected")
	reason = strip_html(str(error)) or type(error).__name__
	return ItemError(code, {"reason": reason}, reason=reason)


def _save(run, change, stored, entity, decision):
	if decision.delete:
		_delete(stored, entity, run)
	elif not stored.exists:
		_insert(change, entity, decision.values)
	elif decision.values:
		_update(stored, entity, decision.values)


def _insert(change, entity, values):
	known = {name: value for name, value in {**entity.defaults, **values}.items() if value is not None}
	doc = frappe.get_doc({"doctype": entity.doctype, **_for_document(entity, known, {})})
	capture.set_space(doc, entity)
	if entity.client_id_field:
		doc.set(entity.client_id_field, change.client_id)
	doc.flags.ignore_permissions = not entity.check_permissions
	doc.insert()


def _update(stored, entity, values):
	doc = frappe.get_doc(entity.doctype, stored.document_name, for_update=True)
	doc.update(_for_document(entity, values, stored.values))
	doc.flags.ignore_permissions = not entity.check_permissions
	doc.save()


def _delete(stored, entity, run):
	if "is_deleted" in entity.stamps:
		frappe.get_doc(entity.doctype, stored.document_name).run_method("before_tombstone")
		return capture.tombstone(stored, entity, run.caller)
	frappe.delete_doc(entity.doctype, stored.document_name, ignore_permissions=not entity.check_permissions)


def _for_document(entity, values, held):
	return {
		name: _document_value(entity.fields[name], value, held.get(name)) for name, value in values.items()
	}


def _document_value(field, value, held):
	if field.kind is fields.ROWS:
		# A row keeps its name only if this very document has it: a name from elsewhere would reach another document.
		own = {row.get("name") for row in held or []}
		return [{k: v for k, v in row.items() if k != "name" or v in own} for row in value or []]
	return fields.column_value(field, value)
