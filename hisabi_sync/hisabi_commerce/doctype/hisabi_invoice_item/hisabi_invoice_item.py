from frappe.model.document import Document


class HisabiInvoiceItem(Document):
	pass
