"""What all documents of a wallet have in common when they are saved in the Desk or through REST."""

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import entities, ids, load

STAMPS = ("doc_version", "server_modified", "is_deleted", "deleted_at")


class WalletDocument(Document):
	def before_insert(self):
		"""The client id is the name unless a device gave one; it is fixed from then on."""
		if self.client_id and not self.name and ids.is_client_id(self.client_id):
			self.flags.name_from_client_id = True

	def autoname(self):
		if self.flags.name_from_client_id:
			self.name = free_name(self.doctype, self.client_id, self.get("wallet_id"))

	def before_validate(self):
		if not self.client_id:
			self.client_id = self.name

	def validate(self):
		before = self.get_doc_before_save()
		if before and before.get("is_deleted"):
			frappe.throw(_("This record was deleted on a device"))
		self._keep_stamps(before)
		self._keep_computed(before)
		self._check_client_id()

	def _keep_stamps(self, before):
		"""Versions and tombstones are the engine's to write."""
		for name in STAMPS:
			self.set(name, before.get(name) if before else None)

	def _check_client_id(self):
		entity = entities.registry().by_doctype.get(self.doctype)
		if not self.is_new() or entity is None or not self.get("wallet_id"):
			return
		record = ids.record(ids.space(entity.space_type, self.wallet_id), entity.name, self.client_id)
		if frappe.db.exists("Sync Record", record):
			frappe.throw(
				_("The client ID {0} is taken in this wallet").format(self.client_id),
				frappe.UniqueValidationError,
			)

	def _keep_computed(self, before):
		"""A form that was opened long ago must not turn a balance back; the row is locked by now."""
		entity = entities.registry().by_doctype.get(self.doctype)
		for name in entity.computed if entity else ():
			self.set(name, before.get(name) if before else None)


def free_name(doctype, client_id, wallet_id):
	"""The client id where that is free on the site, else one derived from it."""
	taken = load.existing(doctype, [client_id])
	return ids.document_name(client_id, ids.digest(wallet_id or "", client_id), taken)
