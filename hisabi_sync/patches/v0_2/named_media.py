"""Records for uploads that documents of the Desk named before records named them."""

import frappe

# What names uploads: (table, its column with the key, the one with the document's name, the document's DocType)
NAMERS = (
	("Hisabi Attachment", "file_id", "name", "Hisabi Attachment"),
	("Field Submission Media", "media", "submission", "Field Submission"),
)


def execute() -> None:
	"""Uploads that documents of the Desk named had no record, by which people are shown them now."""
	for table, key, document, doctype in NAMERS:
		frappe.db.sql(
			f"""UPDATE `tabSync Media` m JOIN `tab{table}` n ON n.{key} = m.name
			JOIN `tabSync Record` r ON r.document_name = n.{document} AND r.document_type = %s AND r.space = m.space
			SET m.record = r.name WHERE m.record IS NULL""",  # noqa: S608
			(doctype,),
		)
