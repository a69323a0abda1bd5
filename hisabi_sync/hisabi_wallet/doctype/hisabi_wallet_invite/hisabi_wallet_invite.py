import frappe
from frappe.model.document import Document

from hisabi_sync.engine import garbage


class HisabiWalletInvite(Document):
	"""A code by which one person may join a wallet; of the code only a keyed hash is kept."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Hook of Frappe's log clearing; no invite is open for that long."""
		garbage.clear_log("Hisabi Wallet Invite", days)


def on_doctype_update() -> None:
	"""What a person's open invites are counted by."""
	frappe.db.add_index("Hisabi Wallet Invite", ["owner", "status"])
