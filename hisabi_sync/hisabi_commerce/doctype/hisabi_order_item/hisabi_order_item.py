from frappe.model.document import Document


class HisabiOrderItem(Document):
	pass
