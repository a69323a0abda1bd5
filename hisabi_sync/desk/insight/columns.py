"""Columns of reports, their summaries and bars."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from frappe import _
from frappe.utils import format_date

from hisabi_sync.desk.insight.scope import Period


def column(
	fieldname: str, label: str, fieldtype: str = "Data", width: int = 110, **more: Any
) -> dict[str, Any]:
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **more}


def link(fieldname: str, label: str, doctype: str, width: int = 160) -> dict[str, Any]:
	return column(fieldname, label, "Link", width, options=doctype)


def counters() -> list[dict[str, Any]]:
	"""The counts of a batch, or of many."""
	return [
		column("items", _("Items"), "Int", 90),
		column("accepted", _("Accepted"), "Int", 100),
		column("duplicates", _("Duplicates"), "Int", 90),
		column("conflicts", _("Conflicts"), "Int", 100),
		column("errors", _("Errors"), "Int", 90),
	]


def summary(value: Any, label: str, indicator: str = "Grey", datatype: str = "Int") -> dict[str, Any]:
	return {"value": value, "label": label, "indicator": indicator, "datatype": datatype}


def stacked(
	span: Period, days: Mapping[date, Mapping[str, int]], names: Mapping[str, str], colours: Sequence[str]
) -> dict[str, Any] | None:
	"""A bar for each day of the period from `{day: {name: number}}`; None without any day. `names` is `{name: label}`."""
	if not days:
		return None
	empty = dict.fromkeys(names, 0)
	sets = [
		{"name": label, "values": [days.get(day, empty)[name] for day in span.days]}
		for name, label in names.items()
	]
	return {
		"data": {"labels": [format_date(day, "d") for day in span.days], "datasets": sets},
		"type": "bar",
		"colors": colours,
		"barOptions": {"stacked": 1, "spaceRatio": 0.4},
		"axisOptions": {"xIsSeries": 1, "xAxisMode": "tick"},
		"height": 220,
	}
