import frappe

from hisabi_sync.hisabi_farm.document import HistoryDocument


class FieldPlaybookVersion(HistoryDocument):
	"""The rules of a playbook as they were in one version."""


def on_doctype_update() -> None:
	"""A version is made once, also when two requests make it at the same time."""
	frappe.db.add_unique(
		"Field Playbook Version", ["playbook", "version"], constraint_name="unique_playbook_version"
	)
