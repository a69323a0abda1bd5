import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage


class SyncCall(Document):
	"""One call that pushed and pulled at once, with the answer that a repeat gets."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Hook of Frappe's log clearing."""
		garbage.clear_log("Sync Call", days)


def on_doctype_update() -> None:
	"""Add the indexes that the engine's queries need."""
	frappe.db.add_unique("Sync Call", ["device", "sync_key"], constraint_name="unique_device_sync_key")
	frappe.db.add_unique("Sync Call", ["device", "header_key"], constraint_name="unique_device_header_key")
	frappe.db.add_index("Sync Call", ["space", "creation"])
	frappe.db.add_index("Sync Call", ["creation"])
