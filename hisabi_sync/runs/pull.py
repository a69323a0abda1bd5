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
from hisabi_sync.runs import candidates, documents, exact, identity, mapping, push, states
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
	values = _values(work, record)
	known = {"values_hash": mapping.fingerprint(values), "remote_id": record.entity_id}
	known["remote_stamp"] = record.stamp or row.remote_stamp
	linked = row.state == identity.LINKED and row.document_name
	if work.run.dry_run:
		return _rehearsed(work, row if linked else None, _exact(work, values)), None
	if linked and _is_settled(work, record, row, known):
		return Done(NONE, states.SKIPPED, {"remote_id": record.entity_id}, code="unchanged"), None
	done = Done(UPDATE if linked else CREATE, known=known)
	given = _exact(work, values)
	return done, lambda: _written(work, row.document_name if linked else None, given)


def _exact(work: Work, values: dict) -> dict:
	return exact.values(work.channel.document_type, values, work.channel.mapping)


def _values(work: Work, record: frappe._dict) -> dict[str, Any]:
	values = json.loads(record.payload) if record.payload else _fetched(work, record)
	return mapping.linked(work.channel.mapping, _plain(values), work.links)


def _fetched(work: Work, record: frappe._dict) -> dict[str, Any]:
	held = work.channel.connector.get(record.entity_id)
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


def _written(work: Work, name: str | None, values: dict[str, Any]) -> dict[str, Any]:
	"""Save our document; returns what the identity keeps of it. It is undone with the transaction."""
	try:
		ours = _document(work, name)
		_check_files(ours, values)
		ours.update(documents.as_stored(ours.doctype, values))
		ours.flags.ignore_permissions = True
		ours.save()
		if not name and not texts.is_safe_name(str(ours.name)):
			raise ItemError("invalid_value", document.naming(values))
	except ItemError as error:
		raise RemoteError("local_rejected", item_message(error.code, error.detail)) from None
	except Exception as error:
		if retry.is_retryable(error) or not _is_refusal(error):
			raise
		raise RemoteError("local_rejected", documents.said(error)) from None
	return {"document_name": ours.name, "local_stamp": str(ours.modified)}


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
	if name and work.run.mode != candidates.FULL:
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
