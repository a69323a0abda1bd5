import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage


class SyncRun(Document):
	"""One execution of a synchronisation with another system; its states are in `hisabi_sync.runs.states`."""

	@staticmethod
	def clear_old_logs(days: int = 180) -> None:
		"""Hook of Frappe's log clearing: runs that have ended."""
		garbage.clear_log("Sync Run", days, "status NOT IN ('queued', 'running')")


def on_doctype_update() -> None:
	"""Add the indexes that the queries of runs need."""
	frappe.db.add_index("Sync Run", ["space", "started_at"])
	frappe.db.add_index("Sync Run", ["connection", "status"])
	frappe.db.add_index("Sync Run", ["status", "planned"])
