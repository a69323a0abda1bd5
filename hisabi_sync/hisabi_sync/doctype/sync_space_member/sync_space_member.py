from frappe.model.document import Document

from hisabi_sync.engine import ids


class SyncSpaceMember(Document):
	def autoname(self):
		self.name = ids.member(self.space, self.user)
