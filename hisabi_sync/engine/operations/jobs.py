"""Work that is put off to a worker; the one place that enqueues it."""

from contextlib import suppress

import frappe
from redis.exceptions import RedisError

from hisabi_sync.engine.model import mishaps
from hisabi_sync.engine.operations import headway


def note_problems() -> None:
	"""Have a worker tell in the Desk which entity types cannot be used; without Redis health tells alone."""
	with suppress(RedisError):
		frappe.enqueue(
			"hisabi_sync.engine.entities.entity_types.note_problems",
			queue="short",
			job_id="hisabi_sync_problems",
			deduplicate=True,
		)


def reconcile(entity_type: str) -> None:
	"""Have a worker bring one entity type's records in line with its documents after the commit.

	Without Redis that is left to the daily job: no document stays unsaved for it.
	"""
	try:
		frappe.enqueue(
			"hisabi_sync.engine.reconcile.run",
			queue="long",
			job_id=f"hisabi_sync_reconcile_{frappe.scrub(entity_type)}",
			deduplicate=True,
			enqueue_after_commit=True,
			entity_type=entity_type,
		)
		headway.wait(entity_type)
	except RedisError as error:
		mishaps.note("a job could not be enqueued", error)
