from hisabi_sync.hisabi_commerce.document import CommerceDocument, add_indexes


class HisabiOrder(CommerceDocument):
	NUMBER, PREFIX = "order_number", "ORD"


def on_doctype_update() -> None:
	"""Hook: the indexes that runs and the number need."""
	add_indexes("Hisabi Order", "order_number")
