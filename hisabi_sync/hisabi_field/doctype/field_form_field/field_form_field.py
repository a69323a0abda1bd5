from frappe.model.document import Document


class FieldFormField(Document):
	pass
