from hisabi_sync.hisabi_commerce.document import CommerceDocument, add_indexes


class HisabiPayment(CommerceDocument):
	NUMBER, PREFIX = "payment_number", "PAY"


def on_doctype_update() -> None:
	"""Hook: the indexes that runs and the number need."""
	add_indexes("Hisabi Payment", "payment_number")
