import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage, ledger


class SyncItem(Document):
	"""One change as it arrived and what became of it; the ledger of ops."""

	def onload(self) -> None:
		"""The form says what went wrong in the reader's language."""
		self.error_message = ledger.message_of(self)

	@staticmethod
	def clear_old_logs(days: int = 180) -> None:
		"""Hook of Frappe's log clearing."""
		garbage.clear_log("Sync Item", days, "(failed = 0 OR dismissed = 1)")


def on_doctype_update() -> None:
	"""Add the indexes that the engine's queries need."""
	frappe.db.add_unique("Sync Item", ["device", "op_key"], constraint_name="unique_device_op_key")
	frappe.db.add_index("Sync Item", ["batch"])
	frappe.db.add_index("Sync Item", ["failed", "modified"])
	frappe.db.add_index("Sync Item", ["creation"])
