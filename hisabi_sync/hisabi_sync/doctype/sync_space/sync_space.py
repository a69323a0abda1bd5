import frappe
from frappe import _
from frappe.model.document import Document

# What a space is, and where it stands, is not for a form to say.
KEPT = ("space_type", "space_key", "reference_doctype", "reference_name", "sequence", "horizon", "horizons")


class SyncSpace(Document):
	def validate(self) -> None:
		"""A form that was opened long ago must not turn the counter back; the row is locked by now."""
		before = self.get_doc_before_save()
		for name in KEPT if before else ():
			self.set(name, before.get(name))

	def on_trash(self) -> None:
		"""Records without their space would be orphans: no device would receive them, and no job could collect them."""
		if frappe.db.exists("Sync Record", {"space": self.name}):
			frappe.throw(_("There are records in this space; archive it instead"), frappe.LinkExistsError)
