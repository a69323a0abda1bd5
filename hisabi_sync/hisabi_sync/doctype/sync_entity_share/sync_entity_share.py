from frappe.model.document import Document


class SyncEntityShare(Document):
	"""A way by which documents lie in further spaces; see `engine.model.joint`."""
