import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage


class SyncConflict(Document):
	"""A change that was not applied because it would discard somebody's work."""

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Hook of Frappe's log clearing; what nobody has settled yet stays."""
		garbage.clear_log("Sync Conflict", days, "status != 'Open'")


def on_doctype_update() -> None:
	"""Add the indexes that the engine's queries need."""
	frappe.db.add_index("Sync Conflict", ["status", "creation"])
	frappe.db.add_index("Sync Conflict", ["record", "status"])
	frappe.db.add_index("Sync Conflict", ["item"])
	frappe.db.add_index("Sync Conflict", ["user", "status"])
	frappe.db.add_index("Sync Conflict", ["creation"])
