"""Entity types that apps declare under the hook `sync_entities`, kept as Sync Entity documents.

A declaration is a dict with the fields of Sync Entity, where `fields` is a list of dicts of Sync Entity Field. On
every migration the names and fields follow the declaration; what people may tune in the Desk stays as they set it.
"""

import json

import frappe

from hisabi_sync.engine import entities

TUNABLE = (
	"enabled",
	"policy",
	"policy_parameters",
	"field_policies",
	"max_payload_kib",
	"write_mode",
	"write_role",
)
FIELD = ("fieldname", "access", "aliases", "required")
JSON_FIELDS = ("policy_parameters", "field_policies", "one_of")


def refresh():
	"""Create or update the Sync Entity of every declaration whose DocType is installed."""
	for path in frappe.get_hooks("sync_entities"):
		for declaration in frappe.get_attr(path)():
			if frappe.db.exists("DocType", declaration["document_type"]):
				_save(declaration)
	entities.forget()


def _save(declaration):
	values = {key: json.dumps(v) if key in JSON_FIELDS else v for key, v in declaration.items()}
	name = frappe.db.exists("Sync Entity", declaration["entity_type"])
	if name:
		doc = frappe.get_doc("Sync Entity", name)
		values = {key: value for key, value in values.items() if key not in TUNABLE}
		if _is_as_declared(doc, values):
			return
		doc.update(values)
	else:
		doc = frappe.get_doc({"doctype": "Sync Entity", "is_standard": 1, **values})
	doc.flags.ignore_permissions = doc.flags.from_declaration = True
	doc.save()


def _is_as_declared(doc, values):
	fields = [{key: row.get(key) or "" for key in FIELD} for row in doc.fields]
	declared = [{key: row.get(key) or "" for key in FIELD} for row in values["fields"]]
	return fields == declared and all(doc.get(k) == v for k, v in values.items() if k != "fields")
