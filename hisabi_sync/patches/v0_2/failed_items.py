"""Items that somebody has to look at are marked; until now these were the ones with an error."""

import frappe

OLD_INDEX = "status_modified_index"


def execute() -> None:
	"""Mark the items that failed, by the index that lists of them used, and drop it."""
	frappe.db.sql("UPDATE `tabSync Item` SET failed = 1 WHERE status = 'error' AND failed = 0")
	frappe.db.sql_ddl(f"ALTER TABLE `tabSync Item` DROP INDEX IF EXISTS `{OLD_INDEX}`")
