"""The test server whose application fails as a whole, as Frappe does when MariaDB goes away, after requests that ask for it."""

import frappe.app

from devtool.wsgi import application

__all__ = ["HEADER", "application"]
HEADER = "X-Break"
_log_request = frappe.app.log_request


def _break(request, response):
	"""One of the last steps of a request, outside of what Frappe catches."""
	if request.headers.get(HEADER):
		raise RuntimeError("broken on purpose")
	_log_request(request, response)


frappe.app.log_request = _break
