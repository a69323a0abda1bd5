"""Counts of what batches do not add up: outcomes by entity type, from the newest items."""

from collections.abc import Mapping
from typing import Any

import frappe

from hisabi_sync.desk.insight import scope

NEWEST = 20_000


def by_type(
	span: scope.Period, filters: Mapping[str, Any] | None = None, newest: int = NEWEST
) -> list[dict[str, Any]]:
	"""[{entity_type, items, conflicts}] of at most so many of the period's newest items, most conflicts first."""
	tail = "ORDER BY name DESC LIMIT %s"
	inner, values = scope.query("Sync Item", "entity_type, status", span, filters, tail=tail)
	found = frappe.db.sql(
		f"""SELECT entity_type, COUNT(*) AS items, SUM(status = 'conflict') AS conflicts
		FROM ({inner}) newest GROUP BY entity_type ORDER BY entity_type""",  # noqa: S608
		[*values, newest],
		as_dict=True,
	)
	return [{**row, "conflicts": int(row.conflicts or 0)} for row in found]
