import frappe
from frappe.model.document import Document


class SyncConflict(Document):
	"""A change that was not applied because it would discard somebody's work."""


def on_doctype_update():
	"""The engine's queries rely on these."""
	frappe.db.add_index("Sync Conflict", ["status", "creation"])
	frappe.db.add_index("Sync Conflict", ["record", "status"])
