"""What forms, submissions and meters have in common when they are saved in the Desk or through REST."""

import frappe
from frappe import _

from hisabi_sync import tenants
from hisabi_sync.client_named import ClientNamed


class FieldDocument(ClientNamed):
	"""A document of a tenant that devices write too; its links stay within the tenant."""

	SPACE = "tenant"

	def validate(self) -> None:
		"""Hook: checks the space of a new document, and that links stay within it."""
		super().validate()
		if self.is_new():
			self.check_space()
		self._check_links()

	def check_space(self) -> None:
		"""Raise frappe.ValidationError unless the tenant exists."""
		tenants.check(self.tenant)

	def refuse_stranger(self, label: str) -> None:
		"""Raise frappe.LinkValidationError for a link, named by its label, to another tenant."""
		frappe.throw(_("{0} belongs to another tenant").format(_(label)), frappe.LinkValidationError)

	def _check_links(self) -> None:
		"""What a document points to belongs to its own space."""
		for df in self.meta.get_link_fields():
			if df.options.startswith("Field ") and self.get(df.fieldname):
				if frappe.db.get_value(df.options, self.get(df.fieldname), self.SPACE) != self.get(
					self.SPACE
				):
					self.refuse_stranger(df.label)
