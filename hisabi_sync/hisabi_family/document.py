"""What the documents of a family have in common when they are saved in the Desk or through REST."""

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import capture
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.store import load
from hisabi_sync.hisabi_family import families

STAMPS = ("doc_version", "server_modified", "is_deleted", "deleted_at")


class FamilyDocument(capture.HeldFirst, Document):
	PREFIX = ""
	client_id: str

	def autoname(self) -> None:
		"""The client id a device gave, where that is free on the site; a document of the Desk names itself."""
		client_id = ids.decode(self.client_id)
		if ids.is_client_id(client_id):
			record = ids.digest(self.family or "", client_id)
			self.name = ids.document_name(client_id, record, load.existing(self.doctype, [client_id]))
			self.client_id = ids.encode(client_id)
		else:
			self.name = f"{self.PREFIX}-{frappe.generate_hash(length=10)}"

	def before_validate(self) -> None:
		if not self.client_id:
			self.client_id = self.name
		if self.is_new() and self.meta.has_field("updated_at"):
			self.updated_at = clock.now()

	def validate(self) -> None:
		before = self.get_doc_before_save()
		if before and before.get("is_deleted"):
			frappe.throw(_("This record was deleted on a device"))
		if self.is_new():
			families.check(self.family)
			self._check_client_id()
		self._keep_computed(before)
		self._check_links()

	def _check_client_id(self) -> None:
		entity = entity_types.registry().by_doctype.get(self.doctype)
		record = entity and ids.record(
			families.space_of(self.family), entity.name, ids.decode(self.client_id)
		)
		if record and frappe.db.exists("Sync Record", record):
			message = _("The ID {0} is taken in this family").format(self.client_id)
			frappe.throw(frappe.utils.escape_html(message), frappe.UniqueValidationError)

	def _keep_computed(self, before: Document | None) -> None:
		"""Versions, tombstones and computed fields are the server's; a form opened long ago turns none of them back."""
		entity = entity_types.registry().by_doctype.get(self.doctype)
		made = set() if before else {"updated_at"}
		for name in (*STAMPS, *(entity.computed - made if entity else ())):
			self.set(name, before.get(name) if before else None)

	def _check_links(self) -> None:
		"""What a document points to belongs to its own family."""
		for df in self.meta.get_link_fields():
			if df.options != "Family" and df.options.startswith("Family ") and self.get(df.fieldname):
				if frappe.db.get_value(df.options, self.get(df.fieldname), "family") != self.family:
					message = _("{0} belongs to another family").format(_(df.label))
					frappe.throw(message, frappe.LinkValidationError)
