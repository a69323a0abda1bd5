"""Sending our documents to the other side."""

from collections.abc import Callable, Mapping
from typing import Any

import frappe
from rq.timeouts import BaseTimeoutException

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import errors
from hisabi_sync.runs import (
	attachments,
	candidates,
	documents,
	identity,
	links,
	mapping,
	outcome,
	records,
	removal,
	states,
	two_way,
)
from hisabi_sync.runs.channel import PUSH
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.outcome import CREATE, NONE, UPDATE, Done


def process(work: outcome.Work, members: list[frappe._dict]) -> None:
	"""Bring claimed records to an outcome, one after the other."""
	found = documents.load(work.channel, [record.document_name for record in members])
	work.links.add(found.values())
	process_with(
		work, members, lambda record, row: attempt(work, record, row, found.get(record.document_name))
	)


def process_with(
	work: outcome.Work,
	members: list[frappe._dict],
	attempting: Callable[[frappe._dict, frappe._dict], tuple[Done, Callable[[], dict[str, Any]] | None]],
) -> None:
	"""Each record with its identity through `attempting(record, row)`; those that another worker has wait a little."""
	rows = claim(work, members)
	for number, record in enumerate(members):
		row = rows.get(record.name)
		if row is None:
			_later(record)
		elif not one(work, record, row, attempting):
			give_back(work, members[number + 1 :], rows)
			break
	outcome.tell_success(work)
	links.take_up(work)


def claim(work: outcome.Work, members: list[frappe._dict]) -> dict[str, frappe._dict]:
	"""Identities of the records, ours until they are settled; a rehearsal only looks."""
	if work.run.dry_run:
		return identity.held(work.channel, members)

	def transaction() -> dict[str, frappe._dict]:
		rows = identity.claim(work.channel, work.token, members)
		frappe.db.commit()
		return rows

	return retry.run(transaction)


def one(
	work: outcome.Work,
	record: frappe._dict,
	row: frappe._dict,
	attempting: Callable[[frappe._dict, frappe._dict], tuple[Done, Callable[[], dict[str, Any]] | None]],
) -> bool:
	"""Try one record and write its outcome; whether the rest of the chunk may go on."""
	own_row = None if work.run.dry_run else row
	try:
		done, extra = attempting(record, row)
		if own_row is not None and work.channel.row.attachments:
			done, extra = attachments.with_record(work, record, own_row, done, extra), None
		outcome.save(work, record, own_row, done, extra)
		if own_row is not None and done.operation == CREATE and work.channel.direction == PUSH:
			_release(work, record, own_row)
		return True
	except outcome.Lost:
		frappe.db.rollback()
		return True
	except RemoteError as error:
		failure = error
	except BaseTimeoutException:
		raise  # the worker's time is up, whatever it was about to do
	except Exception as error:
		frappe.db.rollback()
		errors.log_once("a record of a run failed", error)
		failure = RemoteError("internal_error")
	frappe.db.rollback()
	return _write_failure(work, record, own_row, failure)


def _release(work: outcome.Work, record: frappe._dict, row: frappe._dict) -> None:
	"""The key has done its work when the record is linked. What fails here costs nothing."""
	remote_id = identity.remote_id_of(row)
	try:
		found = work.channel.connector.release(remote_id) if remote_id else None
	except RemoteError:
		return
	if found and found.stamp:
		identity.note(row, remote_stamp=found.stamp)
		frappe.db.commit()


def _write_failure(
	work: outcome.Work, record: frappe._dict, row: frappe._dict | None, error: RemoteError
) -> bool:
	try:
		outcome.failed(work, record, row, error)
	except outcome.Lost:
		frappe.db.rollback()
	return not ((error.is_ill or error.code == "remote_busy") and outcome.paused(work))


def attempt(
	work: outcome.Work, record: frappe._dict, row: frappe._dict, document: frappe._dict | None
) -> tuple[Done, None]:
	"""`(Done, None)` of one attempt. Raises RemoteError."""
	how = _gone_as(work, document)
	if how:
		done = removal.outward(work, row, how)
		if document is not None and done.known:
			done.known["local_stamp"] = documents.stamp(document)
		return done, None
	if document is None:
		raise RemoteError("local_missing")
	payload = work.channel.to_remote(document, work.links)
	if work.channel.row.then_do and _is_final(work, document):
		payload["docstatus"] = 1
	if row.state == identity.LINKED and (work.channel.back or not work.run.dry_run):
		return _present(work, record, row, document, payload), None
	if work.run.dry_run:
		return _rehearsed(work, row, payload), None
	return _first(work, row, document, payload), None


