"""What people call devices and spaces, for tables full of their ids."""

import frappe

TITLES = {"Sync Device": "device_name", "Sync Space": "title"}


def add(rows, **doctypes):
	"""Add to each row `<column>_title` for its id in `column`, one statement for each DocType."""
	for column, doctype in doctypes.items():
		titles = _titles(doctype, {row.get(column) for row in rows} - {None, ""})
		for row in rows:
			row[f"{column}_title"] = titles.get(row.get(column)) or row.get(column)
	return rows


def _titles(doctype, names):
	if not names:
		return {}
	title = TITLES[doctype]
	found = frappe.get_all(doctype, filters={"name": ["in", sorted(names)]}, fields=["name", title])
	return {row.name: row[title] for row in found}


def short(labels):
	"""{label: what tells it from the others}: without the first word when all begin with it, so that charts have room."""
	labels = list(dict.fromkeys(labels))
	firsts = {label.partition(" ")[0] for label in labels}
	if len(labels) < 2 or len(firsts) > 1 or not all(label.partition(" ")[2] for label in labels):
		return dict(zip(labels, labels, strict=True))
	return {label: label.partition(" ")[2] for label in labels}
