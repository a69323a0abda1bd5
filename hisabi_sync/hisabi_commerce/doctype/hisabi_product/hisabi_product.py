from hisabi_sync.hisabi_commerce.document import CommerceDocument, add_indexes


class HisabiProduct(CommerceDocument):
	NUMBER, PREFIX = "product_code", "PRD"


def on_doctype_update() -> None:
	"""Hook: the indexes that runs and the number need."""
	add_indexes("Hisabi Product", "product_code")
