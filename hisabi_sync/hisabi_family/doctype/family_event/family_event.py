import frappe
from frappe import _
from frappe.utils import get_datetime

from hisabi_sync.hisabi_family.document import FamilyDocument


class FamilyEvent(FamilyDocument):
	"""A date in a family's calendar."""

	PREFIX = "event"

	def validate(self) -> None:
		super().validate()
		if self.starts_at and self.ends_at and get_datetime(self.ends_at) < get_datetime(self.starts_at):
			frappe.throw(_("An event ends before it begins"))
