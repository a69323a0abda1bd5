import frappe
from frappe.model.document import Document


class SyncBatch(Document):
	"""One push as it arrived."""


def on_doctype_update():
	"""The engine's queries rely on these."""
	frappe.db.add_index("Sync Batch", ["space", "creation"])
	frappe.db.add_index("Sync Batch", ["device", "creation"])
