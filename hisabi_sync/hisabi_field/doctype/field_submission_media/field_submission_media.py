from frappe.model.document import Document


class FieldSubmissionMedia(Document):
	"""That a submission names an uploaded file. Written with the submission, never by people."""
