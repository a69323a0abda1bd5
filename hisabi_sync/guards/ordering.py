"""Lists of our DocTypes are sorted and grouped by columns only, never by a query in the place of one.

Frappe puts `order_by` and `group_by` into the statement unchanged as long as they name no table, such as
`(select sleep(3))`.
"""

import re
from typing import Any

import frappe

from hisabi_sync.api.protocol import routes
from hisabi_sync.permissions import is_ours

ARGUMENTS = ("order_by", "group_by")
NAME = r"(?:`[\w -]+`|\w+)"
PART = re.compile(rf"\s*{NAME}(?:\.{NAME})?(?:\s+(?:asc|desc))?\s*", re.IGNORECASE)
LIST_PATH = re.compile(r"/api/(?:v\d/)?(?:resource|document)/(?P<doctype>[^/]+)")


def check() -> None:
	"""Hook before every request. Raises frappe.PermissionError, as Frappe does where it sees a query there."""
	arguments = frappe.local.form_dict
	texts = [arguments.get(name) for name in ARGUMENTS if arguments.get(name)]
	if texts and not all(map(_is_plain, texts)) and is_ours(_doctype(arguments)):
		raise frappe.PermissionError


def _is_plain(text: Any) -> bool:
	"""Whether it is a list of columns, separated by commas. Frappe ignores an empty part."""
	return isinstance(text, str) and all(PART.fullmatch(part) for part in text.split(",") if part.strip())


def _doctype(arguments: frappe._dict) -> Any:
	"""The DocType of the requested list, from the path or from an argument."""
	found = None if routes.called() else LIST_PATH.match(frappe.request.path)
	return found["doctype"] if found else arguments.get("doctype")
