from frappe.model.document import Document

from hisabi_sync.engine.identity import budgets


class SyncDevice(Document):
	def onload(self) -> None:
		"""What the form shows of the device's budgets and those of its user."""
		self.set_onload("budget", budgets.table(self.user, self.name))
