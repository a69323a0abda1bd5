"""Who listens to a DocType's events, and so whether its documents may be written with multi-row statements."""

from collections.abc import Collection

import frappe
from frappe.model.meta import Meta

from hisabi_sync.engine.model import fields as field_kinds
from hisabi_sync.engine.model.entity_type import STAMPS

# Document events whose listeners make a save more than a row in a table.
# DocType: (field that names the DocType it listens to, field that switches it on, its value when on).
EVENT_SOURCES = {
	"Server Script": ("reference_doctype", "disabled", 0),
	"Webhook": ("webhook_doctype", "enabled", 1),
	"Notification": ("document_type", "enabled", 1),
	"Assignment Rule": ("document_type", "disabled", 0),
	"Milestone Tracker": ("document_type", "disabled", 0),
	"Energy Point Rule": ("reference_doctype", "enabled", 1),
	"Workflow": ("document_type", "is_active", 1),
}


def writes_in_bulk(row: frappe._dict, meta: Meta, fields: Collection[field_kinds.Field]) -> bool:
	"""Whether multi-row statements do all that a save would do."""
	if row.write_mode != "Auto":
		return row.write_mode == "Bulk"
	return (
		frappe.local.module_app.get(frappe.scrub(meta.module)) == "hisabi_sync"
		and meta.has_field(row.space_path)
		and not any(f.kind is field_kinds.ROWS or f.unique for f in fields)
		and not _wants_more(row, meta, fields)
		and not has_listeners(meta.name)
	)


def _wants_more(row: frappe._dict, meta: Meta, fields: Collection[field_kinds.Field]) -> bool:
	"""Whether people made a field mandatory, or have one fetched, of which the entity type knows nothing."""
	given = {row.space_path, *STAMPS, *(f.name for f in fields if f.required or f.access == "Computed")}
	setters = {"doc_type": meta.name, "property": "reqd", "value": "1"}
	chosen = {df.fieldname for df in meta.fields if df.get("is_custom_field")}
	chosen.update(frappe.get_all("Property Setter", setters, pluck="field_name"))
	return any(
		df.fetch_from or (df.reqd and df.fieldname not in given and df.default in (None, ""))
		for df in meta.fields
		if df.fieldname in chosen
	)


def has_listeners(doctype: str) -> bool:
	"""Whether another app or something made in the Desk listens to the DocType's events."""
	apps = [app for app in frappe.get_installed_apps() if app not in ("frappe", "hisabi_sync")]
	for app in apps:
		events = frappe.get_hooks("doc_events", app_name=app) or {}
		if any(doctype in _names(key) or "*" in _names(key) for key in events):
			return True
	return any(_listens(source, doctype) for source in EVENT_SOURCES)


def _listens(source: str, doctype: str) -> bool:
	link, switch, on = EVENT_SOURCES[source]
	return bool(frappe.db.exists("DocType", source) and frappe.db.exists(source, {link: doctype, switch: on}))


def _names(key: str | tuple[str, ...]) -> tuple[str, ...]:
	return key if isinstance(key, tuple) else (key,)
