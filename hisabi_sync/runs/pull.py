"""Bringing the other side's records into our documents."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import document
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import compiler
from hisabi_sync.engine.model import files, texts
from hisabi_sync.engine.model.errors import ItemError, item_message
from hisabi_sync.runs import candidates, documents, exact, identity, mapping, push, removal, states
from hisabi_sync.runs.connectors.base import Remote
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.outcome import CREATE, NONE, UPDATE, Done, Work


def process(work: Work, members: list[frappe._dict]) -> None:
	"""Bring claimed records to an outcome, as `push.process` does."""
	work.links.add(json.loads(record.payload) for record in members if record.payload)
	push.process_with(work, members, lambda record, row: attempt(work, record, row))


def attempt(
	work: Work, record: frappe._dict, row: frappe._dict
) -> tuple[Done, Callable[[], dict[str, Any]] | None]:
	"""`(Done, work inside the transaction)` of one attempt. Raises RemoteError."""
	held = None if record.payload else work.channel.connector.get(record.entity_id)
	how = _gone_as(work, record, held)
	if how:
		done, change = removal.inward(work, row, how)
		return done, (lambda: _refusing(change)) if change else None
	values = _values(work, record, held)
	known = {"values_hash": mapping.fingerprint(values), "remote_id": record.entity_id}
	known["remote_stamp"] = record.stamp or row.remote_stamp
	linked = row.state == identity.LINKED and row.document_name
	if work.run.dry_run:
		return _rehearsed(work, row if linked else None, _exact(work, values)), None
	if linked and _is_settled(work, record, row, known):
		return Done(NONE, states.SKIPPED, {"remote_id": record.entity_id}, code="unchanged"), None
	done = Done(UPDATE if linked else CREATE, known=known)
	given = _exact(work, values)
	name = row.document_name if linked else None
	if (
		name
		and work.run.mode == candidates.VERIFY
		and not _rehearsed(work, row, mapping.stated(given)).changes
	):
		return Done(NONE, states.SKIPPED, known, code="unchanged"), None
	submits = bool(work.channel.row.then_do) and removal.docstatus(held) == 1
	return done, lambda: _refusing(lambda: _written(work, name, given, submits))


def _gone_as(work: Work, record: frappe._dict, held: Remote | None) -> str | None:
	"""As what we get a record of the other side that was deleted or cancelled; None for one that is there."""
	if record.payload:
		return None
	if held is None:
		return work.channel.row.deleted_as
	return work.channel.row.cancelled_as if removal.docstatus(held) == removal.CANCELLED else None


def _exact(work: Work, values: dict) -> dict:
	return exact.values(work.channel.document_type, values, work.channel.mapping)


def _values(work: Work, record: frappe._dict, held: Remote | None) -> dict[str, Any]:
	values = json.loads(record.payload) if record.payload else _fetched(work, held)
	return mapping.linked(work.channel.mapping, _plain(values), work.links)


def _fetched(work: Work, held: Remote | None) -> dict[str, Any]:
	if held is None:
		raise RemoteError("remote_missing")
	values = json.loads(json.dumps(work.channel.to_local(held.payload), default=mapping.plain))
	work.links.add([values])
	return values


def _plain(values: dict[str, Any]) -> dict[str, Any]:
	"""The values, of which none is an object: drivers of the database write the names in it unescaped."""
	for name, value in values.items():
		if isinstance(value, dict):
			raise RemoteError("local_rejected", _("{0} is an object").format(name))
		for child in value if isinstance(value, list) else ():
			if isinstance(child, dict):
				_plain(child)
	return values


def _is_settled(work: Work, record: frappe._dict, row: frappe._dict, known: Mapping[str, Any]) -> bool:
	"""A newer version came in another run already, or an incremental run finds the same values."""
	if row.remote_stamp and record.stamp and record.stamp < row.remote_stamp:
		return True
	return work.run.mode == candidates.INCREMENTAL and row.values_hash == known["values_hash"]


def _refusing(change: Callable[[], dict[str, Any]]) -> dict[str, Any]:
	"""Change our document, with its refusals as RemoteError local_rejected."""
	try:
		return change()
	except ItemError as error:
		raise RemoteError("local_rejected", item_message(error.code, error.detail)) from None
	except Exception as error:
		if retry.is_retryable(error) or not _is_refusal(error):
			raise
		raise RemoteError("local_rejected", documents.said(error)) from None


def _written(work: Work, name: str | None, values: dict[str, Any], submits: bool) -> dict[str, Any]:
	"""Save our document; returns what the identity keeps of it. It is undone with the transaction."""
	ours = _document(work, name)
	_check_files(ours, values)
	given = documents.as_stored(ours.doctype, values)
	ours.flags.ignore_permissions = True
	if not (submits and ours.docstatus == 1 and _has(ours, given)):
		ours.update(given).save()
	if submits and ours.docstatus == 0 and ours.meta.is_submittable:
		ours.submit()
	if not name and not texts.is_safe_name(str(ours.name)):
		raise ItemError("invalid_value", document.naming(values))
	return {"document_name": ours.name, "local_stamp": str(ours.modified)}


def _has(ours: Document, values: dict[str, Any]) -> bool:
	"""Whether a submitted document has these values, of which it may take few others."""
	return not mapping.differences(mapping.stated(values), ours.as_dict(convert_dates_to_str=True))


def _check_files(document: Document, values: dict) -> None:
	"""A peer names no file of this site beside those that the document has. Raises RemoteError local_rejected."""
	acting = compiler.acting_fields(document.doctype)
	try:
		files.check(values, [document.as_dict()], acting, files.allowed())
	except ItemError as error:
		raise RemoteError("local_rejected", item_message(error.code, error.detail)) from None


def _document(work: Work, name: str | None) -> Document:
	kind = work.channel.document_type
	if name and frappe.db.exists(kind, name):
		return frappe.get_doc(kind, name, for_update=True)
	if name and work.run.mode == candidates.INCREMENTAL:
		raise RemoteError("local_missing")
	return frappe.new_doc(kind)


def _is_refusal(error: Exception) -> bool:
	"""The document's own rules, or a value that does not fit its column."""
	if isinstance(error, TypeError | ValueError) or retry.is_bad_value(error):
		return True
	return not retry.ends_transaction(error) and document.code_of(error) is not None


def _rehearsed(work: Work, row: frappe._dict | None, values: dict[str, Any]) -> Done:
	"""What the attempt would do; it only reads."""
	held = None
	if row is not None:
		held = documents.load(work.channel, [row.document_name]).get(row.document_name)
	plain = {name: mapping.plain(value) for name, value in held.items()} if held else None
	return push.rehearsed(values, plain)
