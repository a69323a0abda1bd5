"""The rows that a number of a report counts: of a period, with filters, and visible to the user.

Names of the engine's rows begin with a time. So a period is a range of the primary key, and needs no other index. MARGIN, a day,
covers differences between clocks and time zones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import frappe
from frappe import _
from frappe.desk.reportview import build_match_conditions
from frappe.utils import cint, getdate

from hisabi_sync.engine.database.sql import quote
from hisabi_sync.engine.model import clock

DAYS, MAX_DAYS = 30, 366
MARGIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
	"""From `since` until just before `until`."""

	since: datetime
	until: datetime

	@property
	def days(self) -> list[date]:
		"""Every day of the period, in order."""
		count = (self.until - self.since).days
		return [self.since.date() + timedelta(days=n) for n in range(count)]


def period(filters: Mapping[str, Any]) -> Period:
	"""The days `from_date` to `to_date`, or as many `days` up to today."""
	if any(isinstance(filters.get(name), list | dict) for name in ("days", "from_date", "to_date")):
		_refuse()
	last = getdate(filters.get("to_date")) if filters.get("to_date") else getdate()
	days = min(max(cint(filters.get("days")) or DAYS, 1), MAX_DAYS)
	first = (
		getdate(filters.get("from_date"))
		if filters.get("from_date")
		else _moved(last, -timedelta(days=days - 1))
	)
	if first > last:
		frappe.throw(_("The period ends before it begins"))
	if (last - first).days >= MAX_DAYS:
		frappe.throw(_("A report covers at most {0} days").format(MAX_DAYS))
	return Period(
		datetime.combine(first, time.min),
		datetime.combine(_moved(last, timedelta(days=1)), time.min),
	)


def _moved(day: date, by: timedelta) -> date:
	return clock.shifted(datetime.combine(day, time.min), by).date()


def chosen(filters: Mapping[str, Any], *names: str) -> dict[str, Any]:
	"""The filters that are set, as `{column: text}`. Refuses a list, which Frappe would read as an operator."""
	found = {name: filters.get(name) for name in names if filters.get(name)}
	if not all(isinstance(value, str) for value in found.values()):
		_refuse()
	return found


def _refuse() -> None:
	frappe.throw(_("An argument has a wrong type or value"))


def query(
	doctype: str,
	columns: str,
	span: Period,
	filters: Mapping[str, Any] | None = None,
	where: str = "",
	tail: str = "",
) -> tuple[str, list[Any]]:
	"""`(text, values)` of a SELECT over the rows of the period that the user may see. Raises PermissionError.

	`columns`, `where` and `tail` are the caller's own text; `filters` maps columns to values from outside.
	"""
	require(doctype)
	filters = filters or {}
	match = build_match_conditions(doctype)
	parts = ["name >= %s", "creation >= %s", "creation < %s", *(f"{quote(name)} = %s" for name in filters)]
	parts += [f"({text})" for text in (where, match) if text]
	values = [first_name(span.since), span.since, span.until, *filters.values()]
	table = quote("tab" + doctype)
	return f"SELECT {columns} FROM {table} WHERE {' AND '.join(parts)} {tail}", values  # noqa: S608


def count(doctype: str, filters: Mapping[str, Any]) -> int:
	"""How many rows that the user may see have these values. Frappe 16 takes no functions in the fields of a list."""
	require(doctype)
	match = build_match_conditions(doctype)
	parts = [*(f"{quote(name)} = %s" for name in filters), *([f"({match})"] if match else [])]
	query = f"SELECT COUNT(*) FROM {quote('tab' + doctype)} WHERE {' AND '.join(parts)}"  # noqa: S608
	return frappe.db.sql(query, list(filters.values()))[0][0]


def require(doctype: str) -> None:
	"""Frappe's own `throw` is not a PermissionError on every version."""
	if not frappe.has_permission(doctype, "report"):
		frappe.throw(_("You may not read reports on {0}").format(_(doctype)), frappe.PermissionError)


def rows(*args: Any, **kwargs: Any) -> list[frappe._dict]:
	"""The rows of a `query`, as dicts."""
	return frappe.db.sql(*query(*args, **kwargs), as_dict=True)


def first_name(moment: datetime) -> str:
	"""A name that sorts before the names of all rows made at `moment` or later. Names begin with a time; see `ids.new`."""
	stamp = (moment - MARGIN).replace(tzinfo=timezone.utc).timestamp()
	return f"{max(int(stamp * 1_000_000), 0):013x}"
