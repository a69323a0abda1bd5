import frappe
from frappe.model.document import Document


class SyncDevicePosition(Document):
	"""How far a device has come in a space."""


def on_doctype_update() -> None:
	"""Add the indexes that the engine's queries need."""
	frappe.db.add_index("Sync Device Position", ["space", "acknowledged"])
	frappe.db.add_index("Sync Device Position", ["device", "space"])
