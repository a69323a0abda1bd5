import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage


class FamilySyncDay(Document):
	"""What one device synchronised on one day."""

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Hook of Frappe's log clearing."""
		garbage.clear_log("Family Sync Day", days)


def on_doctype_update() -> None:
	"""Hook: the report reads days of all families."""
	frappe.db.add_index("Family Sync Day", ["day"])
