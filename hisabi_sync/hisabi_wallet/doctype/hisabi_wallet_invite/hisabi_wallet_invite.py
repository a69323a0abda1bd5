from frappe.model.document import Document


class HisabiWalletInvite(Document):
	"""A code by which one person may join a wallet; of the code only a keyed hash is kept."""
