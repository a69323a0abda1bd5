"""The end of a run: its state follows from its records, its totals are counted from them, its watermark moves."""

from collections.abc import Collection, Iterable
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.store import side_effects
from hisabi_sync.runs import records, states, watermark
from hisabi_sync.runs.errors import RemoteError, message

RUN = "Sync Run"


def begin(run: Document) -> bool:
	"""Whether a run may be planned: it waits for that, or somebody was at it; not when it was cancelled meanwhile."""
	values = {"started_at": run.started_at or clock.now()}
	return move(run, states.RUNNING, (states.QUEUED, states.RUNNING), **values)


def move(run: Document | str, status: str, sources: tuple[str, ...] = (), **values: Any) -> bool:
	"""Bring a run (document or name) into a state, if it may; whether it did."""
	name = run if isinstance(run, str) else run.name
	values = {"status": status, "modified": clock.now(), **values}
	sources = sources or (
		*states.sources(states.RUN, status),
		*((status,) if status == states.RUNNING else ()),
	)
	sql.update_in(RUN, values, [name], "status IN %s", (sources,))
	moved = bool(records.affected())
	if moved:
		side_effects.refresh_form(RUN, name)
	return moved


def fail(run: Document, error: RemoteError) -> None:
	"""The run cannot go on: what it is about could not be found out."""
	values: dict[str, Any] = {
		"error_code": error.code,
		"error_message": error.message,
		"completed_at": clock.now(),
	}
	if move(run, states.FAILED, **values):
		drop_open(run.name, error.code, error.message)
		_total(run.name)


def cancel(run: str, message: str) -> bool:
	"""Whether a run could be cancelled. What waits is skipped; what is on its way comes to its end."""
	if not move(run, states.CANCELLED, completed_at=clock.now()):
		return False
	drop_open(run, "cancelled", message)
	_total(run)
	return True


def drop_open(run: str, code: str, message: str) -> None:
	"""Skip what of a run still waits."""
	where = "run = %s AND (status = %s OR (status = %s AND next_attempt_at IS NOT NULL))"
	open_ones = sql.select(records.DOCTYPE, ["name"], where, (run, states.PENDING, states.FAILED))
	names = [row[0] for row in open_ones]
	for start in range(0, len(names), sql.CHUNK_ROWS):
		chunk = names[start : start + sql.CHUNK_ROWS]
		records.move(chunk, states.SKIPPED, error_code=code, error_message=message)


def check(name: str) -> bool:
	"""End a run whose records are all done; whether it has ended."""
	run = frappe.get_doc(RUN, name, for_update=True)
	if run.status != states.RUNNING:
		return run.status in states.RUN_ENDED
	counted = records.by_status(records.counts([name])[name])
	state = states.of_run(run.planned, counted, records.waiting(name))
	if run.planned:
		watermark.advance(run)
	if state == states.RUNNING:
		return False
	move(run, state, completed_at=clock.now())
	_total(name)
	return True


def check_all(connection: str) -> None:
	"""End those runs of a connection whose records are all done."""
	frappe.db.commit()  # each check locks its run before it looks at anything
	for name in frappe.get_all(
		RUN, filters={"connection": connection, "status": states.RUNNING, "planned": 1}, pluck="name"
	):
		frappe.db.commit()
		check(name)
		frappe.db.commit()


def drop_cancelled(run: str, members: Iterable[frappe._dict], claim: str) -> bool:
	"""Skip claimed records when their run was cancelled, or is gone; whether it was."""
	if frappe.db.get_value(RUN, run, "status") not in (states.CANCELLED, None):
		return False
	said = {"error_code": "cancelled", "error_message": message("cancelled")}
	records.move([record.name for record in members], states.SKIPPED, "claim = %s", (claim,), **said)
	frappe.db.commit()
	return True


def count_again(runs: Collection[str]) -> None:
	"""Totals of those runs that were cancelled while their records were on their way."""
	if not runs:
		return
	for name in frappe.get_all(RUN, {"name": ["in", list(runs)], "status": states.CANCELLED}, pluck="name"):
		sql.update_in(RUN, _totals(name), [name])
	frappe.db.commit()


def reopen(name: str) -> None:
	"""Bring a run back to work on records that are tried again; the time since it ended is not its own."""
	if frappe.db.get_value(RUN, name, "status", for_update=True) in states.RUN_ENDED:
		cleared: dict[str, Any] = {"completed_at": None, "error_code": None, "error_message": None}
		move(name, states.RUNNING, resumed_at=clock.now(), **cleared)


def recount(name: str) -> None:
	"""A person has settled records of a run: watermark, state and totals follow."""
	run = frappe.get_doc(RUN, name, for_update=True)
	if run.status == states.RUNNING:
		check(name)
		return
	if run.planned:
		watermark.advance(run)
	totals = _totals(name)
	if run.status == states.COMPLETED_WITH_ERRORS and not totals["records_failed"]:
		move(name, states.COMPLETED)
	sql.update_in(RUN, totals, [name])


def _total(name: str) -> None:
	"""Keep the totals with the run that ends, for lists and charts; the answers of the API count anew."""
	run = frappe.db.get_value(RUN, name, ["started_at", "resumed_at", "creation", "seconds"], as_dict=True)
	spent = clock.now() - (run.resumed_at or run.started_at or run.creation)
	before = run.seconds if run.resumed_at else 0
	sql.update_in(RUN, {**_totals(name), "seconds": before + spent.total_seconds()}, [name])


def _totals(name: str) -> dict[str, int]:
	counted = records.by_status(records.counts([name])[name])
	return {
		"records_total": sum(counted.values()),
		"records_completed": counted.get(states.COMPLETED, 0),
		"records_failed": counted.get(states.FAILED, 0) + counted.get(states.DEAD, 0),
		"records_skipped": counted.get(states.SKIPPED, 0),
	}
