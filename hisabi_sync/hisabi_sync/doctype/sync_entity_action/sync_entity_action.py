from frappe.model.document import Document


class SyncEntityAction(Document):
	pass
