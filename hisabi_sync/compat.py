"""What differs between Frappe 15 and 16, and what of Frappe's request handling we have to repeat."""

import frappe
from frappe.auth import HTTPRequest

try:
	from frappe.auth import validate_auth
except ImportError:  # 15 before its first release
	from frappe.api import validate_auth


def start_again(arguments):
	"""Go through Frappe's start of a request once more with arguments that it could not read itself.

	Session, CSRF check, hooks before the request and authentication, as `frappe.app` does them.
	"""
	frappe.clear_messages()
	frappe.local.error_log = []
	frappe.local.response = frappe._dict({"docs": []})
	frappe.local.form_dict = frappe._dict(arguments)
	frappe.local.http_request = HTTPRequest()
	for path in frappe.get_hooks("before_request"):
		frappe.call(path)
	validate_auth()
