"""Jobs over many units, such as spaces or documents: each on its own, so that a bad one stops nobody else's."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import frappe
from frappe.cache_manager import clear_defaults_cache
from rq.timeouts import BaseTimeoutException

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import clock, mishaps

MOST_NAMED = 20
KEY = "hisabi_sync_job:"
# Jobs that remember their failures, and what their units are.
JOBS = {
	"garbage": "space",
	"reconcile": "document",
	"expire": "streak",
	"verify": "wallet",
	"logs": "log",
	"media": "upload",
	"reclaim": "claim",
	"plan": "run",
	"dispatch": "connection",
	"finish": "connection",
}


def each(job: str, units: Iterable[Any], work: Callable[..., Any]) -> dict[Any, Any]:
	"""Do `work(unit)` for every unit, run again after a deadlock; {unit: what it gave} of those that went well.

	`work` commits. A unit that fails is rolled back, logged by its name once a day and remembered for Sync Health.
	"""
	done, failed = {}, {}
	for unit in units:
		try:
			done[unit] = retry.run(lambda unit=unit: work(unit))
		except Exception as error:
			failed[str(unit)] = caught(job, unit, error)
	remember(job, failed)
	return done


def caught(job: str, unit: object, error: BaseException) -> str:
	"""Roll a unit back and log it; the kind of its error. What says that nothing can go on now is raised again."""
	must_go_on(error)
	frappe.db.rollback()
	return mishaps.note(f"{job}: {JOBS[job]} {unit} failed", error)


def must_go_on(error: BaseException) -> None:
	"""Raise what concerns every unit: a server that is gone, or a worker whose time is up."""
	if retry.is_away(error) or isinstance(error, MemoryError | BaseTimeoutException):
		raise error


def remember(job: str, failed: Mapping[str, str]) -> None:
	"""Keep which units failed in a job's latest run: {unit: kind of error}."""
	if not failed and not _held(job):
		return
	named = dict(sorted(failed.items())[:MOST_NAMED])
	state = {"at": clock.dump(clock.now()), "failed": len(failed), "units": named} if failed else {}
	frappe.db.set_global(KEY + job, json.dumps(state))
	frappe.db.commit()


def forget() -> None:
	"""Remove what is remembered of all jobs, when the app leaves the site."""
	# Whatever their names: those of an older release are not in JOBS any more.
	frappe.db.delete("DefaultValue", {"defkey": ["like", f"{KEY}%"]})
	clear_defaults_cache()


def _held(job: str) -> dict[str, Any]:
	return json.loads(frappe.db.get_global(KEY + job) or "{}")


def failures() -> dict[str, dict[str, Any]]:
	"""{job: {"at", "failed": how many, "units": {unit: kind of error}}} of the jobs whose latest run had failures."""
	return {job: held for job in JOBS if (held := _held(job))}
