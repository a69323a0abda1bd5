"""The conflict centre. Sync Managers settle, Sync Auditors read; User Permissions on Sync Space limit both."""

from hisabi_sync.api import desk
from hisabi_sync.api.http import endpoint
from hisabi_sync.api.models import conflicts as models
from hisabi_sync.api.models.desk import BulkDone, BulkJob, BulkProgress
from hisabi_sync.api.models.meta import Nothing
from hisabi_sync.engine import bulk, clock, conflict_view, settle
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.settlement import MERGE
from hisabi_sync.insight import scope

CONFLICT = "Sync Conflict"
ASK = ("GET", "POST")
READER = {"needs": desk.require_reader, "methods": ASK}
MANAGER = {"needs": desk.require_manager}


@endpoint("wallet", takes=models.ConflictList, gives=models.ListedConflicts, **READER)
def list_conflicts(given):
	"""The conflicts that the caller may see, newest first."""
	filters = desk.filters(given, models.ConflictFilters)
	rows, after = desk.page(CONFLICT, filters, conflict_view.SUMMARY, given)
	return {
		"conflicts": [conflict_view.summary(row) for row in rows],
		"next": after,
		"has_more": after is not None,
		"server_time": clock.dump(clock.now()),
	}


@endpoint("wallet", takes=models.OfConflict, gives=models.WholeConflict, **READER)
def read(given):
	"""A conflict with base, server and client values of the wire, and the record as it is now."""
	name = desk.visible(CONFLICT, given, "conflict_id")
	return _unlocked(lambda: conflict_view.whole(name))


@endpoint("wallet", takes=models.OfConflict, gives=models.ConflictForm, **READER)
def form(given):
	"""What the Desk shows of a conflict: labels, types, titles of links, document values. May the caller settle?"""
	name = desk.visible(CONFLICT, given, "conflict_id")
	return {**_unlocked(lambda: conflict_view.form(name)), "may_settle": desk.permissions.settles()}


def _unlocked(work):
	"""Reading goes the way of settling, locks included, and lets go of them at once."""
	return desk.transaction(work, dry_run=True)


@endpoint("wallet", takes=models.Resolution, gives=models.Settled, **MANAGER)
def resolve(given):
	"""Decide a conflict: what became of it, and the record's new state.

	In a manual merge, fields in neither `keep` nor `values` stay as they are. 409 already_settled with the earlier `conflict`; 409 record_changed with the record's new state, to be
	confirmed by its `version`.
	"""
	name, decision = desk.visible(CONFLICT, given, "conflict_id"), _decision(given)
	return desk.transaction(lambda: settle.resolve(name, decision), given.dry_run)


def _decision(given):
	choice, keep, values = given.resolution, given.keep, given.values
	if choice != MERGE and (keep or values):
		raise RequestError("invalid_argument", argument="keep" if keep else "values")
	if not all(isinstance(side, str) and side in settle.SIDES for side in keep.values()):
		raise RequestError("invalid_argument", argument="keep")
	return settle.Decision(choice, keep, values, given.reason, given.version)


@endpoint("wallet", takes=models.Dismissal, gives=models.Settled, **MANAGER)
def dismiss(given):
	"""Close a conflict for a reason; the record stays as it is."""
	name = desk.visible(CONFLICT, given, "conflict_id")
	return desk.transaction(lambda: settle.dismiss(name, given.reason))


@endpoint("wallet", takes=models.Reopening, gives=models.Settled, **MANAGER)
def reopen(given):
	"""Ask once more; what was decided before stays in the history."""
	name = desk.visible(CONFLICT, given, "conflict_id")
	return desk.transaction(lambda: settle.reopen(name, given.reason))


@endpoint("wallet", takes=models.ManyResolutions, gives=BulkDone | BulkJob, **MANAGER)
def resolve_many(given):
	"""Settle or dismiss many conflicts; more than 20 are a job. Each is settled by itself and has its own result."""
	rows, choice, reason = given.conflicts, given.resolution, given.reason
	if choice != models.DISMISS:
		return bulk.run("resolve", rows, {"resolution": choice, "reason": reason})
	if not reason:
		raise RequestError("reason_required")
	return bulk.run("dismiss_conflicts", rows, {"reason": reason})


@endpoint("wallet", takes=models.OfJob, gives=BulkProgress, methods=ASK, **MANAGER)
def job(given):
	"""How far a call of the caller's is that was too long to wait for."""
	return bulk.progress(given.job)


@endpoint("wallet", takes=Nothing, gives=models.Todo, **READER)
def counts(given):
	"""How much there is to do for the caller: open conflicts and failed items."""
	todo = {CONFLICT: {"status": settle.OPEN}, "Sync Item": {"status": "error", "dismissed": 0}}
	opened, failed = (scope.count(doctype, filters) for doctype, filters in todo.items())
	return {"open": opened, "failed": failed}
