"""What the Desk asks of runs: the same as the contract, for Sync Managers, by the connection instead of the tenant."""

from collections.abc import Callable
from functools import partial
from typing import Any

import frappe

from hisabi_sync.api.protocol import desk_access
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.schema import Answer, Count, Flag, OptionalText, Request, Text, TextList
from hisabi_sync.api.runs import asked
from hisabi_sync.api.runs import models as runs_models
from hisabi_sync.api.runs.models import CONTRACT
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.runs import breaker, channel, needs, records, states, view
from hisabi_sync.runs import preview as previews
from hisabi_sync.runs import start as starting
from hisabi_sync.runs.errors import RemoteError

CONNECTION, RUN = "Sync Connection", "Sync Run"
MOST, MOST_CAUSES = 1000, 20


class Of(Request):
	connection: Text


class Records(Request):
	names: TextList = None
	run: OptionalText = None


class Retry(Records):
	keep: runs_models.Keep = None


class RunOf(Request):
	run: Text


class DeskStart(runs_models.Preview):
	connection: Text


class DeskStarted(Answer):
	sync_id: str


class Lacking(Answer):
	"""One thing that the other side lacks."""

	code: str
	message: str


class TestedEntity(Answer):
	entity: str
	direction: str
	ok: bool
	message: str | None
	lacks: list[Lacking]


class Tested(Answer):
	"""Whether the other side answers, entity by entity."""

	entities: list[TestedEntity]


class Prepare(Of):
	dry_run: Flag = True


class PreparedStep(Answer):
	"""`what` is missing there; `made` now, or not because of `message`."""

	entity: str
	direction: str
	what: str
	made: bool
	message: str | None


class Prepared(Answer):
	steps: list[PreparedStep]


class Resumed(Answer):
	status: str


class Requeued(Answer):
	records_queued: Count


class Dismissed(Answer):
	dismissed: Count


class Cause(Answer):
	"""Failed records with the same error; `waiting` are those that are tried again by themselves."""

	error_code: str | None
	records: Count
	waiting: Count
	example: str | None


class RunProgress(Answer):
	"""Counts of a run's records by state, and its failures by cause, up to MOST_CAUSES, the most frequent first."""

	run: runs_models.RunRow
	counts: dict[str, int]
	causes: list[Cause]


def _space(request: Of | DeskStart, right: str = "read") -> str:
	"""The space of the connection that a manager may see, and has the right to."""
	desk_access.require_manager()
	name = desk_access.visible(CONNECTION, {"connection": request.connection}, "connection", right)
	return frappe.db.get_value(CONNECTION, name, "space")


@endpoint(CONTRACT, takes=DeskStart, gives=runs_models.Previewed)
def preview(request: DeskStart) -> dict[str, Any]:
	"""What a run of the connection would do, and the token that starts it."""
	return previews.preview(asked.run_request_of(request, _space(request)), request.limit)


@endpoint(CONTRACT, takes=DeskStart, gives=DeskStarted)
def start(request: DeskStart) -> dict[str, Any]:
	"""Start a run of the connection; answers `{sync_id}`."""
	return {"sync_id": starting.start(asked.run_request_of(request, _space(request))).name}


@endpoint(CONTRACT, takes=Of, gives=Tested)
def test(request: Of) -> dict[str, Any]:
	"""Test whether the other side answers; answers `{entities: [{entity, direction, ok, message}]}`."""
	_space(request)
	with channel.Channels(request.connection) as channels:
		return {"entities": [_tested(channels, *row) for row in _rows(channels)]}


def _rows(channels: channel.Channels) -> list[tuple[str, str]]:
	return [(row.entity, row.direction) for row in channels.connection.entities if row.enabled]


def _tested(channels: channel.Channels, entity: str, direction: str) -> dict[str, Any]:
	try:
		chosen = channels.of(entity, direction)
		found = chosen.connector.lacks(needs.of(chosen))
	except RemoteError as error:
		found = [error]
	lacking = [{"code": error.code, "message": error.message} for error in found]
	message = "\n".join(row["message"] for row in lacking) or None
	row = {"entity": entity, "direction": direction}
	return {**row, "ok": not found, "message": message, "lacks": lacking}


