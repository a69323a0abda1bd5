"""The charts of the workspace. Their answers are not cached: what they count depends on who looks."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import frappe
from frappe import _
from frappe.utils import format_date

from hisabi_sync.desk.insight import columns, counts, scope

OUTCOMES = ("accepted", "duplicates", "conflicts", "errors")
CONFLICT_TARGET, ERROR_TARGET = 5, 1  # percent
TYPES = 5


@frappe.whitelist()
def get(chart_name: Any = None, filters: Any = None, **_options: Any) -> dict[str, Any]:
	"""`{labels, datasets}` of the chart of this name, over the filters' `days` and perhaps of one `space`."""
	chosen = frappe.parse_json(filters)
	chosen = chosen if isinstance(chosen, dict) else {}
	draw = CHARTS.get(chart_name)
	if draw is None:
		frappe.throw(_("There is no chart {0}").format(chart_name), frappe.DoesNotExistError)
	return draw(scope.period(chosen), scope.chosen(chosen, "space"))  # type: ignore[misc]  # not None, or thrown


def items_per_day(span: scope.Period, filters: Mapping[str, str]) -> dict[str, Any]:
	"""A chart of how many items of each outcome came on each day."""
	days = counts.totals(span, counts.DAY, filters)
	labels = {"accepted": _("Accepted"), "duplicates": _("Duplicates")}
	labels.update({"conflicts": _("Conflicts"), "errors": _("Errors")})
	return _by_day(span, {labels[n]: {day: row[n] for day, row in days.items()} for n in OUTCOMES}, days)


def error_rate(span: scope.Period, filters: Mapping[str, str]) -> dict[str, Any]:
	"""A chart of the share of items that were errors, in percent, with the target."""
	days = counts.totals(span, counts.DAY, filters)
	rates = {day: counts.percent(row["errors"], row["items"]) for day, row in days.items()}
	return _with_target(_by_day(span, {_("Errors, %"): rates}, days), ERROR_TARGET)


def conflict_rate(span: scope.Period, filters: Mapping[str, str]) -> dict[str, Any]:
	"""The entity types that clash most, as far as there is room for them."""
	found = [row for row in counts.outcomes_by_type(span, filters) if row["entity_type"]]
	found = sorted(found, key=lambda row: -row["conflicts"] / row["items"])[:TYPES]
	values = [counts.percent(row["conflicts"], row["items"]) for row in found]
	labels = list(columns.short_labels([_(row["entity_type"]) for row in found]).values())
	return _with_target(_chart(labels, {_("Conflicts, %"): values}, found), CONFLICT_TARGET)


def batch_sizes(span: scope.Period, filters: Mapping[str, str]) -> dict[str, Any]:
	"""A chart of how many batches had how many items."""
	found = counts.sizes(span, filters)
	return _chart(list(found), {_("Batches"): list(found.values())}, any(found.values()))


def durations(span: scope.Period, filters: Mapping[str, str]) -> dict[str, Any]:
	"""A chart of the median, 95th and 99th percentile of a push's milliseconds on each day."""
	days = counts.durations(span, counts.DAY, filters)
	labels = {"p50": _("Median, ms"), "p95": _("95 %, ms"), "p99": _("99 %, ms")}
	lines = {label: {day: row[name] for day, row in days.items()} for name, label in labels.items()}
	return _by_day(span, lines, days)


def _by_day(span: scope.Period, lines: Mapping[str, Mapping[date, float]], known: object) -> dict[str, Any]:
	"""A point for each day of the period, 0 where nothing was pushed."""
	days = span.days
	values = {label: [line.get(day, 0) for day in days] for label, line in lines.items()}
	return _chart([format_date(day, "d MMM") for day in days], values, known)


def _chart(labels: list[str], lines: Mapping[str, list[float]], known: object) -> dict[str, Any]:
	"""A chart; the Desk itself shows that there is nothing when it gets no data."""
	if not known:
		return {}
	return {"labels": labels, "datasets": [{"name": name, "values": line} for name, line in lines.items()]}


def _with_target(chart: dict[str, Any], percent: float) -> dict[str, Any]:
	if not chart:
		return chart
	label = _("Target: {0} %").format(percent)
	return {**chart, "yMarkers": [{"label": label, "value": percent, "options": {"labelPos": "left"}}]}


CHARTS = {
	"Pushed items per day": items_per_day,
	"Conflict rate by entity type": conflict_rate,
	"Error rate per day": error_rate,
	"Batch sizes": batch_sizes,
	"Duration of a push": durations,
}
