import frappe
from frappe.model.document import Document


class FamilyMember(Document):
	"""Who is in a family, with which role, and what tokens call them."""


def on_doctype_update() -> None:
	"""A request looks for the member that its token names."""
	frappe.db.add_index("Family Member", ["parent", "user_id"])
