from frappe.model.document import Document

# What a space is, and where it stands, is not for a form to say.
KEPT = ("space_type", "space_key", "reference_doctype", "reference_name", "sequence", "horizon")


class SyncSpace(Document):
	def validate(self):
		"""A form that was opened long ago must not turn the counter back; the row is locked by now."""
		before = self.get_doc_before_save()
		for name in KEPT if before else ():
			self.set(name, before.get(name))
