import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage


class SyncBatch(Document):
	"""One push as it arrived."""

	@staticmethod
	def clear_old_logs(days: int = 180) -> None:
		"""Hook of Frappe's log clearing."""
		garbage.clear_log("Sync Batch", days)


def on_doctype_update() -> None:
	"""Add the indexes that the engine's queries need."""
	frappe.db.add_index("Sync Batch", ["space", "creation"])
	frappe.db.add_index("Sync Batch", ["device", "creation"])
	frappe.db.add_index("Sync Batch", ["creation"])
