import frappe
from frappe.model.document import Document


class SyncWaiting(Document):
	"""A document, or all documents that hang on one, whose records wait for a job (see `engine.waiting`)."""


def on_doctype_update() -> None:
	"""Add the index by which the job finds what is next."""
	frappe.db.add_index("Sync Waiting", ["entity_type", "name"])
