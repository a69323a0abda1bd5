from frappe.model.document import Document


class SyncMembershipRule(Document):
	"""One way to become a member of spaces of a type; see `hisabi_sync.engine.model.space_type.Rule`."""