def _gone_as(work: outcome.Work, document: frappe._dict | None) -> str | None:
	"""As what the other side gets a document of ours that was deleted or cancelled; None for one that is there."""
	if document is None:
		return work.channel.row.deleted_as
	return work.channel.row.cancelled_as if document.docstatus == removal.CANCELLED else None


def _is_final(work: outcome.Work, document: frappe._dict) -> bool:
	"""Whether a document may be submitted there: a draft of ours stays one."""
	return document.docstatus == 1 or not frappe.get_meta(work.channel.document_type).is_submittable


def _present(
	work: outcome.Work,
	record: frappe._dict,
	row: frappe._dict,
	document: frappe._dict,
	payload: dict[str, Any],
) -> Done:
	"""Update the record there; a full run brings back what was removed there."""
	update = two_way.update if work.channel.back else _again
	try:
		return update(work, record, row, document, payload)
	except RemoteError as error:
		if error.code != "remote_missing" or work.run.mode == candidates.INCREMENTAL or work.run.dry_run:
			raise
		identity.begin_again(row)
		frappe.db.commit()
		return _first(work, row, document, payload)


def _known(document: frappe._dict, payload: dict[str, Any]) -> dict[str, Any]:
	return {"local_stamp": documents.stamp(document), "values_hash": mapping.fingerprint(payload)}


def _first(work: outcome.Work, row: frappe._dict, document: frappe._dict, payload: dict[str, Any]) -> Done:
	"""Create the record there; where an earlier attempt may have done so, look for it first."""
	connector = work.channel.connector
	found = connector.find(row.name) if row.began else None
	made = connector.update(found.id, payload, row.name) if found else connector.create(row.name, payload)
	if identity.is_taken(work.channel, row, made.id):
		raise RemoteError("remote_id_taken", made.id)
	known = {**_known(document, payload), **two_way.begun(work, document, made)}
	return Done(CREATE, known={**known, "remote_id": made.id, "remote_stamp": made.stamp})


def _again(
	work: outcome.Work,
	record: frappe._dict,
	row: frappe._dict,
	document: frappe._dict,
	payload: dict[str, Any],
) -> Done:
	"""Send the values; an incremental run leaves what has the same."""
	known = {**_known(document, payload), "remote_id": row.remote_id}
	if work.run.mode == candidates.INCREMENTAL and row.values_hash == known["values_hash"]:
		return Done(NONE, states.SKIPPED, known, code="unchanged")
	sent = _differing(work, row, payload) if _compares(work) else payload
	if not sent:
		return Done(NONE, states.SKIPPED, known, code="unchanged")
	made = work.channel.connector.update(row.remote_id, sent, row.name)
	return Done(UPDATE, known={**known, "remote_stamp": made.stamp or row.remote_stamp})


def _compares(work: outcome.Work) -> bool:
	"""What may be submitted there gets only what differs, for the rest of it may not change any more."""
	return work.run.mode == candidates.VERIFY or bool(work.channel.row.then_do)


def _differing(work: outcome.Work, row: frappe._dict, payload: dict[str, Any]) -> dict[str, Any]:
	remote = work.channel.connector.get(row.remote_id)
	if remote is None:
		raise RemoteError("remote_missing")
	changes = mapping.differences(mapping.stated(payload), remote.payload or {})
	names = {change["field"].partition(".")[0] for change in changes}
	return {name: value for name, value in payload.items() if name in names}


def _rehearsed(work: outcome.Work, row: frappe._dict, payload: dict[str, Any]) -> Done:
	"""What the attempt would do; it only reads."""
	connector = work.channel.connector
	remote = connector.get(row.remote_id) if row.state == identity.LINKED else None
	if remote is None and row.began and row.state != identity.LINKED:
		found = connector.find(row.name)
		remote = connector.get(found.id) if found else None
	return rehearsed(payload, None if remote is None else remote.payload or {})


def rehearsed(new: dict[str, Any], present: Mapping[str, Any] | None) -> Done:
	"""A Done that says what would be created, changed field by field, or skipped."""
	if present is None:
		return Done(CREATE, changes=mapping.differences(new, {}))
	changes = mapping.differences(new, present)
	if not changes:
		return Done(NONE, states.SKIPPED, code="unchanged", changes=[])
	return Done(UPDATE, changes=changes)


def _later(record: frappe._dict) -> None:
	records.give_back([record], seconds=1)
	frappe.db.commit()


def give_back(work: outcome.Work, members: list[frappe._dict], rows: Mapping[str, frappe._dict]) -> None:
	"""The rest of a chunk waits until the connection is open again."""

	def transaction() -> None:
		records.give_back(members)
		if not work.run.dry_run:
			identity.let_go([rows[record.name] for record in members if record.name in rows])
		frappe.db.commit()

	retry.run(transaction)
