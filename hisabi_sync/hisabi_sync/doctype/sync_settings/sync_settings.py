from frappe.model.document import Document


class SyncSettings(Document):
	pass
