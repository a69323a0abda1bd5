from frappe.model.document import Document


class FamilySyncPoint(Document):
	"""The position behind each last_sync_at that a device was given."""
