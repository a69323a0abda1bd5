from frappe.model.document import Document


class SyncSpacePart(Document):
	"""A space that shares the documents of a joint space; see `engine.model.joint`."""
