"""Pushes day by day: outcomes, rates and durations, from the counters of Sync Batch."""

from frappe import _

from hisabi_sync.insight import batches, scope
from hisabi_sync.insight.columns import column, counters, stacked, summary

CONFLICT_TARGET, ERROR_TARGET = 5, 1  # percent


def execute(filters=None):
	given = filters or {}
	span, chosen = scope.period(given), scope.chosen(given, *batches.FILTERS)
	days = batches.totals(span, batches.DAY, chosen)
	rows = _rows(days, batches.durations(span, batches.DAY, chosen))
	return _columns(), rows, None, _chart(span, days), _summary(days.values())


def _rows(days, durations):
	return [
		{"day": day, **days[day], **_rates(days[day]), **durations[day]} for day in sorted(days, reverse=True)
	]


def _rates(row):
	shares = {"conflict_rate": "conflicts", "error_rate": "errors"}
	return {rate: batches.percent(row[name], row["items"]) for rate, name in shares.items()}


def _columns():
	milliseconds = (("p50", _("Median, ms")), ("p95", _("95 %, ms")), ("p99", _("99 %, ms")))
	return [
		column("day", _("Day"), "Date", 120),
		column("batches", _("Batches"), "Int", 90),
		*counters(),
		column("conflict_rate", _("Conflict rate"), "Percent", 120),
		column("error_rate", _("Error rate"), "Percent", 110),
		*(column(name, label, "Int", 100) for name, label in milliseconds),
	]


def _chart(span, days):
	names = {"accepted": _("Accepted"), "duplicates": _("Duplicates")}
	names.update({"conflicts": _("Conflicts"), "errors": _("Errors")})
	return stacked(span, days, names, ["#59B88F", "#C7CED6", "#E8A13A", "#D9574F"])


def _summary(days):
	whole = batches.total(days)
	rates = _rates(whole)
	return [
		summary(whole["batches"], _("Batches")),
		summary(whole["items"], _("Items")),
		_judged(rates["conflict_rate"], _("Conflict rate"), CONFLICT_TARGET),
		_judged(rates["error_rate"], _("Error rate"), ERROR_TARGET),
	]


def _judged(rate, label, target):
	return summary(rate, label, "Green" if rate <= target else "Red", "Percent")
