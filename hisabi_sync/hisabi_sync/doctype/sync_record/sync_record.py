import frappe
from frappe.model.document import Document


class SyncRecord(Document):
	"""One synced document in one space."""


def on_doctype_update() -> None:
	"""Add the indexes that the engine's queries need."""
	frappe.db.add_index("Sync Record", ["space", "sequence"])
	frappe.db.add_index("Sync Record", ["space", "entity_type", "sequence"])
	frappe.db.add_index("Sync Record", ["document_name", "document_type"])
	frappe.db.add_index("Sync Record", ["deleted_at"])
