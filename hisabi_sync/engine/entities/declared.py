"""Entity types that contracts declare, kept as Sync Entity documents.

A declaration is a dict with the fields of Sync Entity, where `fields` is a list of dicts of Sync Entity Field. On
every migration the names and fields follow the declaration; what people may tune in the Desk stays as they set it.
"""

import json
from collections.abc import Mapping
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.entities import contracts, entity_types

TUNABLE = (
	"enabled",
	"policy",
	"policy_parameters",
	"field_policies",
	"max_payload_kib",
	"write_mode",
	"write_role",
)
IDENTITY = ("entity_type", "document_type")
FIELD = ("fieldname", "access", "aliases", "required")
JSON_FIELDS = ("policy_parameters", "field_policies", "one_of")


def refresh() -> None:
	"""Create or update the Sync Entity of every declaration whose DocType is installed."""
	for contract in contracts.contracts():
		for declaration in contract.declare():
			if frappe.db.exists("DocType", declaration["document_type"]):
				_save(declaration)
	entity_types.forget()


def _save(declaration: Mapping[str, Any]) -> None:
	values = {key: json.dumps(v) if key in JSON_FIELDS else v for key, v in declaration.items()}
	name = frappe.db.exists("Sync Entity", {key: declaration[key] for key in IDENTITY})
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


def _is_as_declared(doc: Document, values: Mapping[str, Any]) -> bool:
	fields = [{key: row.get(key) or "" for key in FIELD} for row in doc.fields]
	declared = [{key: row.get(key) or "" for key in FIELD} for row in values["fields"]]
	return fields == declared and all(doc.get(k) == v for k, v in values.items() if k != "fields")
