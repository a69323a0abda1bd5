import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage


class SyncRunRecord(Document):
	"""One record of a run and what became of it; its states are in `hisabi_sync.runs.states`."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Hook of Frappe's log clearing: what is settled; failures stay until somebody looks at them."""
		garbage.clear_log("Sync Run Record", days, "status IN ('completed', 'skipped')")


def on_doctype_update() -> None:
	"""Add the indexes that the queries of runs need."""
	frappe.db.add_unique("Sync Run Record", ["run", "entity_key"], constraint_name="unique_run_entity_key")
	for columns in (
		["run", "status", "operation"],
		["run", "stamp", "entity_id"],
		["connection", "next_attempt_at"],
		["claim"],
		["waits_for"],
		["space", "status", "modified"],
		["next_attempt_at", "connection"],
	):
		frappe.db.add_index("Sync Run Record", columns, index_name="_".join(columns)[:60])
