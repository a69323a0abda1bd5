"""Set-up of a site: roles, entity types and defaults. Safe to run any number of times."""

from typing import Any

import frappe
from frappe import _

from hisabi_sync import formats
from hisabi_sync.engine.database import background
from hisabi_sync.engine.entities import contracts, entity_types
from hisabi_sync.engine.model import files
from hisabi_sync.media import local
from hisabi_sync.patches import chunks

ROLES = {
	"Sync Manager": {"desk_access": 1},
	"Sync Auditor": {"desk_access": 1},
	"Hisabi User": {"desk_access": 0},
}
# DocType -> name of a saved filter and its conditions.
FILTERS: tuple[tuple[str, str, list[list[Any]]], ...] = (
	("Sync Conflict", "Open", [["status", "=", "Open"]]),
	("Sync Conflict", "Decided by a policy", [["status", "=", "Decided"]]),
	("Sync Conflict", "Deletes and taken values", [["status", "=", "Open"], ["kind", "in", "delete,unique"]]),
	("Sync Item", "Failed", [["failed", "=", 1], ["dismissed", "=", 0]]),
	("Sync Item", "Dismissed", [["dismissed", "=", 1]]),
	("Sync Device", "Active", [["status", "=", "Active"]]),
	("Field Submission", "To review", [["status", "=", "submitted"], ["is_deleted", "=", 0]]),
)


def check_database() -> None:
	"""Hook: statements and locks of the engine are those of MariaDB; a site on another database is left unchanged."""
	kind = frappe.conf.db_type or "mariadb"
	if kind != "mariadb":
		frappe.throw(_("Hisabi Sync needs a site on MariaDB; this one is on {0}.").format(kind))


def set_up() -> None:
	"""Create what is missing; changes that people made stay."""
	for role, values in ROLES.items():
		if not frappe.db.exists("Role", role):
			frappe.get_doc({"doctype": "Role", "role_name": role, **values}).insert(ignore_permissions=True)
	contracts.save_declarations()
	entity_types.forget()
	_fill_settings()
	_register_logs()
	_save_filters()


def _register_logs() -> None:
	"""Have Frappe clear the engine's logs; the days that people chose stay."""
	settings = frappe.get_single("Log Settings")
	known = {row.ref_doctype for row in settings.logs_to_clear}
	hooked = frappe.get_hooks("default_log_clearing_doctypes", app_name="hisabi_sync")
	missing = {doctype: days for doctype, days in hooked.items() if doctype not in known}
	for doctype, days in missing.items():
		settings.register_doctype(doctype, days[-1] if isinstance(days, list) else days)
	if missing:
		settings.flags.ignore_permissions = True
		settings.save()


def _save_filters() -> None:
	"""Filters that lists offer to everybody; changes that people made to one stay."""
	for doctype, label, filters in FILTERS:
		wanted = {"reference_doctype": doctype, "filter_name": label, "for_user": ""}
		if not frappe.db.exists("List Filter", wanted):
			rows = frappe.as_json([[doctype, *part, False] for part in filters])
			frappe.get_doc({"doctype": "List Filter", **wanted, "filters": rows}).insert(
				ignore_permissions=True
			)


def _fill_settings() -> None:
	settings = frappe.get_single("Sync Settings")
	stored = frappe.db.get_singles_dict("Sync Settings")
	missing = {
		f.fieldname: f.default for f in settings.meta.fields if f.default and f.fieldname not in stored
	}
	if missing:
		settings.update(missing)
		settings.flags.ignore_permissions = True
		settings.save()


def tear_down() -> None:
	"""Remove what Frappe leaves behind; the DocTypes and their tables it removes itself."""
	for role in ROLES:
		frappe.db.delete("Has Role", {"role": role})
		frappe.delete_doc("Role", role, force=True, ignore_permissions=True, ignore_missing=True)
	ours = frappe.get_all(
		"DocType", filters={"module": ["in", frappe.get_module_list("hisabi_sync")]}, pluck="name"
	)
	frappe.db.delete("List Filter", {"reference_doctype": ["in", ours]})
	frappe.db.delete("Version", {"ref_doctype": ["in", ours]})
	frappe.db.delete("Singles", {"doctype": ["in", ours]})
	frappe.db.delete("Scheduled Job Type", {"method": ["like", "hisabi_sync.%"]})
	frappe.db.delete("User Permission", {"allow": ["in", ours]})
	frappe.db.delete("File", {"file_url": ["like", f"%{files.VIEW}%"]})  # they stand for uploads, which go
	background.forget_failures()
	formats.forget()
	chunks.forget()
	local.remove_all()
	frappe.cache.delete_value(entity_types.VERSION_KEY)
