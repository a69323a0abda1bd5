from frappe.model.document import Document

from hisabi_sync.engine.identity import budgets


class SyncDevice(Document):
	def onload(self) -> None:
		"""Give the form the budgets of the device and of its user."""
		self.set_onload("budget", budgets.table(self.user, self.name))
