"""Runs with other systems day by day: records by outcome and the time they took. Rehearsals do not count."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import frappe
from frappe import _

from hisabi_sync.desk.insight import scope
from hisabi_sync.desk.insight.columns import column, stacked, summary
from hisabi_sync.runs import states

NUMBERS = ("runs", "ill", "total", "completed", "skipped", "failed", "seconds")
ILL = (states.FAILED, states.COMPLETED_WITH_ERRORS)
COLUMNS = f"""DATE(creation) AS day, entity, direction, COUNT(*) AS runs, CAST(SUM(status IN {ILL}) AS INT) AS ill,
	CAST(SUM(records_total) AS INT) AS total, CAST(SUM(records_completed) AS INT) AS completed,
	CAST(SUM(records_skipped) AS INT) AS skipped, CAST(SUM(records_failed) AS INT) AS failed, SUM(seconds) AS seconds"""
BY_DAY = "GROUP BY DATE(creation), entity, direction ORDER BY day DESC, entity, direction"


def execute(filters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
	"""(columns, rows, None, chart, figures) of runs by day; rehearsals are left out."""
	filters = filters or {}
	span, chosen = scope.period(filters), scope.chosen(filters, "connection", "space", "entity")
	found = scope.rows("Sync Run", COLUMNS, span, chosen, "dry_run = 0", BY_DAY)
	rows = [_row(row) for row in found]
	return _columns(), rows, None, _chart(span, rows), _summary(rows)


def _row(row: frappe._dict) -> dict[str, Any]:
	speed = row.completed / row.seconds if row.seconds else 0
	return {**row, "entity": _(row.entity), "direction": _(row.direction), "speed": round(speed, 1)}


def _columns() -> list[dict[str, Any]]:
	return [
		column("day", _("Day"), "Date", 120),
		column("entity", _("Entity"), width=120),
		column("direction", _("Direction"), width=100),
		column("runs", _("Runs"), "Int", 80),
		column("ill", _("Runs with failures"), "Int", 140),
		column("total", _("Records"), "Int", 100),
		column("completed", _("Completed"), "Int", 110),
		column("skipped", _("Skipped"), "Int", 100),
		column("failed", _("Failed"), "Int", 90),
		column("seconds", _("Seconds"), "Float", 100, precision=1),
		column("speed", _("Records per second"), "Float", 160, precision=1),
	]


def _chart(span: scope.Period, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	days: dict[date, dict[str, Any]] = {}
	for row in rows:
		numbers = days.setdefault(row["day"], dict.fromkeys(NUMBERS, 0))
		numbers.update({name: numbers[name] + row[name] for name in NUMBERS})
	names = {"completed": _("Completed"), "skipped": _("Skipped"), "failed": _("Failed")}
	return stacked(span, days, names, ["#59B88F", "#C7CED6", "#D9574F"])


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	whole = {name: sum(row[name] for row in rows) for name in NUMBERS}
	return [
		summary(whole["runs"], _("Runs")),
		summary(whole["completed"], _("Records completed")),
		summary(whole["failed"], _("Records failed"), "Red" if whole["failed"] else "Green"),
		summary(round(whole["seconds"]), _("Seconds")),
	]
