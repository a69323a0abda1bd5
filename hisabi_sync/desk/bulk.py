"""One action on many rows: at once when they are few, else as a job that tells how far it is. Each row has its result."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import frappe
from frappe.utils.background_jobs import get_job
from rq.timeouts import BaseTimeoutException

from hisabi_sync.engine import document
from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.model import errors, ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import cases
from hisabi_sync.engine.sharing import rights
from hisabi_sync.engine.store import side_effects

AT_ONCE = 20
MOST = 2000
EVENT = "hisabi_sync_bulk"
KEPT = 24 * 3600  # seconds for which the result of a job can be asked for
WAITING = {"queued", "deferred", "scheduled"}
SILENCE = timedelta(minutes=3)  # a worker gives a sign of life every 30 seconds


@dataclass(frozen=True)
class Action:
	"""What is done with rows `{id, ...}` of a DocType, `step` at a time."""

	doctype: str
	act: Callable[..., list[dict[str, Any]]]  # (rows, arguments) -> [{id, done, ...}]
	step: int


def one_by_one(function: Callable[..., dict[str, Any]]) -> Callable[..., list[dict[str, Any]]]:
	"""An action from `function(row, arguments) -> dict`; each row is a transaction of its own."""

	def act(rows: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
		return [
			_result(row, lambda row=row: retry.committed(lambda: function(row, arguments))) for row in rows
		]

	return act


def _result(row: Mapping[str, Any], work: Callable[..., dict[str, Any]]) -> dict[str, Any]:
	try:
		return {"id": row["id"], "done": True, **work()}
	except BaseTimeoutException:
		raise  # the worker's time is up, whatever it was about to do
	except Exception as error:
		frappe.db.rollback()
		return {"id": row["id"], "done": False, **failure(error)}


def failure(error: Exception) -> dict[str, Any]:
	"""What a row's result says of an exception; one that nobody expected stops no other row either."""
	if isinstance(error, RequestError):
		return {"error_code": error.code, "message": error.message, **error.extra}
	if isinstance(error, frappe.PermissionError):
		return failure(RequestError("permission_denied"))
	if document.code_of(error):
		frappe.clear_messages()
		return {"error_code": "resolution_refused", "message": document.said(error)}
	errors.log_once("a row of a job failed", error)
	return failure(RequestError("internal_error"))


def refused(name: str, code: str) -> dict[str, Any]:
	"""The result of one row that was refused: `{id, done: False}` with the code and its sentence."""
	return {"id": name, "done": False, **failure(RequestError(code))}


def _resolve(row: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
	resolution = cases.Resolution(
		arguments["resolution"], reason=arguments.get("reason"), version=row.get("version")
	)
	return cases.resolve(row["id"], resolution, announce=False)


def _dismiss_conflict(row: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
	return cases.dismiss(row["id"], arguments.get("reason"), announce=False)


def _dismiss_item(row: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
	return failed.dismiss(row["id"], arguments.get("reason"), announce=False)


def _retry(rows: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
	return failed.process([row["id"] for row in rows])


ACTIONS = {
	"resolve": Action("Sync Conflict", one_by_one(_resolve), 5),
	"dismiss_conflicts": Action("Sync Conflict", one_by_one(_dismiss_conflict), 20),
	"dismiss_items": Action("Sync Item", one_by_one(_dismiss_item), 20),
	"retry": Action("Sync Item", _retry, 50),
}


def action_of(name: str) -> Action:
	"""One of ours, or one that a contract brings."""
	return contracts.bulk_action(name) or ACTIONS[name]


def run(
	action: str, rows: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any] | None = None
) -> dict[str, Any]:
	"""`{results, done, failed}` now, or `{job, total}` when a worker has to do it."""
	if len(rows) > MOST:
		raise RequestError("invalid_argument", limit=MOST)
	if len(rows) <= AT_ONCE:
		results = [result for part in _steps(action, rows, arguments or {}) for result in part]
		return {"results": results, **_counts(results)}
	job = ids.new()
	begin_state(job, frappe.session.user, len(rows))
	frappe.enqueue(
		"hisabi_sync.desk.bulk.work",
		queue="long",
		at_front=True,  # a person is waiting
		job_id=queue_id(job),
		job=job,
		user=frappe.session.user,
		action=action,
		rows=rows,
		arguments=arguments or {},
	)
	return {"job": job, "total": len(rows)}


def work(
	job: str, user: str, action: str, rows: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any]
) -> None:
	"""The job. A job that Frappe runs again would be Administrator's, so that it takes its user along."""
	frappe.set_user(user)
	for part in _steps(action, rows, arguments):
		state = add_results(job, part, _counts(part))
		frappe.publish_realtime(EVENT, {"job": job, **state}, user=user)


def _steps(
	name: str, rows: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any]
) -> Iterator[list[dict[str, Any]]]:
	"""The results, step by step; open lists are refreshed once, at the end."""
	action = action_of(name)
	for start in range(0, len(rows), action.step):
		yield _step(action, rows[start : start + action.step], arguments)
	side_effects.refresh_lists(action.doctype)
	frappe.db.commit()


def _step(
	action: Action, rows: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any]
) -> list[dict[str, Any]]:
	"""Rows that the user may not see are answered like rows that are not there."""
	seen = rights.readable_rows(action.doctype, [row["id"] for row in rows])
	acted = action.act([row for row in rows if row["id"] in seen], arguments)
	results = {result["id"]: result for result in acted}
	return [results.get(row["id"]) or refused(row["id"], "not_found") for row in rows]


