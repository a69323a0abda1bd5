"""One action on many rows: at once when they are few, else as a job that tells how far it is. Each row has its result."""

import frappe

from hisabi_sync.engine import failed, ids, live, retry, settle
from hisabi_sync.engine.errors import RequestError

AT_ONCE = 20
MOST = 2000
EVENT = "hisabi_sync_bulk"
KEPT = 24 * 3600  # seconds for which the result of a job can be asked for


def _resolve(row, arguments):
	decision = settle.Decision(
		arguments["resolution"], reason=arguments.get("reason"), version=row.get("version")
	)
	return settle.resolve(row["id"], decision, announce=False)


def _dismiss_conflict(row, arguments):
	return settle.dismiss(row["id"], arguments.get("reason"), announce=False)


def _dismiss_item(row, arguments):
	return failed.dismiss(row["id"], arguments.get("reason"), announce=False)


def _one_by_one(function):
	"""An action on a chunk of rows from a function of one row; each row is a transaction of its own."""

	def act(rows, arguments):
		return [
			_result(row, lambda row=row: retry.run(lambda: _committed(function, row, arguments)))
			for row in rows
		]

	return act


def _committed(function, row, arguments):
	doctype, name = DOCTYPES[function], row["id"]
	if not frappe.db.exists(doctype, name) or not frappe.has_permission(doctype, "read", doc=name):
		raise RequestError("not_found")
	given = function(row, arguments)
	frappe.db.commit()
	return given


def _result(row, work):
	try:
		return {"id": row["id"], "done": True, **work()}
	except RequestError as error:
		frappe.db.rollback()
		return {"id": row["id"], "done": False, **failure(error)}


def failure(error):
	return {"error_code": error.code, "message": error.message, **error.extra}


def _retry(rows, arguments):
	return failed.process([row["id"] for row in rows])


DOCTYPES = {_resolve: "Sync Conflict", _dismiss_conflict: "Sync Conflict", _dismiss_item: "Sync Item"}
# Action -> (DocType whose lists change, function of rows and arguments that returns one result a row, rows a step)
ACTIONS = {
	"resolve": ("Sync Conflict", _one_by_one(_resolve), 5),
	"dismiss_conflicts": ("Sync Conflict", _one_by_one(_dismiss_conflict), 20),
	"dismiss_items": ("Sync Item", _one_by_one(_dismiss_item), 20),
	"retry": ("Sync Item", _retry, 50),
}


def run(action, rows, arguments=None):
	"""`{results, done, failed}` now, or `{job, total}` when a worker has to do it."""
	if len(rows) > MOST:
		raise RequestError("invalid_argument", limit=MOST)
	if len(rows) <= AT_ONCE:
		return _finished(_work(action, rows, arguments or {}))
	job = ids.new()
	_keep(job, {"user": frappe.session.user, "finished": False, "done": 0, "failed": 0, "total": len(rows)})
	frappe.enqueue(
		"hisabi_sync.engine.bulk.work",
		queue="long",
		at_front=True,  # a person is waiting
		job_id=f"hisabi_sync_bulk_{job}",
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
	held = {"user": user, "total": len(rows)}
	results = []
	for results in _steps(action, rows, arguments):
		_tell(job, {**held, **_counts(results), "finished": len(results) == len(rows)}, results)
	return _counts(results)


def _work(action, rows, arguments):
	steps = list(_steps(action, rows, arguments))
	return steps[-1] if steps else []


def _steps(action, rows, arguments):
	"""The results so far, step by step; the lists are told once at the end."""
	doctype, act, size = ACTIONS[action]
	results = []
	for start in range(0, len(rows), size):
		results += act(rows[start : start + size], arguments)
		yield results
	live.tell_lists(doctype)
	frappe.db.commit()


def _counts(results):
	done = sum(result["done"] for result in results)
	return {"done": done, "failed": len(results) - done}


def _finished(results):
	return {"results": results, **_counts(results)}


def _tell(job, progress, results):
	_keep(job, {**progress, "results": results})
	frappe.publish_realtime(EVENT, {"job": job, **progress}, user=progress["user"])


def _keep(job, value):
	frappe.cache.set_value(f"hisabi_sync_bulk:{job}", value, expires_in_sec=KEPT)


def progress(job):
	"""How far a job of the user is, with the results so far. Raises not_found."""
	held = frappe.cache.get_value(f"hisabi_sync_bulk:{job}", expires=True)
	if not held or held["user"] != frappe.session.user:
		raise RequestError("not_found")
	return {"job": job, "results": [], **held}
