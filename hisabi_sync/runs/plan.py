"""Planning a run: one pending record for each document that it is about, page by page, so that it can go on after a kill."""

import json
from functools import partial
from typing import Any

import frappe
import redis
import tenacity
from frappe.model.document import Document
from rq.timeouts import BaseTimeoutException

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import strict_json
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.runs import (
	attachments,
	candidates,
	channel,
	finish,
	identity,
	jobs,
	mapping,
	records,
	removal,
	states,
	watermark,
)
from hisabi_sync.runs.connectors import base
from hisabi_sync.runs.connectors.base import Page, Remote, Wish
from hisabi_sync.runs.errors import RemoteError, message

RUN = "Sync Run"
FREE = 10  # records that a run may have without a confirmation
TRIES = 4
MAX_PASSES = 5
PAYLOAD = strict_json.Encoder(default=mapping.plain)


def plan(run: str) -> None:
	"""Job: plan a run and give its records out. A second job of the same run ends at once."""
	with jobs.held_lock(jobs.plan_lock(run)) as ours:
		if ours:
			_plan(run)


def load(name: str) -> Document:
	"""The run with `since`, where an incremental one begins."""
	run = frappe.get_doc(RUN, name)
	run.since = ""
	return run


def _plan(name: str) -> None:
	run = load(name)
	if run.planned or run.status not in (states.QUEUED, states.RUNNING):
		return
	begun = finish.begin(run)
	frappe.db.commit()
	if not begun:
		return
	frappe.set_user(run.user)
	try:
		with channel.Channels(run.connection) as channels:
			_find(run, channels.for_run(run, run.entity))
	except Cancelled:
		frappe.db.rollback()
		finish.drop_open(run.name, "cancelled", message("cancelled"))
	except RemoteError as error:
		frappe.db.rollback()
		finish.fail(run, error)
	except frappe.DoesNotExistError:
		frappe.db.rollback()
		finish.fail(run, RemoteError("connection_changed"))
	except Exception as error:
		frappe.db.rollback()
		if is_passing(error):
			raise  # the reaper has it planned once more
		frappe.log_error("Hisabi Sync: a run could not be planned", frappe.get_traceback())
		finish.fail(run, RemoteError("internal_error"))
	frappe.db.commit()


def is_passing(error: Exception) -> bool:
	"""Whether something that we need was away, so that trying again may help."""
	away = (RequestError, redis.exceptions.RedisError, BaseTimeoutException)
	return isinstance(error, away) or retry.is_retryable(error) or retry.is_away(error)


def _find(run: Document, chosen: channel.Channel) -> None:
	if run.mode == candidates.INCREMENTAL and not json.loads(run.ids or "[]"):
		overlap = chosen.connection.overlap_seconds or 0
		run.since = watermark.since(run.connection, run.entity, run.direction, overlap)
	state = json.loads(run.position or "{}")
	while state is not None:
		state = retry.run(partial(_step, run, chosen, state))
	_give_out(run, chosen)


def _step(run: Document, chosen: channel.Channel, state: dict[str, Any]) -> dict[str, Any] | None:
	"""Plan one page and remember where it ended, in one transaction; the next state, or None behind the last page."""
	part = next((name for name in PARTS if name in state), chosen.direction)
	finds = {channel.PUSH: _outward, channel.PULL: _inward, "files": _with_files, "removed": _removed}
	rows, following = finds[part](run, chosen, state)
	_require_running(run)
	new = records.add(run, rows) if rows else 0
	_check_size(run)
	if following is not None:
		following["new"] = following.get("new", 0) + new
		following = _next_pass(following)
	following = following if following is not None else _next_part(run, chosen, state)
	frappe.db.set_value(RUN, run.name, "position", strict_json.kept(following or {}), update_modified=False)
	frappe.db.commit()
	return following


def _next_part(run: Document, chosen: channel.Channel, state: dict[str, Any]) -> dict[str, Any] | None:
	"""Behind the records come those whose files alone are new, and then what is gone."""
	due = {"files": _looks_for_files(chosen, run), "removed": candidates.carries_deletes(chosen, run)}
	done = next((number for number, name in enumerate(PARTS, 1) if name in state), 0)
	return next(({name: PARTS[name]} for name in list(PARTS)[done:] if due[name]), None)


def _looks_for_files(chosen: channel.Channel, run: Document) -> bool:
	"""Other runs take every record anyway, and a narrow one only those that it names."""
	narrow = (run.filters or "{}") != "{}" or (run.ids or "[]") != "[]"
	return bool(chosen.row.attachments and run.mode == candidates.INCREMENTAL and not narrow)


def _require_running(run: Document) -> None:
	"""Holds the run's row until the commit, so that a cancellation comes before or after."""
	if frappe.db.get_value(RUN, run.name, "status", for_update=True) != states.RUNNING:
		raise Cancelled


def _check_size(run: Document) -> None:
	"""A run that nobody confirmed stays small, whatever was counted when it was asked for."""
	if run.confirmation or run.dry_run:
		return
	if frappe.db.count(records.DOCTYPE, {"run": run.name}) > FREE:
		raise Unconfirmed


class Cancelled(Exception):
	"""Somebody cancelled the run while it was planned."""


class Unconfirmed(RemoteError):
	"""A run finds more changes than were confirmed."""

	def __init__(self) -> None:
		super().__init__("confirmation_required")


