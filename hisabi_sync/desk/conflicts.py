"""The conflict centre. Sync Managers settle, Sync Auditors read; User Permissions on Sync Space limit both."""

from typing import Any

from hisabi_sync import permissions
from hisabi_sync.api.protocol import desk_access
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.schema import Nothing
from hisabi_sync.desk import bulk, lists
from hisabi_sync.desk.insight import scope
from hisabi_sync.desk.lists import BulkDone, BulkJob, BulkProgress
from hisabi_sync.desk.models import conflicts as models
from hisabi_sync.engine.conflicts.conflict_rows import MERGE, OPEN, SIDES
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import cases, conflict_view

CONFLICT = "Sync Conflict"
ASK = ("GET", "POST")
READER: dict[str, Any] = {"needs": desk_access.require_reader, "methods": ASK}
MANAGER: dict[str, Any] = {"needs": desk_access.require_manager}


@endpoint("wallet", takes=models.ConflictList, gives=models.ListedConflicts, **READER)
def list_conflicts(request: models.ConflictList) -> dict[str, Any]:
	"""The conflicts that the caller may see, newest first."""
	filters = lists.filters(request, models.ConflictFilters)
	rows, after = lists.page(CONFLICT, filters, conflict_view.SUMMARY, request)
	return {
		"conflicts": [conflict_view.summary(row) for row in rows],
		"next": after,
		"has_more": after is not None,
		"server_time": clock.dump(clock.now()),
	}


@endpoint("wallet", takes=models.OfConflict, gives=models.WholeConflict, **READER)
def read(request: models.OfConflict) -> dict[str, Any]:
	"""A conflict with base, server and client values of the wire, and the record as it is now."""
	name = desk_access.visible(CONFLICT, request, "conflict_id")
	return conflict_view.whole(name)


@endpoint("wallet", takes=models.OfConflict, gives=models.ConflictForm, **READER)
def form(request: models.OfConflict) -> dict[str, Any]:
	"""What the Desk shows of a conflict: labels, types, titles of links, document values. May the caller settle?"""
	name = desk_access.visible(CONFLICT, request, "conflict_id")
	return {**conflict_view.form(name), "may_settle": permissions.is_manager()}


@endpoint("wallet", takes=models.Resolution, gives=models.Settled, **MANAGER)
def resolve(request: models.Resolution) -> dict[str, Any]:
	"""Decide a conflict: what became of it, and the record's new state.

	In a manual merge, fields in neither `keep` nor `values` stay as they are. 409 already_settled with the earlier `conflict`; 409 record_changed with the record's new state, to be
	confirmed by its `version`.
	"""
	name, resolution = desk_access.visible(CONFLICT, request, "conflict_id"), _resolution(request)
	return retry.committed(lambda: cases.resolve(name, resolution), request.dry_run)


def _resolution(request: models.Resolution) -> cases.Resolution:
	choice, keep, values = request.resolution, request.keep, request.values
	if choice != MERGE and (keep or values):
		raise RequestError("invalid_argument", argument="keep" if keep else "values")
	if not all(isinstance(side, str) and side in SIDES for side in keep.values()):
		raise RequestError("invalid_argument", argument="keep")
	return cases.Resolution(choice, keep, values, request.reason, request.version)


@endpoint("wallet", takes=models.Dismissal, gives=models.Settled, **MANAGER)
def dismiss(request: models.Dismissal) -> dict[str, Any]:
	"""Close a conflict for a reason; the record stays as it is."""
	name = desk_access.visible(CONFLICT, request, "conflict_id")
	return retry.committed(lambda: cases.dismiss(name, request.reason))


@endpoint("wallet", takes=models.Reopening, gives=models.Settled, **MANAGER)
def reopen(request: models.Reopening) -> dict[str, Any]:
	"""Open a conflict again; earlier decisions stay in its history."""
	name = desk_access.visible(CONFLICT, request, "conflict_id")
	return retry.committed(lambda: cases.reopen(name, request.reason))


@endpoint("wallet", takes=models.ManyResolutions, gives=BulkDone | BulkJob, **MANAGER)
def resolve_many(request: models.ManyResolutions) -> dict[str, Any]:
	"""Settle or dismiss many conflicts; more than 20 are a job. Each is settled by itself and has its own result."""
	rows, choice, reason = request.conflicts, request.resolution, request.reason
	if choice != models.DISMISS:
		return bulk.run("resolve", rows, {"resolution": choice, "reason": reason})
	if not reason:
		raise RequestError("reason_required")
	return bulk.run("dismiss_conflicts", rows, {"reason": reason})


@endpoint("wallet", takes=models.OfJob, gives=BulkProgress, methods=ASK, **MANAGER)
def job(request: models.OfJob) -> dict[str, Any]:
	"""The progress of a job that the caller started."""
	return bulk.progress(request.job)


@endpoint("wallet", takes=Nothing, gives=models.Todo, **READER)
def counts(request: Nothing) -> dict[str, Any]:
	"""How much there is to do for the caller: open conflicts and failed items."""
	todo: dict[str, dict[str, Any]] = {
		CONFLICT: {"status": OPEN},
		"Sync Item": {"failed": 1, "dismissed": 0},
	}
	opened, failed = (scope.count(doctype, filters) for doctype, filters in todo.items())
	return {"open": opened, "failed": failed}
