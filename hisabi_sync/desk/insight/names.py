"""What people call devices and spaces, for tables full of their ids."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import frappe

TITLES = {"Sync Device": "device_name", "Sync Space": "title"}


def add(rows: list[dict[str, Any]], **doctypes: str) -> list[dict[str, Any]]:
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


def short(labels: Iterable[str]) -> dict[str, str]:
	"""{label: what tells it from the others}: without a first word that several begin with, so that charts have room."""
	parts = {label: label.partition(" ") for label in labels}
	firsts = Counter(first for first, _, _ in parts.values())
	found = {
		label: rest if rest and firsts[first] > 1 else label for label, (first, _, rest) in parts.items()
	}
	return found if len(set(found.values())) == len(found) else dict(zip(found, found, strict=True))
