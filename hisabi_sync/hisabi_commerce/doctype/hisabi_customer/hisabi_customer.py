from hisabi_sync.hisabi_commerce.document import CommerceDocument, add_indexes


class HisabiCustomer(CommerceDocument):
	NUMBER, PREFIX = "customer_code", "CUS"


def on_doctype_update() -> None:
	"""Hook: the indexes that runs and the number need."""
	add_indexes("Hisabi Customer", "customer_code")
