"""What the documents of a family have in common when they are saved in the Desk or through REST."""

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.client_named import ClientNamed
from hisabi_sync.engine import capture
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.hisabi_family import families

STAMPS = ("doc_version", "server_modified", "is_deleted", "deleted_at")


class FamilyDocument(capture.HeldFirst, ClientNamed):
	"""A document of a family that devices write too."""

	SPACE = "family"

	def before_validate(self) -> None:
		"""Hook: a new document gets the time of its last change."""
		super().before_validate()
		if self.is_new() and self.meta.has_field("updated_at"):
			self.updated_at = clock.now()

	def validate(self) -> None:
		"""Hook: checks the family, the id and the links; computed fields stay as they are."""
		super().validate()
		before = self.get_doc_before_save()
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
