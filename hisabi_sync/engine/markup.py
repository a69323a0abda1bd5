"""Texts that hold markup, made safe for those who show them."""

import re

from bs4 import BeautifulSoup
from frappe.utils.html_utils import sanitize_html

TAG = re.compile(r"<([a-zA-Z/!?])")  # where a browser would begin a tag, closed or not
MAX_TAGS = 200


def clean(value):
	"""Markup is cleaned as Frappe's own save would, because the Desk trusts what is stored.

	Cleaning costs more than the length when tags are nested; what has more of them than a note ever has is text.
	"""
	tags = len(TAG.findall(value))
	if not tags:
		return value
	if tags > MAX_TAGS or not BeautifulSoup(value, "html.parser").find():
		return TAG.sub(lambda found: f"&lt;{found.group(1)}", value)
	return sanitize_html(value)
