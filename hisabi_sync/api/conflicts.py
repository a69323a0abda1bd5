"""The conflict centre. Sync Managers settle, Sync Auditors read; User Permissions on Sync Space limit both."""

from hisabi_sync.api import arguments as args
from hisabi_sync.api import desk
from hisabi_sync.api.http import endpoint
from hisabi_sync.engine import bulk, clock, conflict_view, settle
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.settlement import CHOICES, MERGE
from hisabi_sync.insight import scope

CONFLICT = "Sync Conflict"
FILTERS = "status kind entity_type record client_id space device user resolution resolved_by".split()


@endpoint("wallet", methods=("GET", "POST"))
def list_conflicts(given):
	"""Filters (each a value or a list), `since`, `until`, `limit`, `after` -> `{conflicts, next, has_more, server_time}`."""
	desk.require_reader()
	rows, after = desk.page(CONFLICT, desk.filters(given, FILTERS), conflict_view.SUMMARY, given)
	return {
		"conflicts": [conflict_view.summary(row) for row in rows],
		"next": after,
		"has_more": after is not None,
		"server_time": clock.dump(clock.now()),
	}


@endpoint("wallet", methods=("GET", "POST"))
def read(given):
	"""`{conflict_id}` -> the conflict with base, server and client values of the wire and the record as it is now."""
	desk.require_reader()
	name = desk.visible(CONFLICT, given, "conflict_id")
	return _unlocked(lambda: conflict_view.whole(name))


@endpoint("wallet", methods=("GET", "POST"))
def form(given):
	"""`{conflict_id}` -> what the Desk shows: labels, types, titles of links, document values. May the caller settle?"""
	desk.require_reader()
	name = desk.visible(CONFLICT, given, "conflict_id")
	return {**_unlocked(lambda: conflict_view.form(name)), "may_settle": desk.permissions.settles()}


def _unlocked(work):
	"""Reading goes the way of settling, locks included, and lets go of them at once."""
	return desk.transaction(work, dry_run=True)


@endpoint("wallet")
def resolve(given):
	"""`{conflict_id, resolution, keep?, values?, reason?, version?, dry_run?}` -> outcome and the record's new state.

	A manual merge takes `keep`, `{field: base, server or client}`, and `values`, `{field: value}`; fields in neither stay
	as they are. 409 already_settled with the earlier `conflict`; 409 record_changed with the record's new state, to be
	confirmed by its `version`.
	"""
	desk.require_manager()
	name, decision = desk.visible(CONFLICT, given, "conflict_id"), _decision(given)
	return desk.transaction(lambda: settle.resolve(name, decision), args.flag(given, "dry_run"))


def _decision(given):
	choice = args.text(given, "resolution")
	if choice not in CHOICES:
		raise RequestError("invalid_argument", argument="resolution")
	keep, values = desk.mapping(given, "keep"), desk.mapping(given, "values")
	if choice != MERGE and (keep or values):
		raise RequestError("invalid_argument", argument="keep" if keep else "values")
	if not all(isinstance(side, str) and side in settle.SIDES for side in keep.values()):
		raise RequestError("invalid_argument", argument="keep")
	version = args.whole_number(given, "version", None, 0, 2**53)
	return settle.Decision(choice, keep, values, desk.reason(given), version)


@endpoint("wallet")
def dismiss(given):
	"""`{conflict_id, reason}` -> outcome; the record stays as it is."""
	desk.require_manager()
	name, reason = desk.visible(CONFLICT, given, "conflict_id"), desk.reason(given)
	return desk.transaction(lambda: settle.dismiss(name, reason))


@endpoint("wallet")
def reopen(given):
	"""`{conflict_id, reason?}` -> outcome; what was decided before stays in the history."""
	desk.require_manager()
	name, reason = desk.visible(CONFLICT, given, "conflict_id"), desk.reason(given)
	return desk.transaction(lambda: settle.reopen(name, reason))


@endpoint("wallet")
def resolve_many(given):
	"""`{conflicts: [id or {conflict_id, version}], resolution, reason?}` -> `{results, done, failed}`, or `{job, total}`.

	`resolution` is accept_server, accept_client or dismiss. Each row is settled by itself and has its own result.
	"""
	desk.require_manager()
	rows, choice = desk.rows(given, "conflicts", "conflict_id"), args.text(given, "resolution")
	reason = desk.reason(given)
	if choice == "dismiss":
		if not reason:
			raise RequestError("reason_required")
		return bulk.run("dismiss_conflicts", rows, {"reason": reason})
	if choice not in CHOICES or choice == MERGE:
		raise RequestError("invalid_argument", argument="resolution")
	return bulk.run("resolve", rows, {"resolution": choice, "reason": reason})


@endpoint("wallet", methods=("GET", "POST"))
def job(given):
	"""`{job}` -> `{finished, total, done, failed, results}` of a call of the caller's that was too long to wait for."""
	desk.require_manager()
	return bulk.progress(args.text(given, "job"))


@endpoint("wallet", methods=("GET", "POST"))
def counts(given):
	"""`{open, failed}`: how much there is to do for the caller."""
	desk.require_reader()
	todo = {CONFLICT: {"status": settle.OPEN}, "Sync Item": {"status": "error", "dismissed": 0}}
	opened, failed = (scope.count(doctype, filters) for doctype, filters in todo.items())
	return {"open": opened, "failed": failed}
