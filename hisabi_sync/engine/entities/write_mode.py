"""Whether a push writes documents of a DocType in bulk, or saves them one by one, and why."""

from collections.abc import Callable, Collection

import frappe
from frappe import _
from frappe.model.meta import Meta

from hisabi_sync.engine.entities import listeners
from hisabi_sync.engine.entities.listeners import Reason
from hisabi_sync.engine.model import fields as field_kinds
from hisabi_sync.engine.model.entity_type import STAMPS, EntityType

SENTENCES: dict[str, Callable[[], str]] = {
	"actions": lambda: _("Devices take actions on its documents"),
	"shares": lambda: _("Its documents lie in several spaces, or only under a condition"),
	"mode": lambda: _("Its write mode says so"),
	"foreign": lambda: _("It is a DocType of another app, whose controller has a say"),
	"path": lambda: _("Its space is found through links"),
	"fields": lambda: _("It has tables or unique fields: {0}"),
	"more": lambda: _("People made fields mandatory, or fetched from elsewhere: {0}"),
	"every": lambda: _("{0} listens to {1} of every DocType: {2}"),
	"this": lambda: _("{0} listens to {1} of {2}: {3}"),
	"members": lambda: _("Members of spaces of the type {0} follow its documents"),
	"made": lambda: _("The {0} {1} acts on {2}"),
}
# What people can change, so that Sync Health names it.
CHANGEABLE = frozenset(("more", "every", "this", "made"))


def said(reason: Reason) -> str:
	"""The sentence of a reason, in the reader's language."""
	code, names = reason
	return SENTENCES[code]().format(*names)


def changeable(entity: EntityType) -> list[Reason]:
	"""Why an entity type is slow, if it would be fast without what people or other apps added."""
	return list(entity.slow) if all(code in CHANGEABLE for code, _names in entity.slow) else []


def why_saved(row: frappe._dict, meta: Meta, fields: Collection[field_kinds.Field]) -> tuple[Reason, ...]:
	"""Why documents are saved one by one; nothing if statements that write many rows do all that saving would do."""
	if row.get("actions"):
		return (("actions", ()),)
	if row.get("shares") or row.get("condition"):
		return (("shares", ()),)
	if row.write_mode != "Auto":
		return () if row.write_mode == "Bulk" else (("mode", ()),)
	return (*_by_itself(row, meta, fields), *_added(row, meta, fields), *listeners.reasons(meta))


def _by_itself(row: frappe._dict, meta: Meta, fields: Collection[field_kinds.Field]) -> list[Reason]:
	found: list[Reason] = []
	if frappe.local.module_app.get(frappe.scrub(meta.module)) != "hisabi_sync":
		found.append(("foreign", ()))
	if row.get("followed_by"):
		found.append(("members", (", ".join(row.followed_by),)))
	if not meta.has_field(row.space_path or ""):
		found.append(("path", ()))
	if labels := [f.label for f in fields if f.kind is field_kinds.ROWS or f.unique]:
		found.append(("fields", (", ".join(labels),)))
	return found


def _added(row: frappe._dict, meta: Meta, fields: Collection[field_kinds.Field]) -> list[Reason]:
	names = _wanted_more(row, meta, fields)
	return [("more", (", ".join(names),))] if names else []


def _wanted_more(row: frappe._dict, meta: Meta, fields: Collection[field_kinds.Field]) -> list[str]:
	"""Mandatory or fetched fields that people added and the entity type does not include."""
	set_here = {row.space_path, *STAMPS, *(f.name for f in fields if f.required or f.access == "Computed")}
	setters = {"doc_type": meta.name, "property": "reqd", "value": "1"}
	chosen = {df.fieldname for df in meta.fields if df.get("is_custom_field")}
	chosen.update(frappe.get_all("Property Setter", setters, pluck="field_name"))
	return [
		df.fieldname
		for df in meta.fields
		if df.fieldname in chosen
		and (df.fetch_from or (df.reqd and df.fieldname not in set_here and df.default in (None, "")))
	]
