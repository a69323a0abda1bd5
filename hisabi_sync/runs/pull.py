"""Bringing the other side's records into our documents."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import document
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import compiler
from hisabi_sync.engine.model import files, texts
from hisabi_sync.engine.model.errors import ItemError, item_message
from hisabi_sync.runs import candidates, documents, exact, identity, mapping, push, removal, states, two_way
from hisabi_sync.runs.connectors.base import Remote
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.outcome import CREATE, NONE, UPDATE, Done, Work


def process(work: Work, members: list[frappe._dict]) -> None:
	"""Bring claimed records to an outcome, as `push.process` does."""
	work.links.add(json.loads(record.payload) for record in members if record.payload)
	push.process_with(work, members, lambda record, row: attempt(work, record, row))


Extra = Callable[[], dict[str, Any]]


@dataclass(slots=True)
class Incoming:
	"""What came: `raw` are our document's values before links were exchanged, `name` the document that is linked already."""

	raw: dict[str, Any]
	values: dict[str, Any]
	known: dict[str, Any]
	name: str | None
	submits: bool


def attempt(work: Work, record: frappe._dict, row: frappe._dict) -> tuple[Done, Extra | None]:
	"""`(Done, work inside the transaction)` of one attempt. Raises RemoteError."""
	if _is_our_own(work, record, row):
		return two_way.unchanged(), None
	remote = None if record.payload else work.channel.connector.get(record.entity_id)
	how = _gone_as(work, record, remote)
	if how:
		done, change = removal.inward(work, row, how)
		return done, (lambda: _refusing(change)) if change else None
	came = _incoming(work, record, row, remote)
	if came.name and work.channel.back and frappe.db.exists(work.channel.document_type, came.name):
		return _merged(work, record, row, came.name, came)
	return _taken(work, record, row, came)


def _is_our_own(work: Work, record: frappe._dict, row: frappe._dict) -> bool:
	"""Whether nothing is new: the version that is known, or a record that a push of ours is about to link."""
	if not work.channel.back:
		return False
	if row.state == identity.CREATING:
		return bool(record.document_name)
	return two_way.is_unchanged(work, record, record.stamp, row.remote_stamp)


def _incoming(work: Work, record: frappe._dict, row: frappe._dict, remote: Remote | None) -> Incoming:
	raw = _raw(work, record, remote)
	values = mapping.linked(work.channel.mapping, _plain(raw), work.links)
	known = {"values_hash": mapping.fingerprint(values), "remote_id": record.entity_id}
	known["remote_stamp"] = record.stamp or row.remote_stamp
	name = row.document_name if row.state == identity.LINKED else None
	submits = bool(work.channel.row.then_do) and removal.docstatus(remote) == 1
	return Incoming(raw, values, known, name or None, submits)


def _taken(work: Work, record: frappe._dict, row: frappe._dict, came: Incoming) -> tuple[Done, Extra | None]:
	"""A new record, or one of a connection in which the other side has the last word."""
	if work.run.dry_run:
		return _rehearsed(work, row if came.name else None, _exact(work, came.values)), None
	if came.name and _is_settled(work, record, row, came.known):
		return Done(NONE, states.SKIPPED, {"remote_id": record.entity_id}, code="unchanged"), None
	exact_values = _exact(work, came.values)
	if came.name and _is_verified(work, row, exact_values):
		return Done(NONE, states.SKIPPED, came.known, code="unchanged"), None
	done = Done(UPDATE if came.name else CREATE, known=came.known)
	return done, lambda: _refusing(lambda: _made(work, record, row, came, exact_values))


def _is_verified(work: Work, row: frappe._dict, exact_values: dict[str, Any]) -> bool:
	"""Whether a comparison finds our document as it should be."""
	compares = work.run.mode == candidates.VERIFY
	return compares and not _rehearsed(work, row, mapping.stated(exact_values)).changes


def _made(
	work: Work, record: frappe._dict, row: frappe._dict, came: Incoming, exact_values: dict[str, Any]
) -> dict[str, Any]:
	kept = _written(work, _document(work, came.name), exact_values, came.submits)
	if work.channel.back:
		kept |= two_way.after_pull(work, record, row, kept["document_name"], came.raw, None)
	return kept


def _merged(
	work: Work, record: frappe._dict, row: frappe._dict, name: str, came: Incoming
) -> tuple[Done, Extra | None]:
	"""What was changed there alone goes into our document. Raises RemoteError both_changed for the rest."""
	exact_values = _exact(work, came.values)
	if work.run.dry_run:
		values, _sides = two_way.fetch(work, record, row, name, exact_values, came.raw)
		return _rehearsed(work, row, values), None
	done = Done(UPDATE, known=came.known)

	def change() -> dict[str, Any]:
		ours = _document(work, name)
		values, sides = two_way.fetch(work, record, row, ours, exact_values, came.raw)
		if values or (came.submits and ours.docstatus == 0):
			_written(work, ours, values, came.submits)
		else:
			done.operation, done.status, done.code = NONE, states.SKIPPED, "unchanged"
		return two_way.after_pull(work, record, row, name, came.raw, sides)

	return done, lambda: _refusing(change)


def _gone_as(work: Work, record: frappe._dict, remote: Remote | None) -> str | None:
	"""As what we get a record of the other side that was deleted or cancelled; None for one that is there."""
	if record.payload:
		return None
	if remote is None:
		return work.channel.row.deleted_as
	return work.channel.row.cancelled_as if removal.docstatus(remote) == removal.CANCELLED else None


def _exact(work: Work, values: dict) -> dict:
	return exact.values(work.channel.document_type, values, work.channel.mapping)


def _raw(work: Work, record: frappe._dict, remote: Remote | None) -> dict[str, Any]:
	"""Our document's values before the links in them are exchanged."""
	if record.payload:
		return json.loads(record.payload)
	if remote is None:
		raise RemoteError("remote_missing")
	values = json.loads(json.dumps(work.channel.to_local(remote.payload), default=mapping.plain))
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
	except frappe.DuplicateEntryError as error:  # another try would not find the name free
		taken = " ".join(map(str, error.args[:2]))
		raise RemoteError("local_rejected", item_message("unique_violation", [taken])) from None
	except Exception as error:
		if retry.is_retryable(error) or not _is_refusal(error):
			raise
		raise RemoteError("local_rejected", documents.said(error)) from None


def _written(work: Work, ours: Document, values: dict[str, Any], submits: bool) -> dict[str, Any]:
	"""Save our document; returns what the identity keeps of it. It is undone with the transaction."""
	is_new = ours.is_new()
	_check_files(ours, values)
	new_values = documents.as_stored(ours.doctype, values)
	ours.flags.ignore_permissions = True
	if not (submits and ours.docstatus == 1 and _has(ours, new_values)):
		ours.update(new_values).save()
	if submits and ours.docstatus == 0 and ours.meta.is_submittable:
		ours.submit()
	if is_new and not texts.is_safe_name(str(ours.name)):
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
	present = None
	if row is not None:
		present = documents.load(work.channel, [row.document_name]).get(row.document_name)
	plain = {name: mapping.plain(value) for name, value in present.items()} if present else None
	return push.rehearsed(values, plain)
