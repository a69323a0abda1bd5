from frappe.model.document import Document


class SyncWatermark(Document):
	"""How far incremental runs of a connection's entity have come; removing it makes the next one look at everything."""
