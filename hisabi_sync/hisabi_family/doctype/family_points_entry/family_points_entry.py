import frappe
from frappe import _

from hisabi_sync.hisabi_family.document import FamilyDocument

FINAL = ("user_id", "delta", "reason", "task", "family")


class FamilyPointsEntry(FamilyDocument):
	"""A line of the points ledger: once written it never changes; a mistake is undone by another line."""

	PREFIX = "points"

	def validate(self) -> None:
		super().validate()
		if not self.is_new() and any(self.has_value_changed(name) for name in FINAL):
			frappe.throw(_("A line of the points ledger never changes; add another one"))


def on_doctype_update() -> None:
	"""Whether a task was paid for already."""
	frappe.db.add_index("Family Points Entry", ["task"])
