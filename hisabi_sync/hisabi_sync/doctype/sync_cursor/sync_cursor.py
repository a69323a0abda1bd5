import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage


class SyncCursor(Document):
	"""The positions of one device in more spaces than a request has room for (see `engine.kept_cursors`)."""

	@staticmethod
	def clear_old_logs(days: int = 180) -> None:
		"""Hook of Frappe's log clearing. A row that a device uses is made new each day."""
		garbage.clear_log("Sync Cursor", days)


def on_doctype_update() -> None:
	"""Add the indexes that the engine's queries need."""
	frappe.db.add_index("Sync Cursor", ["holder", "creation"])
