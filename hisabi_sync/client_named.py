"""What documents that devices make have in common when they are saved in the Desk or through REST."""

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.store import load


class ClientNamed(Document):
	"""Named by the client id that a device gave, where that is free on the site; a document of the Desk names itself.

	`SPACE` is the field with the key of its space, `PREFIX` begins the names that are made here.
	"""

	PREFIX, SPACE = "", ""
	client_id: str

	def autoname(self) -> None:
		"""Hook: the name is made of the client id, at random without one."""
		client_id = ids.decode(self.client_id)
		if ids.is_client_id(client_id):
			self.name = free_name(self.doctype, client_id, self.get(self.SPACE))
			self.client_id = ids.encode(client_id)
		else:
			self.name = f"{self.PREFIX}-{frappe.generate_hash(length=10)}"

	def before_validate(self) -> None:
		"""Hook: a document without a client id gets its name as one."""
		if not self.client_id:
			self.client_id = self.name

	def validate(self) -> None:
		"""Hook: a document that was deleted on a device stays as it is. Raises frappe.ValidationError."""
		before = self.get_doc_before_save()
		if before and before.get("is_deleted"):
			frappe.throw(_("This record was deleted on a device"))


def free_name(doctype: str, client_id: str, space_key: str | None) -> str:
	"""The client id where that is free on the site, else one derived from it and the key of the space."""
	names_in_use = load.existing(doctype, [client_id])
	return ids.document_name(client_id, ids.digest(space_key or "", client_id), names_in_use)
