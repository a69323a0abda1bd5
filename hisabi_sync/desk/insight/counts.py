"""Counts for reports: sums over Sync Batch, whose rows hold the counts of their items, and outcomes by entity type."""

from collections.abc import Iterable, Mapping
from typing import Any

import frappe

from hisabi_sync.desk.insight import scope

COUNTERS = "items accepted duplicates conflicts errors".split()
SUMS = "COUNT(*) AS batches, " + ", ".join(f"SUM({name}) AS {name}" for name in COUNTERS)
DAY, DEVICE = "DATE(creation)", "device"
FILTERS = "space device user contract".split()
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
# Exact below a second, to a tenth of a second above, so that a day has few different durations.
DURATION = "IF(duration_ms < 1000, duration_ms, ROUND(duration_ms, -2))"
SIZES = ((1, "1"), (5, "2–5"), (10, "6–10"), (25, "11–25"), (50, "26–50"), (100, "51–100"))
BIGGER = "> 100"
NEWEST = 20_000


def totals(
	span: scope.Period, key: str, filters: Mapping[str, Any] | None = None
) -> dict[Any, dict[str, int]]:
	"""{key: {batches, items, accepted, duplicates, conflicts, errors}} for a key such as DAY."""
	columns = f"{key} AS grouped, {SUMS}"
	found = scope.rows("Sync Batch", columns, span, filters, tail="GROUP BY grouped")
	return {row.grouped: {name: int(row[name] or 0) for name in ("batches", *COUNTERS)} for row in found}


def total(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
	"""One sum of many."""
	parts = list(parts)
	return {name: sum(part[name] for part in parts) for name in ("batches", *COUNTERS)}


def durations(
	span: scope.Period, key: str, filters: Mapping[str, Any] | None = None
) -> dict[Any, dict[str, int]]:
	"""{key: {p50, p95, p99}} in milliseconds."""
	columns = f"{key} AS grouped, {DURATION} AS ms, COUNT(*) AS times"
	found = scope.rows("Sync Batch", columns, span, filters, tail="GROUP BY grouped, ms")
	counts: dict[Any, list[tuple[int, int]]] = {}
	for row in found:
		counts.setdefault(row.grouped, []).append((int(row.ms or 0), row.times))
	return {group: percentiles(pairs) for group, pairs in counts.items()}


def percentiles(pairs: Iterable[tuple[int, int]]) -> dict[str, int]:
	"""{p50, p95, p99} of values given as `(value, times)`: the smallest value that so large a share does not exceed."""
	pairs = sorted(pairs)
	count = sum(times for _, times in pairs)
	return {name: _ranked(pairs, share * count) for name, share in SHARES.items()}


def _ranked(pairs: Iterable[tuple[int, int]], rank: float) -> int:
	passed = 0
	for value, times in pairs:
		passed += times
		if passed >= rank:
			return value
	return 0


def sizes(span: scope.Period, filters: Mapping[str, Any] | None = None) -> dict[str, int]:
	"""{label: batches} by number of items, in the order of SIZES."""
	found = scope.rows("Sync Batch", "items, COUNT(*) AS times", span, filters, tail="GROUP BY items")
	counts = dict.fromkeys([*(label for _, label in SIZES), BIGGER], 0)
	for row in found:
		counts[_size(row["items"])] += row.times
	return counts


def _size(items: int) -> str:
	return next((label for limit, label in SIZES if items <= limit), BIGGER)


def percent(part: float, whole: float) -> float:
	"""A share in percent, to two digits; of nothing it is 0."""
	return round(100 * part / whole, 2) if whole else 0.0


def outcomes_by_type(
	span: scope.Period, filters: Mapping[str, Any] | None = None, newest: int = NEWEST
) -> list[dict[str, Any]]:
	"""[{entity_type, items, conflicts}] of the period's newest items, at most `newest`; most conflicts first."""
	tail = "ORDER BY name DESC LIMIT %s"
	inner, values = scope.query("Sync Item", "entity_type, status", span, filters, tail=tail)
	found = frappe.db.sql(
		f"""SELECT entity_type, COUNT(*) AS items, SUM(status = 'conflict') AS conflicts
		FROM ({inner}) newest GROUP BY entity_type ORDER BY entity_type""",  # noqa: S608
		[*values, newest],
		as_dict=True,
	)
	return [{**row, "conflicts": int(row.conflicts or 0)} for row in found]
