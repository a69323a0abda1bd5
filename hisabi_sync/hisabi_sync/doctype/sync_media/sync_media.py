import frappe
from frappe.model.document import Document


class SyncMedia(Document):
	"""One upload. Its name is the key that devices put into their records; see hisabi_sync.media."""


def on_doctype_update() -> None:
	"""Add the indexes that the queries of hisabi_sync.media need."""
	frappe.db.add_index("Sync Media", ["state", "creation"])
	frappe.db.add_index("Sync Media", ["space", "state"])
	frappe.db.add_index(
		"Sync Media",
		["user", "state", "device", "backend", "size", "announced_size", "received"],
		"held_by_user",
	)
	frappe.db.add_index("Sync Media", ["incoming", "used_at"])
	frappe.db.add_index("Sync Media", ["record"])