def _counts(results: Collection[Mapping[str, Any]]) -> dict[str, int]:
	done = sum(result["done"] for result in results)
	return {"done": done, "failed": len(results) - done}


def progress(job: str) -> dict[str, Any]:
	"""How far a job of the user is; its results when it is finished. Raises not_found.

	`interrupted` says that it ended before it reached every row, as when its worker was killed.
	"""
	return {"job": job, **state_of(job, frappe.session.user)}


def queue_id(job: str) -> str:
	"""Id of the background job in Redis' queue."""
	return f"hisabi_sync_bulk_{job}"


def _key(job: str, part: str = "state") -> str:
	return f"hisabi_sync_bulk:{part}:{job}"


def begin_state(job: str, user: str, total: int) -> None:
	"""Note that a job has begun for a user, so that they can ask how far it is."""
	_keep(job, {"user": user, "finished": False, "done": 0, "failed": 0, "total": total})


def _keep(job: str, state: Mapping[str, Any]) -> None:
	frappe.cache.set_value(_key(job), state, expires_in_sec=KEPT)


def _held(job: str) -> dict[str, Any] | None:
	return frappe.cache.get_value(_key(job), expires=True)


def add_results(job: str, results: Sequence[Mapping[str, Any]], counts: Mapping[str, int]) -> dict[str, Any]:
	"""Note the results of a step; returns the state. Only the step's own rows are written, however many there were."""
	state = _held(job) or {}
	state = {**state, **{name: state.get(name, 0) + count for name, count in counts.items()}}
	state["finished"] = state["done"] + state["failed"] >= state.get("total", 0)
	frappe.cache.rpush(_key(job, "results"), json.dumps(results, default=str))
	frappe.cache.expire(frappe.cache.make_key(_key(job, "results")), KEPT)
	_keep(job, state)
	return state


def state_of(job: str, user: str) -> dict[str, Any]:
	"""The state as its user may see it, with results once the job has ended. Raises not_found."""
	state = _held(job)
	if not state or state["user"] != user:
		raise RequestError("not_found")
	if not state["finished"] and _has_ended(job):
		state = _held(job) or state  # it may have finished in between
		state = {**state, "interrupted": not state["finished"], "finished": True}
	return {**state, "results": _results(job) if state["finished"] else []}


def _results(job: str) -> list[dict[str, Any]]:
	parts = frappe.cache.lrange(_key(job, "results"), 0, -1)
	return [result for part in parts for result in json.loads(part)]


def _has_ended(job: str) -> bool:
	"""Whether nobody is going to work on it any more: it failed, is gone, or its worker has fallen silent."""
	queued = get_job(queue_id(job))
	status = queued and queued.get_status()
	if status == "started" and queued.last_heartbeat:
		return (
			datetime.now(timezone.utc).replace(tzinfo=None) - queued.last_heartbeat.replace(tzinfo=None)
			> SILENCE
		)
	return status not in WAITING
