from frappe.model.document import Document

from hisabi_sync.engine import entities


class SyncEntity(Document):
	def on_update(self):
		entities.forget()

	def on_trash(self):
		entities.forget()
