"""Which rows a person may see, many at once."""

from collections.abc import Collection

import frappe


def of(doctype: str, names: Collection[str]) -> set[str]:
	"""Those of the names that are there and that the user may read; one statement, however many they are."""
	if not names or not frappe.has_permission(doctype, "read"):
		return set()
	filters = {"name": ["in", list(names)]}
	return set(frappe.get_list(doctype, filters=filters, pluck="name", limit_page_length=0, order_by="name"))
