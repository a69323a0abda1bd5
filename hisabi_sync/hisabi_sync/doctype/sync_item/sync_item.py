import frappe
from frappe.model.document import Document


class SyncItem(Document):
	"""One change as it arrived and what became of it; the ledger of ops."""


def on_doctype_update():
	"""The engine's queries rely on these."""
	frappe.db.add_unique("Sync Item", ["device", "op_key"], constraint_name="unique_device_op_key")
	frappe.db.add_index("Sync Item", ["batch"])
	frappe.db.add_index("Sync Item", ["status", "modified"])
