from frappe.model.document import Document


class SyncDevice(Document):
	pass
