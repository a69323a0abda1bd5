from frappe.model.document import Document


class HisabiBucketTemplateItem(Document):
	pass
