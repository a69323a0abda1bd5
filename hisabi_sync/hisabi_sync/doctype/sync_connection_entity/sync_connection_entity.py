from frappe.model.document import Document


class SyncConnectionEntity(Document):
	pass
