"""Set-up of a site: roles, entity types and defaults. Safe to run any number of times."""

import frappe

from hisabi_sync.engine import declared

ROLES = {
	"Sync Manager": {"desk_access": 1},
	"Sync Auditor": {"desk_access": 1},
	"Hisabi User": {"desk_access": 0},
}


def set_up():
	"""Create what is missing; what people changed is left as it is."""
	for role, values in ROLES.items():
		if not frappe.db.exists("Role", role):
			frappe.get_doc({"doctype": "Role", "role_name": role, **values}).insert(ignore_permissions=True)
	declared.refresh()
	_fill_settings()


def _fill_settings():
	settings = frappe.get_single("Sync Settings")
	stored = frappe.db.get_singles_dict("Sync Settings")
	missing = {
		f.fieldname: f.default for f in settings.meta.fields if f.default and f.fieldname not in stored
	}
	if missing:
		settings.update(missing)
		settings.flags.ignore_permissions = True
		settings.save()


def tear_down():
	"""Remove the roles from everybody; the DocTypes and their tables are removed by Frappe."""
	for role in ROLES:
		frappe.db.delete("Has Role", {"role": role})
		frappe.delete_doc("Role", role, force=True, ignore_permissions=True, ignore_missing=True)
