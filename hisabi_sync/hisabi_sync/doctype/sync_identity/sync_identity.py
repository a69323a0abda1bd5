import frappe
from frappe.model.document import Document


class SyncIdentity(Document):
	"""Which document is which record on the other side of a connection."""


def on_doctype_update() -> None:
	"""Add the indexes that the queries of runs need."""
	frappe.db.add_index(
		"Sync Identity",
		["connection", "entity", "document_type", "document_name"],
		index_name="connection_entity_document",
	)
	frappe.db.add_index(
		"Sync Identity", ["connection", "entity", "remote_key"], index_name="connection_remote"
	)
