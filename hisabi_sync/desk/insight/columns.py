"""Columns of reports, the titles of ids in them, summaries and bars."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import frappe
from frappe import _
from frappe.utils import format_date

from hisabi_sync.desk.insight.scope import Period

TITLES = {"Sync Device": "device_name", "Sync Space": "title"}


# Frappe's charts fail when their width changes while they are being animated, as it does when the rows below them come.
STILL = {"animate": 0, "disableEntryAnimation": 1}


def column(
	fieldname: str, label: str, fieldtype: str = "Data", width: int = 110, **more: Any
) -> dict[str, Any]:
	"""A column of a Frappe report; `width` is in pixels, `more` are other properties of a column."""
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **more}


def link(fieldname: str, label: str, doctype: str, width: int = 160) -> dict[str, Any]:
	"""A column that links to documents of a DocType."""
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
	"""A figure above a Frappe report; `indicator` is its colour."""
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
		**STILL,
	}


def add_titles(rows: list[dict[str, Any]], **doctypes: str) -> list[dict[str, Any]]:
	"""Add to each row `<column>_title` for its id in `column`, one statement for each DocType."""
	for column, doctype in doctypes.items():
		titles = _titles(doctype, {row.get(column) for row in rows} - {None, ""})
		for row in rows:
			row[f"{column}_title"] = titles.get(row.get(column)) or row.get(column)
	return rows


def _titles(doctype: str, names: set[Any]) -> dict[Any, str]:
	if not names:
		return {}
	title = TITLES[doctype]
	found = frappe.get_all(doctype, filters={"name": ["in", sorted(names)]}, fields=["name", title])
	return {row.name: row[title] for row in found}


def short_labels(labels: Iterable[str]) -> dict[str, str]:
	"""{label: what tells it from the others}: without a first word that several begin with, so that charts have room."""
	parts = {label: label.partition(" ") for label in labels}
	firsts = Counter(first for first, _, _ in parts.values())
	found = {
		label: rest if rest and firsts[first] > 1 else label for label, (first, _, rest) in parts.items()
	}
	return found if len(set(found.values())) == len(found) else dict(zip(found, found, strict=True))
