"""Files of uploads are private; released versions of Frappe 15 had made them public, so that everybody in the Desk saw their names."""

import frappe

from hisabi_sync.engine.model.files import VIEW


def execute() -> None:
	"""Make them private. What they lead to was never open: each look at it asks for the rights."""
	frappe.db.sql(
		"UPDATE `tabFile` SET is_private = 1 WHERE is_private = 0 AND file_url LIKE %s", (f"%{VIEW}%",)
	)
