from frappe.model.document import Document


class FamilySyncPoint(Document):
	"""Which position each last_sync_at stands for that a device was given."""
