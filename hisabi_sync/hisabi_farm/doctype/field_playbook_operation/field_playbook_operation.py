from frappe.model.document import Document


class FieldPlaybookOperation(Document):
	pass
