"""Columns of reports, their summaries and bars."""

from frappe import _
from frappe.utils import format_date


def column(fieldname, label, fieldtype="Data", width=110, **more):
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **more}


def link(fieldname, label, doctype, width=160):
	return column(fieldname, label, "Link", width, options=doctype)


def counters():
	"""The counts of a batch, or of many."""
	return [
		column("items", _("Items"), "Int", 90),
		column("accepted", _("Accepted"), "Int", 100),
		column("duplicates", _("Duplicates"), "Int", 90),
		column("conflicts", _("Conflicts"), "Int", 100),
		column("errors", _("Errors"), "Int", 90),
	]


def summary(value, label, indicator="Grey", datatype="Int"):
	return {"value": value, "label": label, "indicator": indicator, "datatype": datatype}


def stacked(span, days, names, colours):
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
