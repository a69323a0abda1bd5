"""Work that is put off to a worker; the one place that enqueues it."""

import frappe


def reconcile(entity_type):
	"""Have a worker bring one entity type's records in line with its documents after the commit."""
	frappe.enqueue(
		"hisabi_sync.engine.reconcile.run",
		queue="long",
		job_id=f"hisabi_sync_reconcile_{frappe.scrub(entity_type)}",
		deduplicate=True,
		enqueue_after_commit=True,
		entity_type=entity_type,
	)
