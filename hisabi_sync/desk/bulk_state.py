"""How far a job on many rows is: counts in one place, results in a list that only grows, both for a day in Redis."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import frappe
from frappe.utils.background_jobs import get_job

from hisabi_sync.engine.model.errors import RequestError

KEPT = 24 * 3600  # seconds for which the result of a job can be asked for
WAITING = {"queued", "deferred", "scheduled"}
SILENCE = timedelta(minutes=3)  # a worker gives a sign of life every 30 seconds


def queue_id(job: str) -> str:
	return f"hisabi_sync_bulk_{job}"


def _key(job: str, part: str = "state") -> str:
	return f"hisabi_sync_bulk:{part}:{job}"


def begin(job: str, user: str, total: int) -> None:
	_keep(job, {"user": user, "finished": False, "done": 0, "failed": 0, "total": total})


def _keep(job: str, state: Mapping[str, Any]) -> None:
	frappe.cache.set_value(_key(job), state, expires_in_sec=KEPT)


def _held(job: str) -> dict[str, Any] | None:
	return frappe.cache.get_value(_key(job), expires=True)


def add(job: str, results: Sequence[Mapping[str, Any]], counts: Mapping[str, int]) -> dict[str, Any]:
	"""Note the results of a step; returns the state. Only the step's own rows are written, however many there were."""
	state = _held(job) or {}
	state = {**state, **{name: state.get(name, 0) + count for name, count in counts.items()}}
	state["finished"] = state["done"] + state["failed"] >= state.get("total", 0)
	frappe.cache.rpush(_key(job, "results"), json.dumps(results, default=str))
	frappe.cache.expire(frappe.cache.make_key(_key(job, "results")), KEPT)
	_keep(job, state)
	return state


def of(job: str, user: str) -> dict[str, Any]:
	"""The state as its user may see it, with results when there will be no more. Raises not_found."""
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
