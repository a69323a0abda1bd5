from frappe.model.document import Document


class FieldFormVersion(Document):
	pass
