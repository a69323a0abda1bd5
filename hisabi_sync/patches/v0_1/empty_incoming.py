"""Uploads in S3 that were used before they were copied to a place of their own."""

import frappe


def execute() -> None:
	"""Uploads in S3 that were used before still lie in two places; the next collection empties one."""
	frappe.db.sql("UPDATE `tabSync Media` SET incoming = 1 WHERE backend = 'S3' AND state = 'Used'")
