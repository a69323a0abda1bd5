from frappe.model.document import Document


class SyncEntityField(Document):
	pass
