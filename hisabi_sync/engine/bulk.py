"""One action on many rows: at once when they are few, else as a job that tells how far it is. Each row has its result."""

from collections.abc import Callable
from dataclasses import dataclass

import frappe

from hisabi_sync.engine import bulk_state, failed, ids, live, retry, settle, visible
from hisabi_sync.engine.errors import RequestError

AT_ONCE = 20
MOST = 2000
EVENT = "hisabi_sync_bulk"


@dataclass(frozen=True)
class Action:
	"""What is done with rows `{id, ...}` of a DocType, `step` at a time."""

	doctype: str
	act: Callable  # (rows, arguments) -> [{id, done, ...}]
	step: int


def one_by_one(function):
	"""An action from `function(row, arguments) -> dict`; each row is a transaction of its own."""

	def act(rows, arguments):
		return [
			_result(row, lambda row=row: retry.run(lambda: _committed(function, row, arguments)))
			for row in rows
		]

	return act


def _committed(function, row, arguments):
	given = function(row, arguments)
	frappe.db.commit()
	return given


def _result(row, work):
	try:
		return {"id": row["id"], "done": True, **work()}
	except Exception as error:
		frappe.db.rollback()
		return {"id": row["id"], "done": False, **failure(error)}


def failure(error):
	"""What a row's result says of an exception; one that nobody expected stops no other row either."""
	if isinstance(error, RequestError):
		return {"error_code": error.code, "message": error.message, **error.extra}
	if isinstance(error, frappe.PermissionError):
		return failure(RequestError("permission_denied"))
	if isinstance(error, frappe.ValidationError):
		frappe.clear_messages()
		return {"error_code": "resolution_refused", "message": frappe.utils.strip_html(str(error))}
	frappe.log_error("Hisabi Sync: a row of a job failed", frappe.get_traceback())
	return failure(RequestError("internal_error"))


def refused(name, code):
	return {"id": name, "done": False, **failure(RequestError(code))}


def _resolve(row, arguments):
	decision = settle.Decision(
		arguments["resolution"], reason=arguments.get("reason"), version=row.get("version")
	)
	return settle.resolve(row["id"], decision, announce=False)


def _dismiss_conflict(row, arguments):
	return settle.dismiss(row["id"], arguments.get("reason"), announce=False)


def _dismiss_item(row, arguments):
	return failed.dismiss(row["id"], arguments.get("reason"), announce=False)


def _retry(rows, arguments):
	return failed.process([row["id"] for row in rows])


ACTIONS = {
	"resolve": Action("Sync Conflict", one_by_one(_resolve), 5),
	"dismiss_conflicts": Action("Sync Conflict", one_by_one(_dismiss_conflict), 20),
	"dismiss_items": Action("Sync Item", one_by_one(_dismiss_item), 20),
	"retry": Action("Sync Item", _retry, 50),
}


def action_of(name):
	"""One of ours, or one that a module of documents registers under the hook `sync_bulk_actions`."""
	paths = frappe.get_hooks("sync_bulk_actions", default={}).get(name)
	return frappe.get_attr(paths[-1]) if paths else ACTIONS[name]


def run(action, rows, arguments=None):
	"""`{results, done, failed}` now, or `{job, total}` when a worker has to do it."""
	if len(rows) > MOST:
		raise RequestError("invalid_argument", limit=MOST)
	if len(rows) <= AT_ONCE:
		results = [result for part in _steps(action, rows, arguments or {}) for result in part]
		return {"results": results, **_counts(results)}
	job = ids.new()
	bulk_state.begin(job, frappe.session.user, len(rows))
	frappe.enqueue(
		"hisabi_sync.engine.bulk.work",
		queue="long",
		at_front=True,  # a person is waiting
		job_id=bulk_state.queue_id(job),
		job=job,
		user=frappe.session.user,
		action=action,
		rows=rows,
		arguments=arguments or {},
	)
	return {"job": job, "total": len(rows)}


def work(job, user, action, rows, arguments):
	"""The job. A job that Frappe runs again would be Administrator's, so that it takes its user along."""
	frappe.set_user(user)
	for part in _steps(action, rows, arguments):
		state = bulk_state.add(job, part, _counts(part))
		frappe.publish_realtime(EVENT, {"job": job, **state}, user=user)


def _steps(name, rows, arguments):
	"""The results, step by step; the lists are told once at the end."""
	action = action_of(name)
	for start in range(0, len(rows), action.step):
		yield _step(action, rows[start : start + action.step], arguments)
	live.tell_lists(action.doctype)
	frappe.db.commit()


def _step(action, rows, arguments):
	"""Rows that the user may not see are answered like rows that are not there."""
	seen = visible.of(action.doctype, [row["id"] for row in rows])
	acted = action.act([row for row in rows if row["id"] in seen], arguments)
	results = {result["id"]: result for result in acted}
	return [results.get(row["id"]) or refused(row["id"], "not_found") for row in rows]


def _counts(results):
	done = sum(result["done"] for result in results)
	return {"done": done, "failed": len(results) - done}


def progress(job):
	"""How far a job of the user is; its results when it is finished. Raises not_found.

	`interrupted` says that it ended before it reached every row, as when its worker was killed.
	"""
	return {"job": job, **bulk_state.of(job, frappe.session.user)}
