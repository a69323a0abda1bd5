import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import joint_spaces

# What a space is, and where it stands, is not for a form to say.
KEPT = ("space_type", "space_key", "reference_doctype", "reference_name", "sequence", "horizon", "horizons")


class SyncSpace(Document):
	def autoname(self) -> None:
		"""The name that the engine computes of type and key; with another one, no record and no call would find the space."""
		if not (self.space_type and self.space_key):
			return
		self.name = ids.space(self.space_type, self.space_key)
		if frappe.db.exists("Sync Space", self.name):
			said = _("There is a space of the type {0} with the key {1} already: {2}")
			names = map(frappe.utils.escape_html, (self.space_type, self.space_key, self.name))
			frappe.throw(said.format(*names), frappe.DuplicateEntryError)

	def validate(self) -> None:
		"""A form that was opened long ago must not turn the counter back; the row is locked by now."""
		before = self.get_doc_before_save()
		for name in KEPT if before else ():
			self.set(name, before.get(name))

	def on_update(self) -> None:
		"""What an archived space shares with others may be read by its members, and no more."""
		if self.has_value_changed("status"):
			joint_spaces.follow_part(self.name)

	def on_trash(self) -> None:
		"""Records without their space would be orphans: no device would receive them, and no job could collect them."""
		if frappe.db.exists("Sync Record", {"space": self.name}):
			frappe.throw(_("There are records in this space; archive it instead"), frappe.LinkExistsError)
