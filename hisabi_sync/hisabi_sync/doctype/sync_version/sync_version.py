import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage


class SyncVersion(Document):
	"""What one version of a record replaced."""

	@staticmethod
	def clear_old_logs(days: int = 180) -> None:
		"""Hook of Frappe's log clearing."""
		garbage.clear_log("Sync Version", days)


def on_doctype_update() -> None:
	"""Add the indexes that the engine's queries need."""
	frappe.db.add_unique(
		"Sync Version", ["record", "doc_version"], constraint_name="unique_record_doc_version"
	)
	frappe.db.add_index("Sync Version", ["creation"])
