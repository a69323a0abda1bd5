"""Columns of reports."""

from frappe import _


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
