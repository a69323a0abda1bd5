"""Payloads of the entity types that this app declares; a site may have more types, and more fields."""

import importlib
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import hisabi_sync
from hisabi_sync import hooks
from hisabi_sync.engine.model import fields as kinds

ROOT = Path(hisabi_sync.__file__).parent
WRITABLE = "Read and write"
TEXTS = (kinds.TEXT, kinds.HTML, kinds.LINK)
SCHEMAS: dict[kinds.Kind | None, dict[str, Any]] = {
	**dict.fromkeys(TEXTS, {"type": ["string", "null"]}),
	kinds.CHOICE: {"type": ["string", "null"]},
	kinds.INT: {"type": ["integer", "null"]},
	kinds.CHECK: {"type": ["integer", "boolean", "null"], "enum": [0, 1, False, True, None]},
	kinds.DECIMAL: {"type": ["number", "string", "null"]},
	kinds.DATE: {"type": ["string", "null"], "format": "date"},
	kinds.DATETIME: {"type": ["string", "null"], "format": "date-time"},
	kinds.TIME: {"type": ["string", "null"]},
	kinds.JSON: {"type": ["object", "array", "string", "null"]},
}


def components(spaces: Collection[str]) -> dict[str, Any]:
	"""For each type of space a payload that is one of its entity types' or any other, and those entity types."""
	declared = [row for row in _declared() if row["space_type"] in spaces]
	made = {component(row): _entity(row) for row in declared}
	for space in sorted(spaces):
		declared_payloads = [{"$ref": _reference(row)} for row in declared if row["space_type"] == space]
		made[f"payload.{space}"] = {
			"anyOf": [{"type": "object"}, *declared_payloads],
			"description": "The fields of an entity type: one of these, or one that the site has besides",
		}
	return dict(sorted(made.items()))


def _declared() -> Iterator[dict[str, Any]]:
	for path in hooks.sync_contracts:
		module, _, name = path.rpartition(".")
		yield from getattr(importlib.import_module(module), name).declare()


def component(row: dict[str, Any]) -> str:
	"""Name of the schema for the payload of a declared entity type, in the characters that OpenAPI allows."""
	return re.sub(r"[^A-Za-z0-9._-]+", "_", f"payload.{row['space_type']}.{row['entity_type']}")


def _reference(row: dict[str, Any]) -> str:
	return f"#/components/schemas/{component(row)}"


def _entity(row: dict[str, Any]) -> dict[str, Any]:
	meta = _fields(row["document_type"])
	parts = {field["fieldname"]: _field(field, meta.get(field["fieldname"])) for field in row["fields"]}
	required = [field["fieldname"] for field in row["fields"] if field.get("required")]
	described = f"Payload of `{row['entity_type']}`"
	if required:
		described += f"; a create has {', '.join(f'`{name}`' for name in required)}"
	return {"type": "object", "description": described, "properties": parts}


def _field(declared: dict[str, Any], field: dict[str, Any] | None) -> dict[str, Any]:
	schema = dict(_schema(field)) if field else {}
	if declared.get("access", WRITABLE) != WRITABLE:
		schema["readOnly"] = True
	if declared.get("aliases"):
		schema["description"] = f"also as {declared['aliases']}"
	return schema


def _schema(field: dict[str, Any]) -> dict[str, Any]:
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
	if kind in TEXTS:
		return {**schema, "maxLength": kinds.text_limit(field["fieldtype"], field.get("length"))}
	return schema


def _fields(doctype: str) -> dict[str, dict[str, Any]]:
	"""The fields of a DocType of this app as its JSON file has them, by name."""
	name = doctype.lower().replace(" ", "_").replace("-", "_")
	found = list(ROOT.glob(f"*/doctype/{name}/{name}.json"))
	return (
		{field["fieldname"]: field for field in json.loads(found[0].read_text())["fields"]} if found else {}
	)
