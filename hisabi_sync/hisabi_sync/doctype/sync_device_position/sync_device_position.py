import frappe
from frappe.model.document import Document


class SyncDevicePosition(Document):
	"""How far a device has come in a space."""


def on_doctype_update() -> None:
	"""The engine's queries rely on these."""
	frappe.db.add_index("Sync Device Position", ["space", "acknowledged"])
	frappe.db.add_index("Sync Device Position", ["device", "space"])
