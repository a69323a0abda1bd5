"""Bringing the other side's records into our documents."""

import json

import frappe
from frappe import _

from hisabi_sync.engine import retry
from hisabi_sync.runs import candidates, documents, identity, mapping, push, states
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.outcome import CREATE, NONE, UPDATE, Done


def process(work, members):
	"""Bring claimed records to an outcome, as `push.process` does."""
	push.process_with(work, members, lambda record, row: attempt(work, record, row))


def attempt(work, record, row):
	"""`(Done, work inside the transaction)` of one attempt. Raises RemoteError."""
	values = _values(work, record)
	known = {"values_hash": mapping.fingerprint(values), "remote_id": record.entity_id}
	known["remote_stamp"] = record.stamp or row.remote_stamp
	linked = row.state == identity.LINKED and row.document_name
	if work.run.dry_run:
		return _rehearsed(work, row if linked else None, values), None
	if linked and _is_settled(work, record, row, known):
		return Done(NONE, states.SKIPPED, {"remote_id": record.entity_id}, code="unchanged"), None
	done = Done(UPDATE if linked else CREATE, known=known)
	return done, lambda: _written(work, row.document_name if linked else None, values)


def _values(work, record):
	if record.payload:
		return _plain(json.loads(record.payload))
	held = work.channel.connector.get(record.entity_id)
	if held is None:
		raise RemoteError("remote_missing")
	return _plain(json.loads(json.dumps(work.channel.to_local(held.payload), default=mapping.plain)))


def _plain(values):
	"""The values, of which none is an object: drivers of the database write the names in it unescaped."""
	for name, value in values.items():
		if isinstance(value, dict):
			raise RemoteError("local_rejected", _("{0} is an object").format(name))
		for child in value if isinstance(value, list) else ():
			if isinstance(child, dict):
				_plain(child)
	return values


def _is_settled(work, record, row, known):
	"""A newer version came in another run already, or an incremental run finds the same values."""
	if row.remote_stamp and record.stamp and record.stamp < row.remote_stamp:
		return True
	return work.run.mode == candidates.INCREMENTAL and row.values_hash == known["values_hash"]


def _written(work, name, values):
	"""Save our document; what the identity is told of it. It is undone with the transaction."""
	try:
		document = _document(work, name)
		document.update(values)
		document.flags.ignore_permissions = True
		document.save()
	except Exception as error:
		if retry.is_retryable(error) or not _is_refusal(error):
			raise
		raise RemoteError("local_rejected", documents.said(error)) from None
	return {"document_name": document.name, "local_stamp": str(document.modified)}


def _document(work, name):
	kind = work.channel.document_type
	if name and frappe.db.exists(kind, name):
		return frappe.get_doc(kind, name, for_update=True)
	if name and work.run.mode != candidates.FULL:
		raise RemoteError("local_missing")
	return frappe.new_doc(kind)


def _is_refusal(error):
	"""The document's own rules, or a value that does not fit its column."""
	refusals = (
		frappe.ValidationError,
		frappe.DoesNotExistError,
		frappe.PermissionError,
		TypeError,
		ValueError,
	)
	return isinstance(error, refusals) or retry.is_bad_value(error)


def _rehearsed(work, row, values):
	"""What the attempt would do; it only reads."""
	held = None
	if row is not None:
		held = documents.load(work.channel, [row.document_name]).get(row.document_name)
	plain = {name: mapping.plain(value) for name, value in held.items()} if held else None
	return push.rehearsed(values, plain)
