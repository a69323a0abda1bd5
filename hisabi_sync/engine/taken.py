"""Unique values that another record has: a refusal for the device, and a conflict that a person can settle."""

import frappe

from hisabi_sync.engine import conflicts, ledger, load, sql
from hisabi_sync.engine.conflicts import OPEN


def conflict(change, stored, entity, caller, now, registry):
	"""A row for Sync Conflict, or None when the value is held outside of the space or the conflict is open already."""
	names, holder = _held_by_self(change, stored, entity)
	if holder is None:
		names, holder = _find(change, entity, caller, registry)
	if holder is None or _is_open(change, caller):
		return None
	return conflicts.taken(change, names, holder, entity, caller, now)


def unique_fields(entity):
	return [name for name, field in entity.fields.items() if field.unique]


def _held_by_self(change, stored, entity):
	"""An update concerns the record itself, whoever has the value."""
	if stored is None or not stored.exists:
		return None, None
	return [name for name in unique_fields(entity) if name in change.values], stored


def _find(change, entity, caller, registry):
	"""(fields, record) of the first live record of the space that has one of the change's unique values."""
	for name in unique_fields(entity):
		value = change.values.get(name)
		document = _document(entity, {name: value}, caller) if value is not None else None
		found = _record(entity, document, caller.space, registry) if document else None
		if found:
			return [name], found
	return None, None


def _document(entity, filters, caller):
	"""Name of the live document that has the values, in the caller's space where the DocType says so itself."""
	if "." not in entity.space_path and entity.space_path != "name":
		filters = {**filters, entity.space_path: caller.space_key}
	if "is_deleted" in entity.stamps:
		filters = {**filters, "is_deleted": 0}
	return frappe.db.get_value(entity.doctype, filters)


def _record(entity, document, space, registry):
	where = "document_type = %s AND document_name = %s AND space = %s AND deleted_at IS NULL"
	rows = sql.select("Sync Record", ["name"], where, (entity.doctype, document, space))
	return (
		next(iter(load.working_copies([row[0] for row in rows], registry).values()), None) if rows else None
	)


def _is_open(change, caller):
	"""A device repeats what failed, and each time it is judged anew."""
	return bool(change.op_id and open_conflicts(caller.device, [change.op_id]))


def open_conflicts(device, op_ids):
	"""{op key: name of the open conflict} over taken values that ops of a device led to; one statement."""
	rows = frappe.db.sql(
		"""SELECT i.op_key, c.name FROM `tabSync Item` i JOIN `tabSync Conflict` c ON c.item = i.name
		WHERE i.device = %s AND i.op_key IN %s AND c.status = %s AND c.kind = 'unique'""",
		(device, tuple(ledger.op_key(op_id) for op_id in op_ids), OPEN),
	)
	return dict(rows)
