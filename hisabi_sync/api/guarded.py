"""Two of Frappe's own calls that answer anybody who is signed in; here they ask for the right to read first."""

import frappe
from frappe import client
from frappe.desk.form import linked_with


@frappe.whitelist()
def get_count(doctype, filters=None, debug=False, cache=False):
	"""`frappe.client.get_count` for those who may read the DocType."""
	_check(doctype)
	return client.get_count(doctype, filters, debug, cache)


@frappe.whitelist()
def linked_documents(doctype, docname):
	"""`frappe.desk.form.linked_with.get` for those who may read the document."""
	_check(doctype, docname)
	return linked_with.get(doctype, docname)


def _check(doctype, docname=None):
	"""Not with `throw`: versions of Frappe differ in what they raise then."""
	if not frappe.has_permission(doctype, "read", doc=docname):
		raise frappe.PermissionError
