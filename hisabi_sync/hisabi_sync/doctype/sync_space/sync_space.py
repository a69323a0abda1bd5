from frappe.model.document import Document


class SyncSpace(Document):
	def validate(self):
		"""A form that was opened long ago must not turn the counter back; the row is locked by now."""
		before = self.get_doc_before_save()
		if before:
			self.sequence, self.horizon = before.sequence, before.horizon
