"""What all documents of a wallet have in common when they are saved in the Desk or through REST."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import escape_html

from hisabi_sync.client_named import ClientNamed, free_name
from hisabi_sync.engine import capture
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import ids

STAMPS = ("doc_version", "server_modified", "is_deleted", "deleted_at")


class WalletDocument(capture.HeldFirst, ClientNamed):
	"""A document of a wallet that devices write too."""

	def before_insert(self) -> None:
		"""The client id is the name unless a device gave one; it is fixed from then on."""
		client_id = ids.decode(self.client_id)
		if not self.name and ids.is_client_id(client_id):
			self.flags.name_from_client_id = True
			self.client_id = ids.encode(client_id)

	def autoname(self) -> None:
		"""Hook: a push names the document by its client id; others have the DocType's naming."""
		if self.flags.name_from_client_id:
			self.name = free_name(self.doctype, ids.decode(self.client_id), self.get("wallet_id"))

	def validate(self) -> None:
		"""Hook: checks the client id; stamps and computed fields stay as they are."""
		super().validate()
		before = self.get_doc_before_save()
		self._keep_stamps(before)
		self._keep_computed(before)
		self._check_client_id()

	def _keep_stamps(self, before: Document | None) -> None:
		"""Versions and tombstones are the engine's to write."""
		for name in STAMPS:
			self.set(name, before.get(name) if before else None)

	def _check_client_id(self) -> None:
		entity = entity_types.registry().by_doctype.get(self.doctype)
		if not self.is_new() or entity is None or not self.get("wallet_id"):
			return
		space = ids.space(entity.space_type, self.wallet_id)
		record = ids.record(space, entity.name, ids.decode(self.client_id))
		if frappe.db.exists("Sync Record", record):
			frappe.throw(
				_("The client ID {0} is taken in this wallet").format(escape_html(self.client_id)),
				frappe.UniqueValidationError,
			)

	def _keep_computed(self, before: Document | None) -> None:
		"""A form that was opened long ago must not turn a balance back; the row is locked by now."""
		entity = entity_types.registry().by_doctype.get(self.doctype)
		for name in entity.computed if entity else ():
			self.set(name, before.get(name) if before else None)
