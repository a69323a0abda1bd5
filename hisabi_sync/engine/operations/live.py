"""Telling open forms and lists of the Desk that rows were written past Frappe's own save."""

import frappe


def tell(doctype: str, name: str, lists: bool = True) -> None:
	"""After the commit: the form of a row, and unless many are under way also the lists."""
	row = {"doctype": doctype, "name": name, "modified": str(frappe.utils.now())}
	frappe.publish_realtime("doc_update", row, doctype=doctype, docname=name, after_commit=True)
	if lists:
		tell_lists(doctype, name)


def tell_lists(doctype: str, name: str = "") -> None:
	"""After the commit: every list of the DocType."""
	frappe.publish_realtime(
		"list_update",
		{"doctype": doctype, "name": name, "user": frappe.session.user},
		doctype=doctype,
		after_commit=True,
	)
