"""Pushes day by day: outcomes, rates and durations, from the counters of Sync Batch."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import frappe
from frappe import _
from frappe.utils import escape_html, format_datetime

from hisabi_sync.desk.insight import counts, scope
from hisabi_sync.desk.insight.columns import column, counters, stacked, summary
from hisabi_sync.engine import waiting
from hisabi_sync.engine.database import background
from hisabi_sync.engine.entities import write_mode
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.permissions import allowed_spaces

CONFLICT_TARGET, ERROR_TARGET = 5, 1  # percent


def execute(filters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
	"""(columns, rows, message, chart, figures) of pushes, one row for each day."""
	filters = filters or {}
	span, chosen = scope.period(filters), scope.chosen(filters, *counts.FILTERS)
	days = counts.totals(span, counts.DAY, chosen)
	rows = _rows(days, counts.durations(span, counts.DAY, chosen))
	return _columns(), rows, _message(), _chart(span, days), _summary(days.values())


def _broken(name: str, problem: str) -> str:
	said = _("Entity type {0} cannot be used: {1}").format(escape_html(name), escape_html(problem))
	return f'<span class="text-danger">{said}</span>'


def _slowed() -> dict[str, list[str]]:
	"""{why a push saves documents one by one that it could write in bulk: names of entity types}."""
	found: dict[str, list[str]] = {}
	for entity in registry().by_name.values():
		for reason in write_mode.changeable(entity):
			found.setdefault(write_mode.said(reason), []).append(entity.name)
	return found


def _slow(reason: str, names: Iterable[str]) -> str:
	said = _("Saved one by one, so that a push takes longer: {0}. {1}")
	return escape_html(said.format(", ".join(sorted(names)), reason))


def _message() -> str | None:
	"""What jobs could not do and what is slow, for those who may see every space."""
	if allowed_spaces(frappe.session.user, "Sync Space") is not None:
		return None
	lines = [_line(job, failure) for job, failure in background.failures().items()]
	lines += [_broken(*pair) for pair in sorted(registry().problems().items())]
	lines += [_waiting(name, failure) for name, failure in sorted(waiting.state().items())]
	lines += [_slow(*pair) for pair in sorted(_slowed().items())]
	return "<br>".join(lines) or None


def _waiting(name: str, state: Mapping[str, Any]) -> str:
	said = _("A worker has to bring {0} changes of {1} to devices, the oldest since {2}")
	return escape_html(said.format(state["waiting"], name, format_datetime(state["since"])))


def _line(job: str, failure: Mapping[str, Any]) -> str:
	named = ", ".join(f"{unit} ({kind})" for unit, kind in failure["units"].items())
	said = _("The job {0} failed for {1} of its units at {2}: {3}").format(
		job, failure["failed"], failure["at"], named
	)
	return escape_html(said)


def _rows(
	days: Mapping[date, dict[str, int]], durations: Mapping[date, dict[str, int]]
) -> list[dict[str, Any]]:
	return [
		{"day": day, **days[day], **_rates(days[day]), **durations[day]} for day in sorted(days, reverse=True)
	]


def _rates(row: Mapping[str, int]) -> dict[str, float]:
	shares = {"conflict_rate": "conflicts", "error_rate": "errors"}
	return {rate: counts.percent(row[name], row["items"]) for rate, name in shares.items()}


def _columns() -> list[dict[str, Any]]:
	milliseconds = (("p50", _("Median, ms")), ("p95", _("95 %, ms")), ("p99", _("99 %, ms")))
	return [
		column("day", _("Day"), "Date", 120),
		column("batches", _("Batches"), "Int", 90),
		*counters(),
		column("conflict_rate", _("Conflict rate"), "Percent", 120),
		column("error_rate", _("Error rate"), "Percent", 110),
		*(column(name, label, "Int", 100) for name, label in milliseconds),
	]


def _chart(span: scope.Period, days: Mapping[date, dict[str, int]]) -> dict[str, Any] | None:
	names = {"accepted": _("Accepted"), "duplicates": _("Duplicates")}
	names.update({"conflicts": _("Conflicts"), "errors": _("Errors")})
	return stacked(span, days, names, ["#59B88F", "#C7CED6", "#E8A13A", "#D9574F"])


def _summary(days: Iterable[Mapping[str, int]]) -> list[dict[str, Any]]:
	whole = counts.total(days)
	rates = _rates(whole)
	return [
		summary(whole["batches"], _("Batches")),
		summary(whole["items"], _("Items")),
		_judged(rates["conflict_rate"], _("Conflict rate"), CONFLICT_TARGET),
		_judged(rates["error_rate"], _("Error rate"), ERROR_TARGET),
	]


def _judged(rate: float, label: str, target: float) -> dict[str, Any]:
	return summary(rate, label, "Green" if rate <= target else "Red", "Percent")
