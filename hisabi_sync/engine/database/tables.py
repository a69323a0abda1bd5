"""Which tables can be trusted with a transaction."""

import frappe
from frappe.model.meta import Meta

SAFE = "InnoDB"


def unsafe(doctypes: list[str]) -> dict[str, str]:
	"""{DocType: storage engine} of those whose changes MariaDB could not roll back."""
	tables = {f"tab{doctype}": doctype for doctype in doctypes}
	if not tables:
		return {}
	rows = frappe.db.sql(
		"""SELECT table_name, engine FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name IN %s AND engine != %s""",
		(tuple(tables), SAFE),
	)
	return {tables[name]: engine for name, engine in rows}


def of_entity(meta: Meta) -> list[str]:
	"""The DocType and those of its child tables."""
	return [meta.name, *(df.options for df in meta.get_table_fields())]
