from hisabi_sync.hisabi_commerce.document import CommerceDocument, add_indexes


class HisabiInvoice(CommerceDocument):
	NUMBER, PREFIX = "invoice_number", "INV"


def on_doctype_update() -> None:
	"""Hook: the indexes that runs and the number need."""
	add_indexes("Hisabi Invoice", "invoice_number")
