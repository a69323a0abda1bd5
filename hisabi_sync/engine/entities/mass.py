"""DocTypes whose documents are written by the thousand: whoever writes them pays least if a job numbers the changes."""

import frappe
from frappe.model.meta import Meta

from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.entities.compiler import BY_JOB

HOOK = "sync_mass_doctypes"  # names of DocTypes that imports and jobs write


def numbering(meta: Meta, space_type: str | None) -> str | None:
	"""The numbering that is proposed for a DocType, or None for the default.

	It is by a job for those that other documents and jobs write, unless values of the kind of space follow at once.
	"""
	if space_type and contracts.is_followed(space_type, meta.name):
		return None
	return BY_JOB if meta.in_create or meta.name in frappe.get_hooks(HOOK) else None
