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


def replica_database(settings):
	"""The site's read replica as Frappe is configured to reach it; not connected yet, and `frappe.db` stays what it is.

	`settings` are more arguments of the connection. None while Frappe itself reads everything from the replica.
	"""
	if hasattr(frappe.local, "primary_db"):
		return None
	primary = frappe.local.db
	try:
		frappe.connect_replica()
		database = frappe.local.replica_db
	finally:
		frappe.local.db = primary
		for name in ("primary_db", "replica_db"):
			if hasattr(frappe.local, name):
				delattr(frappe.local, name)
	plain = database.get_connection_settings
	# 15 before its first release takes the user's name for that of the database.
	database.get_connection_settings = lambda: {**plain(), "database": frappe.conf.db_name, **settings}
	return database
