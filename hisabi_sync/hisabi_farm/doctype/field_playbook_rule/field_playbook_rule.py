from frappe.model.document import Document


class FieldPlaybookRule(Document):
	pass
