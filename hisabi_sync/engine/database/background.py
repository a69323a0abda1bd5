"""Background jobs: enqueueing them, showing how far one has come, and keeping the failures of their units.

A unit, such as a space or a document, is processed on its own, so that one that fails does not stop the others.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import frappe
from frappe.cache_manager import clear_defaults_cache
from redis.exceptions import RedisError
from rq.timeouts import BaseTimeoutException

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import clock, errors

PROGRESS_KEPT = 24 * 3600  # seconds after the last step, for one that was killed
PROGRESS_EVENT = "hisabi_sync_headway"
MOST_NAMED = 20
FAILURES_KEY = "hisabi_sync_job:"


def enqueue_note_problems() -> None:
	"""Have a worker show in the Desk which entity types cannot be used. Without Redis, only the health report shows it."""
	with suppress(RedisError):
		frappe.enqueue(
			"hisabi_sync.engine.entities.entity_types.note_problems",
			queue="short",
			job_id="hisabi_sync_problems",
			deduplicate=True,
		)


def enqueue_reconcile(entity_type: str) -> None:
	"""After the commit, have a worker reconcile the records of an entity type with its documents.

	Without Redis this is left to the daily job, so that documents can still be saved.
	"""
	if enqueue_once("hisabi_sync.engine.reconcile.run", "reconcile", entity_type=entity_type):
		await_progress(entity_type)


def enqueue_waiting(entity_type: str) -> None:
	"""After the commit, have a worker do what waits for an entity type. Without Redis this is left to the scheduler."""
	enqueue_once("hisabi_sync.engine.waiting.work", "waiting", entity_type=entity_type)


def enqueue_once(method: str, kind: str, **of: str) -> bool:
	"""After the commit, have a worker call a method with the argument `of`, once at a time for each kind and argument.

	Returns False without Redis.
	"""
	try:
		frappe.enqueue(
			method,
			queue="long",
			job_id="_".join(("hisabi_sync", kind, *map(frappe.scrub, of.values()))),
			deduplicate=True,
			enqueue_after_commit=True,
			**of,
		)
	except RedisError as error:
		errors.log_once("a job could not be enqueued", error)
		return False
	return True


# --- how far the comparison of an entity type is, for its form; in Redis while it goes on


def await_progress(entity_type: str) -> None:
	"""Show in the form, after the commit, that a worker is going to begin."""
	frappe.db.after_commit.add(
		lambda: _save_progress(entity_type, {"compared": 0, "documents": 0, "waiting": True})
	)


def begin_progress(entity_type: str, documents: int) -> None:
	"""Show in the form that a worker compares an entity type, with so many documents."""
	_save_progress(entity_type, {"compared": 0, "documents": documents, "waiting": False})


def add_progress(entity_type: str, number: int) -> None:
	"""Show that `number` more documents were compared."""
	progress = progress_of(entity_type)
	if progress:
		_save_progress(entity_type, {**progress, "compared": progress["compared"] + number})


def end_progress(entity_type: str) -> None:
	"""Show in the form that the comparison is over."""
	frappe.cache.delete_value(_progress_key(entity_type))
	_publish_progress(entity_type, None)


def progress_of(entity_type: str) -> dict[str, Any] | None:
	"""`{compared, documents, waiting}`; None if no comparison is going on."""
	return frappe.cache.get_value(_progress_key(entity_type), expires=True)


def _save_progress(entity_type: str, state: dict[str, Any]) -> None:
	frappe.cache.set_value(_progress_key(entity_type), state, expires_in_sec=PROGRESS_KEPT)
	_publish_progress(entity_type, state)


def _publish_progress(entity_type: str, state: dict[str, Any] | None) -> None:
	message = {"entity_type": entity_type, "headway": state}
	frappe.publish_realtime(PROGRESS_EVENT, message, doctype="Sync Entity", docname=entity_type)


def _progress_key(entity_type: str) -> str:
	return f"hisabi_sync_headway:{entity_type}"


# --- units, and the failures of a job's latest run


def each(job: str, kind: str, units: Iterable[Any], work: Callable[..., Any]) -> dict[Any, Any]:
	"""Do `work(unit)` for every unit, and again after a deadlock; {unit: what `work` returned} of those that succeeded.

	`work` commits. A unit that fails is rolled back, logged once a day as a `kind` of its name, and kept for Sync Health.
	"""
	done, failed = {}, {}
	for unit in units:
		try:
			done[unit] = retry.run(partial(work, unit))
		except Exception as error:
			failed[str(unit)] = caught(job, kind, unit, error)
	remember_failures(job, failed)
	return done


def caught(job: str, kind: str, unit: object, error: BaseException) -> str:
	"""Roll back what a unit did and log its error; returns the kind of the error. One that concerns all units is raised again."""
	must_go_on(error)
	frappe.db.rollback()
	return errors.log_once(f"{job}: {kind} {unit} failed", error)


def must_go_on(error: BaseException) -> None:
	"""Raise an error that concerns all units: a server is away, or the time of the worker is up."""
	if retry.is_away(error) or isinstance(error, MemoryError | BaseTimeoutException):
		raise error


def remember_failures(job: str, failed: Mapping[str, str]) -> None:
	"""Keep which units failed in a job's latest run: {unit: kind of error}."""
	if not failed and not _failures_of(job):
		return
	named = dict(sorted(failed.items())[:MOST_NAMED])
	state = {"at": clock.dump(clock.now()), "failed": len(failed), "units": named} if failed else {}
	frappe.db.set_global(FAILURES_KEY + job, json.dumps(state))
	frappe.db.commit()


def forget_failures() -> None:
	"""Remove the failures of all jobs, when the app is uninstalled."""
	frappe.db.delete("DefaultValue", {"defkey": ["like", f"{FAILURES_KEY}%"]})
	clear_defaults_cache()


def _failures_of(job: str) -> dict[str, Any]:
	return json.loads(frappe.db.get_global(FAILURES_KEY + job) or "{}")


def failures() -> dict[str, dict[str, Any]]:
	"""{job: {"at", "failed": how many, "units": {unit: kind of error}}} of the jobs whose latest run had failures."""
	rows = frappe.get_all(
		"DefaultValue", {"defkey": ["like", f"{FAILURES_KEY}%"]}, ["defkey", "defvalue"], order_by="defkey"
	)
	kept = {row.defkey.removeprefix(FAILURES_KEY): json.loads(row.defvalue or "{}") for row in rows}
	return {job: failed for job, failed in kept.items() if failed}