@endpoint(CONTRACT, takes=Prepare, gives=Prepared)
def prepare(request: Prepare) -> dict[str, Any]:
	"""`{steps: [{entity, direction, what, made, message}]}`: make the fields that the connector needs there; a dry run only lists them."""
	_space(request, "write")
	with channel.Channels(request.connection) as channels:
		rows = _rows(channels)
		steps = [step for row in rows for step in _prepared(channels, *row, bool(request.dry_run))]
		return {"steps": _once(steps)}


def _once(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""Two directions of an entity lack the same field."""
	found: dict[tuple[Any, ...], dict[str, Any]] = {}
	for step in steps:
		found.setdefault((step["entity"], step["what"], step["message"]), step)
	return list(found.values())


def _prepared(channels: channel.Channels, entity: str, direction: str, dry_run: bool) -> list[dict[str, Any]]:
	row = {"entity": entity, "direction": direction}
	try:
		steps = channels.of(entity, direction).connector.prepare(dry_run)
	except RemoteError as error:
		return [{**row, "what": "", "made": False, "message": error.message}]
	return [{**row, "what": step.what, "made": step.made, "message": step.error} for step in steps]


@endpoint(CONTRACT, takes=Of, gives=Resumed, writes=True)
def resume(request: Of) -> dict[str, Any]:
	"""End the pause of a connection; answers `{status}`. After failures in a row, one record is tried first."""
	_space(request, "write")
	starting.resume(request.connection)
	return {"status": frappe.db.get_value(CONNECTION, request.connection, "status") or breaker.READY}


@endpoint(CONTRACT, takes=RunOf, gives=runs_models.RunRow)
def cancel(request: RunOf) -> dict[str, Any]:
	"""Cancel a run; its row."""
	desk_access.require_manager()
	name = desk_access.visible(RUN, {"run": request.run}, "run")
	starting.cancel(name)
	return view.run(name)


@endpoint(CONTRACT, takes=Retry, gives=Requeued)
def retry(request: Retry) -> dict[str, Any]:
	"""Try failed records again, the named ones or all of a run; answers `{records_queued}`.

	`keep` says whose values stand in fields that both sides have changed, `here` or `there`.
	"""
	return {
		"records_queued": sum(_for_each_space(request, partial(starting.retry_failed, keep=request.keep)))
	}


@endpoint(CONTRACT, takes=Records, gives=Dismissed)
def dismiss(request: Records) -> dict[str, Any]:
	"""Dismiss failed records, so that nobody needs to look at them any more; answers `{dismissed}`."""
	return {"dismissed": sum(_for_each_space(request, starting.dismiss))}


def _for_each_space(request: Records, work: Callable[..., int]) -> list[int]:
	desk_access.require_manager()
	if not request.run and not request.names:
		raise RequestError("invalid_argument", argument="names")
	if len(request.names or ()) > MOST:
		raise RequestError("invalid_argument", argument="names", limit=MOST)
	filters = {"status": ["in", sorted(states.REVIVABLE)]}
	filters.update({"run": request.run} if request.run else {"name": ["in", request.names]})
	found = frappe.get_list(records.DOCTYPE, filters=filters, fields=["name", "space"], limit_page_length=0)
	by_space: dict[str, list[str]] = {}
	for row in found:
		by_space.setdefault(row.space, []).append(row.name)
	return [work(space, names=names) for space, names in by_space.items()]


@endpoint(CONTRACT, methods=("GET", "POST"), takes=RunOf, gives=RunProgress)
def progress(request: RunOf) -> dict[str, Any]:
	"""Counts of a run's records by state, and its failures by cause, the most frequent first."""
	desk_access.require_reader()
	name = desk_access.visible(RUN, {"run": request.run}, "run")
	return {
		"run": view.run(name),
		"counts": records.by_status(records.counts([name])[name]),
		"causes": records.causes(name, MOST_CAUSES),
	}
