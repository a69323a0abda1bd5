"""What forms, submissions and meters have in common when they are saved in the Desk or through REST."""

import frappe
from frappe import _

from hisabi_sync import tenants
from hisabi_sync.client_named import ClientNamed


class FieldDocument(ClientNamed):
	SPACE = "tenant"

	def validate(self) -> None:
		super().validate()
		if self.is_new():
			self.check_space()
		self._check_links()

	def check_space(self) -> None:
		tenants.check(self.tenant)

	def refuse_stranger(self, label: str) -> None:
		frappe.throw(_("{0} belongs to another tenant").format(_(label)), frappe.LinkValidationError)

	def _check_links(self) -> None:
		"""What a document points to belongs to its own space."""
		for df in self.meta.get_link_fields():
			if df.options.startswith("Field ") and self.get(df.fieldname):
				if frappe.db.get_value(df.options, self.get(df.fieldname), self.SPACE) != self.get(
					self.SPACE
				):
					self.refuse_stranger(df.label)
