"""What forms, submissions and meters have in common when they are saved in the Desk or through REST."""

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import ids, load
from hisabi_sync.hisabi_field import tenants


class FieldDocument(Document):
	PREFIX = ""
	SPACE = "tenant"

	def autoname(self):
		"""The client id a device gave, where that is free on the site; a document of the Desk names itself."""
		if ids.is_client_id(self.client_id):
			record = ids.digest(self.get(self.SPACE) or "", self.client_id)
			self.name = ids.document_name(
				self.client_id, record, load.existing(self.doctype, [self.client_id])
			)
		else:
			self.name = f"{self.PREFIX}-{frappe.generate_hash(length=10)}"

	def before_validate(self):
		if not self.client_id:
			self.client_id = self.name

	def validate(self):
		before = self.get_doc_before_save()
		if before and before.get("is_deleted"):
			frappe.throw(_("This record was deleted on a device"))
		if self.is_new():
			self.check_space()
		self._check_links()

	def check_space(self):
		tenants.check(self.tenant)

	def refuse_stranger(self, label):
		frappe.throw(_("{0} belongs to another tenant").format(_(label)), frappe.LinkValidationError)

	def _check_links(self):
		"""What a document points to belongs to its own space."""
		for df in self.meta.get_link_fields():
			if df.options.startswith("Field ") and self.get(df.fieldname):
				if frappe.db.get_value(df.options, self.get(df.fieldname), self.SPACE) != self.get(
					self.SPACE
				):
					self.refuse_stranger(df.label)
