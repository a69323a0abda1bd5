"""Payloads of the entity types that this app declares; a site may have more types, and more fields."""

import importlib
import json
import re
from pathlib import Path

import hisabi_sync
from hisabi_sync import hooks
from hisabi_sync.engine import fields as kinds

ROOT = Path(hisabi_sync.__file__).parent
WRITABLE = "Read and write"
SCHEMAS = {
	kinds.TEXT: {"type": ["string", "null"]},
	kinds.CHOICE: {"type": ["string", "null"]},
	kinds.INT: {"type": ["integer", "null"]},
	kinds.CHECK: {"type": ["integer", "boolean", "null"], "enum": [0, 1, False, True, None]},
	kinds.DECIMAL: {"type": ["number", "string", "null"]},
	kinds.DATE: {"type": ["string", "null"], "format": "date"},
	kinds.DATETIME: {"type": ["string", "null"], "format": "date-time"},
	kinds.TIME: {"type": ["string", "null"]},
	kinds.JSON: {"type": ["object", "array", "string", "null"]},
}


def components(spaces):
	"""For each type of space a payload that is one of its entity types' or any other, and those entity types."""
	declared = [row for row in _declared() if row["space_type"] in spaces]
	made = {component(row): _entity(row) for row in declared}
	for space in sorted(spaces):
		known = [{"$ref": _reference(row)} for row in declared if row["space_type"] == space]
		made[f"payload.{space}"] = {
			"anyOf": [{"type": "object"}, *known],
			"description": "The fields of an entity type: one of these, or one that the site has besides",
		}
	return dict(sorted(made.items()))


def _declared():
	for path in hooks.sync_entities:
		module, _, function = path.rpartition(".")
		yield from getattr(importlib.import_module(module), function)()


def component(row):
	return re.sub(r"[^A-Za-z0-9._-]+", "_", f"payload.{row['space_type']}.{row['entity_type']}")


def _reference(row):
	return f"#/components/schemas/{component(row)}"


def _entity(row):
	meta = _fields(row["document_type"])
	parts = {field["fieldname"]: _field(field, meta.get(field["fieldname"])) for field in row["fields"]}
	required = [field["fieldname"] for field in row["fields"] if field.get("required")]
	described = f"Payload of `{row['entity_type']}`"
	if required:
		described += f"; a create has {', '.join(f'`{name}`' for name in required)}"
	return {"type": "object", "description": described, "properties": parts}


def _field(declared, field):
	schema = dict(_schema(field)) if field else {}
	if declared.get("access", WRITABLE) != WRITABLE:
		schema["readOnly"] = True
	if declared.get("aliases"):
		schema["description"] = f"also as {declared['aliases']}"
	return schema


def _schema(field):
	if field["fieldtype"] in ("Table", "Table MultiSelect"):
		columns = _fields(field["options"])
		rows = {
			name: _schema(column) for name, column in columns.items() if column["fieldtype"] in kinds.KINDS
		}
		return {"type": ["array", "null"], "items": {"type": "object", "properties": rows}}
	kind = kinds.KINDS.get(field["fieldtype"])
	schema = SCHEMAS.get(kind, {})
	if kind is kinds.CHOICE:
		return {"enum": [*(choice for choice in field.get("options", "").split("\n") if choice), "", None]}
	if kind is kinds.TEXT:
		return {**schema, "maxLength": kinds.text_limit(field["fieldtype"], field.get("length"))}
	return schema


def _fields(doctype):
	"""The fields of a DocType of this app as its JSON file has them, by name."""
	name = doctype.lower().replace(" ", "_").replace("-", "_")
	found = list(ROOT.glob(f"*/doctype/{name}/{name}.json"))
	return (
		{field["fieldname"]: field for field in json.loads(found[0].read_text())["fields"]} if found else {}
	)
