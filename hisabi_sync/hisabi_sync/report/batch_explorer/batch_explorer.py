"""The newest batches that fit the filters, with their counts and times."""

from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint

from hisabi_sync.desk.insight import columns, counts, scope
from hisabi_sync.desk.insight.columns import column, counters, link, summary

COLUMNS = (
	"name creation space device user contract items accepted duplicates conflicts errors duration_ms "
	"clock_skew_ms first_sequence last_sequence atomic"
).split()
LIMIT, MAX_LIMIT = 200, 1000
OUTCOMES = {"Conflicts": "conflicts > 0", "Errors": "errors > 0", "Duplicates": "duplicates > 0"}


def execute(filters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
	"""(columns, rows, message, None, figures) of the newest batches that fit the filters, one row each."""
	filters = filters or {}
	limit = min(max(cint(filters.get("limit")) or LIMIT, 1), MAX_LIMIT)
	rows = _rows(filters, limit)
	message = _("The newest {0} batches are shown; narrow the filters to see others").format(limit)
	return _columns(), rows[:limit], message if len(rows) > limit else None, None, _summary(rows[:limit])


def _rows(filters: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
	"""One more than the limit, if there are."""
	where = [OUTCOMES[filters["outcome"]]] if filters.get("outcome") in OUTCOMES else []
	if cint(filters.get("slower_than")):
		where.append(f"duration_ms > {cint(filters['slower_than'])}")
	if cint(filters.get("min_items")):
		where.append(f"items >= {cint(filters['min_items'])}")
	chosen = scope.chosen(filters, *counts.FILTERS)
	tail = f"ORDER BY creation DESC, name DESC LIMIT {limit + 1}"
	found = scope.rows(
		"Sync Batch", ", ".join(COLUMNS), scope.period(filters), chosen, " AND ".join(where), tail
	)
	return columns.add_titles([_row(row) for row in found], space="Sync Space", device="Sync Device")


def _row(row: frappe._dict) -> dict[str, Any]:
	numbered = f"{row.first_sequence}–{row.last_sequence}" if row.first_sequence else ""
	return {**row, "batch": row.name, "sequences": numbered}


def _columns() -> list[dict[str, Any]]:
	return [
		column("creation", _("Arrived"), "Datetime", 170),
		link("batch", _("Batch"), "Sync Batch", 100),
		link("space", _("Space"), "Sync Space", 150),
		link("device", _("Device"), "Sync Device", 170),
		link("user", _("User"), "User", 180),
		column("contract", _("Contract"), width=90),
		*counters(),
		column("duration_ms", _("Duration, ms"), "Int", 110),
		column("clock_skew_ms", _("Clock off by, ms"), "Int", 130),
		column("sequences", _("Sequence"), width=110),
		column("atomic", _("Atomic"), "Check", 80),
	]


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	times = counts.percentiles([(row["duration_ms"] or 0, 1) for row in rows])
	return [
		summary(len(rows), _("Batches")),
		summary(sum(row["items"] for row in rows), _("Items")),
		summary(times["p50"], _("Median, ms")),
		summary(times["p95"], _("95 %, ms")),
	]
