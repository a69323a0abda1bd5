"""What forms, submissions and meters have in common when they are saved in the Desk or through REST."""

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync import tenants
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.store import load


class FieldDocument(Document):
	PREFIX = ""
	SPACE = "tenant"
	client_id: str

	def autoname(self) -> None:
		"""The client id a device gave, where that is free on the site; a document of the Desk names itself."""
		client_id = ids.decode(self.client_id)
		if ids.is_client_id(client_id):
			record = ids.digest(self.get(self.SPACE) or "", client_id)
			self.name = ids.document_name(client_id, record, load.existing(self.doctype, [client_id]))
			self.client_id = ids.encode(client_id)
		else:
			self.name = f"{self.PREFIX}-{frappe.generate_hash(length=10)}"

	def before_validate(self) -> None:
		if not self.client_id:
			self.client_id = self.name

	def validate(self) -> None:
		before = self.get_doc_before_save()
		if before and before.get("is_deleted"):
			frappe.throw(_("This record was deleted on a device"))
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
