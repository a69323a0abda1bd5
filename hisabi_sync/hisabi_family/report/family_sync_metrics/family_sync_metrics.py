"""Syncs of families per day and device against the targets: how often, how long, how large, and how they went."""

from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _

from hisabi_sync.desk.insight import counts, scope
from hisabi_sync.desk.insight.columns import STILL, column, link, summary
from hisabi_sync.hisabi_family import metrics

FILTERS = "family device user status".split()
FIELDS = ["day", "family", "device", "user", "longest_ms", *metrics.COUNTERS]
MOST = 5000
# Column of counts -> number of changes in a request.
SIZES = {"size_0": "0", "size_10": "1–10", "size_50": "11–50", "size_100": "51–100", metrics.BIGGEST: "> 100"}


def execute(filters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
	"""(columns, rows, message, chart, figures) of one row for each device and day. Raises PermissionError."""
	filters = filters or {}
	scope.require(metrics.DOCTYPE)
	span = scope.period(filters)
	between = ["between", [span.since.date(), span.days[-1]]]
	found = frappe.get_list(
		metrics.DOCTYPE,
		filters={"day": between, **scope.chosen(filters, *FILTERS)},
		fields=FIELDS,
		order_by="day desc, syncs desc, name",
		limit_page_length=MOST,
	)
	message = _("The {0} newest rows are shown").format(MOST) if len(found) == MOST else None
	return _columns(), [_row(day) for day in found], message, _chart(found), _summary(found)


def _row(day: frappe._dict) -> dict[str, Any]:
	return {
		**day,
		"average_ms": round(day.duration_ms / day.syncs) if day.syncs else 0,
		"conflict_rate": counts.percent(day.conflicts, day.changes),
		"error_rate": counts.percent(day.errors, day.changes),
	}


def _columns() -> list[dict[str, Any]]:
	return [
		column("day", _("Day"), "Date", 110),
		link("device", _("Device"), "Sync Device", 170),
		link("user", _("User"), "User", 170),
		link("family", _("Family"), "Family", 140),
		column("syncs", _("Syncs"), "Int", 80),
		column("average_ms", _("Average, ms"), "Int", 110),
		column("longest_ms", _("Longest, ms"), "Int", 110),
		column("changes", _("Changes"), "Int", 90),
		column("conflict_rate", _("Conflict rate"), "Percent", 120),
		column("error_rate", _("Error rate"), "Percent", 110),
		column("server_changes", _("Records sent"), "Int", 110),
		*(column(name, label, "Int", 75) for name, label in SIZES.items()),
	]


def _chart(found: list[frappe._dict]) -> dict[str, Any] | None:
	"""How many requests had how many changes."""
	if not found:
		return None
	values = [sum(day[name] for day in found) for name in SIZES]
	data = {
		"labels": list(SIZES.values()),
		"datasets": [{"name": _("Changes in a request"), "values": values}],
	}
	return {"data": data, "type": "bar", "colors": ["#4C8DFF"], "height": 200, **STILL}


def _summary(found: list[frappe._dict]) -> list[dict[str, Any]]:
	whole = {name: sum(day[name] for day in found) for name in metrics.SUMS}
	conflicts = counts.percent(whole["conflicts"], whole["changes"])
	errors = counts.percent(whole["errors"], whole["changes"])
	average = round(whole["duration_ms"] / whole["syncs"]) if whole["syncs"] else 0
	return [
		summary(whole["syncs"], _("Syncs")),
		summary(average, _("Average, ms")),
		_judged(conflicts, _("Conflict rate"), metrics.CONFLICT_TARGET),
		_judged(errors, _("Error rate"), metrics.ERROR_TARGET),
	]


def _judged(rate: float, label: str, target: float) -> dict[str, Any]:
	return summary(rate, label, "Green" if rate <= target else "Red", "Percent")
