import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import ids


class SyncSpaceMember(Document):
	"""Who may use a space. Where the space belongs to a document, that document's app says who its members are."""

	def autoname(self):
		self.name = ids.member(self.space, self.user)

	def validate(self):
		self._refuse_if_owned()

	def on_trash(self):
		self._refuse_if_owned()

	def _refuse_if_owned(self):
		owner = frappe.db.get_value("Sync Space", self.space, "reference_doctype")
		if owner:
			frappe.throw(_("Members of this space are changed where its {0} is").format(_(owner)))
