import frappe

from hisabi_sync.hisabi_farm.document import HistoryDocument


class FieldPlaybookPatch(HistoryDocument):
	"""An accepted change of a playbook's rules: who made it, on which version, and what it did."""


def on_doctype_update() -> None:
	"""The history of a playbook is read in its order."""
	frappe.db.add_index("Field Playbook Patch", ["playbook", "version"])