def _outward(
	run: Document, chosen: channel.Channel, state: dict[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
	found = candidates.page(chosen, run, state.get("at"))
	rows = [
		{"entity_id": name, "document_name": name, "document_type": chosen.document_type, "stamp": stamp}
		for name, stamp in found
	]
	last = found[-1] if len(found) == candidates.PAGE else None
	return rows, {"at": {"stamp": last[1], "id": last[0]}} if last else None


def _inward(
	run: Document, chosen: channel.Channel, state: dict[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
	"""A page of the other side. Where pages may shift, the list is read again until a whole pass brings nothing new."""
	asked = wish(run, chosen)
	page = _page(chosen, asked, state.get("at"))
	seen_pages = None if asked.ids else base.detect_cycle(state.get("trail"), page)
	fitting = [remote for remote in page.records if candidates.fits(chosen, run, remote)]
	own = identity.made_by_push(chosen, fitting)
	rows = [{**_inward_row(chosen, remote), "document_name": own.get(remote.id)} for remote in fitting]
	if page.next is None and not (chosen.connector.pages_shift and state.get("at")):
		return rows, None
	counted = {"new": state.get("new", 0), "pass": state.get("pass", 1), "at": page.next, "trail": seen_pages}
	return rows, {**counted, "ended": page.next is None}


def _removed(
	run: Document, chosen: channel.Channel, state: dict[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
	"""A page of what is gone on the side that is read. Nothing is removed on the other one that nobody confirmed."""
	found = candidates.removed(chosen, run, state["removed"])
	if found and not (run.confirmation or run.dry_run):
		raise Unconfirmed
	last = found[-1].identity if len(found) == candidates.PAGE else None
	return [removed_row(chosen, row) for row in found], {"removed": last} if last else None


def _with_files(
	run: Document, chosen: channel.Channel, state: dict[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
	"""A page of linked records whose files alone are new. They have no stamp, so that no watermark follows them."""
	kind = {"document_type": chosen.document_type}
	if chosen.direction == channel.PUSH:
		after = state["files"].get("after", "")
		names = attachments.documents_with_new(chosen, run.since, after, candidates.PAGE)
		rows = [{"entity_id": name, "document_name": name, **kind} for name in names]
		return rows, {"files": {"after": names[-1]}} if len(names) == candidates.PAGE else None
	files, position = chosen.connector.changed_files(run.since, state["files"].get("at"))
	found = attachments.records_of(chosen, files)
	rows = [{"entity_id": name, "remote_id": name, **kind} for name in found]
	return rows, {"files": {"at": position}} if position else None


# What follows the records, in this order, and where each begins.
PARTS: dict[str, Any] = {"files": {}, "removed": ""}


def removed_row(chosen: channel.Channel, row: frappe._dict) -> dict[str, Any]:
	"""A run record about what was removed on the side that the run reads."""
	if chosen.direction == channel.PULL:
		return {"entity_id": row.remote_id, "remote_id": row.remote_id, "document_type": chosen.document_type}
	name = {"entity_id": row.document_name, "document_name": row.document_name}
	return {**name, "remote_id": row.remote_id, "document_type": chosen.document_type}


def _next_pass(state: dict[str, Any]) -> dict[str, Any] | None:
	if not state.pop("ended", False):
		return state
	done = not state["new"] or state["pass"] >= MAX_PASSES
	return None if done else {"pass": state["pass"] + 1, "new": 0}


def wish(run: Document | frappe._dict, chosen: channel.Channel) -> Wish:
	"""What a run asks the other side for: the ids that it was given, or what changed since its watermark."""
	ids = tuple(json.loads(run.ids or "[]"))
	return Wish("" if ids else run.since, ids, chosen.remote_fields)


def _inward_row(chosen: channel.Channel, remote: Remote) -> dict[str, Any]:
	"""The mapped values are kept with the record, unless they are not whole before the record is read by itself."""
	partly = chosen.has_rows and chosen.connector.lists_are_flat
	whole = remote.payload is not None and not partly and not removal.is_carried(chosen.row)
	values = PAYLOAD.encode(chosen.to_local(remote.payload)) if whole else None
	return {
		"entity_id": remote.id,
		"remote_id": remote.id,
		"document_type": chosen.document_type,
		"stamp": remote.stamp,
		"payload": values,
	}


def _page(chosen: channel.Channel, asked: Wish, at: dict[str, Any] | None) -> Page:
	"""A page, with some patience for a side that stumbles."""
	patient = tenacity.Retrying(
		retry=tenacity.retry_if_exception(lambda error: getattr(error, "retryable", False)),
		stop=tenacity.stop_after_attempt(TRIES),
		wait=_wait,
		reraise=True,
	)
	return patient(chosen.connector.page, asked, at)


def _wait(state: tenacity.RetryCallState) -> float:
	asked = getattr(state.outcome.exception(), "wait", None)
	return min(asked, 30) if asked is not None else min(2**state.attempt_number, 10)


def _give_out(run: Document, chosen: channel.Channel) -> None:
	def transaction() -> None:
		_require_running(run)
		records.open_all(run.name)
		frappe.db.set_value(RUN, run.name, {"planned": 1, "position": None}, update_modified=False)
		jobs.work(run.name, run.connection, chosen.connection.parallel)
		finish.check(run.name)
		frappe.db.commit()

	retry.run(transaction)
