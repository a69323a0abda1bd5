"""Log rows as they would be had a household pushed over weeks, so that charts by day have something to show.

Only the log is concerned: batches, items, conflicts. Records keep the time at which the server really wrote them.
"""

from collections.abc import Sequence
from datetime import timedelta

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock


def spread(batches: Sequence[str], span: timedelta) -> None:
	"""Spread the creation of batches evenly over the span up to now, in the order in which they were pushed.

	The order is what pulls by time rely on, so this is for the batches of a space that has no others.
	"""
	now = clock.now()
	for place, batch in enumerate(batches, 1):
		moment = now - span * (1 - place / len(batches))
		sql.update_in("Sync Batch", {"creation": moment, "modified": moment}, [batch])
	for doctype in ("Sync Item", "Sync Conflict"):
		frappe.db.sql(
			f"""UPDATE {sql.quote("tab" + doctype)} r JOIN `tabSync Batch` b ON b.name = r.batch
			SET r.creation = b.creation, r.modified = b.creation WHERE b.name IN %s""",  # noqa: S608
			(tuple(batches),),
		)
	frappe.db.commit()
