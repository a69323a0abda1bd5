import frappe
from frappe.model.document import Document


class SyncVersion(Document):
	"""What one version of a record replaced."""


def on_doctype_update():
	"""The engine's queries rely on these."""
	frappe.db.add_unique(
		"Sync Version", ["record", "doc_version"], constraint_name="unique_record_doc_version"
	)
