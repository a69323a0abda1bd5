from frappe.model.document import Document

from hisabi_sync.engine import garbage


class SyncSchema(Document):
	"""How a type was described to apps, by the digest of the description (see `api.site.old_apps`)."""

	@staticmethod
	def clear_old_logs(days: int = 730) -> None:
		"""Hook of Frappe's log clearing. A description that is still given is made new each day."""
		garbage.clear_log("Sync Schema", days)
