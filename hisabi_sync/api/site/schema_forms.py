"""The described types in the forms that clients take: JSON Schema, RxDB, WatermelonDB, TypeScript, Dart. Source: docs/contracts/site.md, Schema.

`types` are those of `types.seen_by`. Pure: nothing here asks the database.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from hisabi_sync.api.site.schema_dart import dart
from hisabi_sync.api.site.schema_names import PLAIN_NAME, Described, class_names, collection, collections
from hisabi_sync.engine.model import ids

# Kind of a field -> its JSON Schema on the wire, its column type in WatermelonDB, its type in TypeScript.
TEXT: tuple[dict[str, Any], str, str] = ({"type": "string"}, "string", "string")
FORMS: dict[str, tuple[dict[str, Any], str, str]] = {
	**dict.fromkeys(("text", "html", "link", "file", "choice", "date", "datetime", "time"), TEXT),
	"integer": ({"type": "integer"}, "number", "number"),
	"check": ({"type": "integer", "minimum": 0, "maximum": 1}, "boolean", "0 | 1"),
	"decimal": ({"type": "number"}, "number", "number"),
	"json": ({}, "string", "unknown"),
}
# What is otherwise in documents of RxDB: these clients send and get truth values.
IN_RXDB: dict[str, dict[str, Any]] = {"check": {"type": "boolean"}}
KEY: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": ids.LONGEST}
COLUMN_NAME = re.compile(r"[a-zA-Z_]\w*", re.ASCII)
COLUMN_OWN = frozenset(
	"id _status _changed doc_version last_modified created_at updated_at local_storage oid rowid _rowid_ "
	"constructor prototype".split()
)
RXDB_NAME = re.compile(r"[a-zA-Z](?:\w*[a-zA-Z0-9])?", re.ASCII)
RXDB_OWN = ("id", "attachments")  # the primary key, and what RxDB keeps for itself


# --- JSON Schema: the values of a record


def json_schema(types: Iterable[Described]) -> dict[str, Any]:
	"""{type: JSON Schema of the `values` of its records}. A field that is empty may be null."""
	return {one["type"]: _object(one, nullable=True) for one in types}


def _object(one: Described, nullable: bool) -> dict[str, Any]:
	properties = {field["wire_name"]: _property(field, nullable) for field in one["fields"]}
	for table in one.get("tables", ()):
		rows = _object(table, nullable)
		rows["properties"] = {"id": KEY, **rows["properties"]}
		properties[table["wire_name"]] = {"type": "array", "items": rows, **_words(table, nullable)}
	return {"type": "object", "properties": properties, **_words(one, nullable)}


def _property(field: Described, nullable: bool) -> dict[str, Any]:
	on_wire = FORMS[field["kind"]][0]
	shape = {**(on_wire if nullable else IN_RXDB.get(field["kind"], on_wire))}
	if nullable and "type" in shape:
		shape["type"] = [shape["type"], "null"]
	if field["length"]:
		shape["maxLength"] = field["length"]
	if field["options"] and not nullable:
		shape["enum"] = ["", *(option["value"] for option in field["options"])]
	return {**shape, **_words(field, nullable)}


def _words(one: Described, nullable: bool) -> dict[str, Any]:
	"""What is for people and forms, without which RxDB does: it takes these words for mistakes at some places."""
	if not nullable:
		return {}
	return {"title": one["label"], **({"readOnly": True} if one.get("read_only") else {})}


# --- RxDB: one collection for each type


def rxdb(types: Iterable[Described]) -> dict[str, Any]:
	"""{collection: schema} as `addCollections` takes them: a primary key, no unions, and empty fields are missing."""
	listed = list(types)
	names = collections(one["type"] for one in listed)
	return {names[one["type"]]: {"schema": _rxdb(one, names[one["type"]])} for one in listed}


def _rxdb(one: Described, name: str) -> dict[str, Any]:
	made = _object(one, nullable=False)["properties"]
	properties = {key: shape for key, shape in made.items() if is_rxdb_name(key)}
	return {
		"title": name,
		"version": 0,
		"primaryKey": "id",
		"type": "object",
		"properties": {"id": {"type": "string", "maxLength": ids.LONGEST}, **properties},
		"required": ["id"],
	}


def is_rxdb_name(name: str) -> bool:
	"""Whether RxDB takes it as the name of a field."""
	return bool(RXDB_NAME.fullmatch(name)) and name not in RXDB_OWN


# --- WatermelonDB: one table for each type


def watermelon(types: Iterable[Described]) -> dict[str, Any]:
	"""What `appSchema` takes, each table as `tableSchema` takes it. Rows and JSON are texts."""
	listed = list(types)
	names = collections(one["type"] for one in listed)
	return {"version": 1, "tables": [_table(one, names[one["type"]]) for one in listed]}


def _table(one: Described, name: str) -> dict[str, Any]:
	columns = [
		{"name": f["wire_name"], "type": FORMS[f["kind"]][1], "isOptional": True, **_index(f)}
		for f in one["fields"]
	]
	rows = [{"name": table["wire_name"], "type": "string", "isOptional": True} for table in one["tables"]]
	kept = [column for column in (*columns, *rows) if is_column(str(column["name"]))]
	return {"name": name, "columns": [{"name": "doc_version", "type": "number"}, *kept]}


def is_column(name: str) -> bool:
	"""Whether WatermelonDB takes it as the name of a column."""
	return bool(COLUMN_NAME.fullmatch(name)) and name.lower() not in COLUMN_OWN


def _index(field: Described) -> dict[str, bool]:
	return {"isIndexed": True} if field["kind"] == "link" else {}


# --- TypeScript


def typescript(types: Iterable[Described]) -> str:
	"""Interfaces of the values of each type, and `Types` from their names to these."""
	listed = list(types)
	names = class_names(one["type"] for one in listed)
	parts = [part for one in listed for part in _interfaces(one, names[one["type"]])]
	known = "".join(f"  {json.dumps(name)}: {made};\n" for name, made in names.items())
	return "\n".join(
		["// Made by `GET schema?for=typescript`.", *parts, f"export interface Types {{\n{known}}}\n"]
	)


def _interfaces(one: Described, name: str) -> list[str]:
	tables = {table["wire_name"]: f"{name}_{collection(table['name'])}" for table in one["tables"]}
	rows = [
		_interface(tables[t["wire_name"]], ["  id?: string;\n", *map(_line, t["fields"])])
		for t in one["tables"]
	]
	lists = [f"  {_key(key)}?: {made}[];\n" for key, made in tables.items()]
	return [*rows, _interface(name, [*map(_line, one["fields"]), *lists])]


def _interface(name: str, lines: Iterable[str]) -> str:
	return f"export interface {name} {{\n{''.join(lines)}}}\n"


def _line(field: Described) -> str:
	kind = FORMS[field["kind"]][2]
	if field["options"]:
		kind = " | ".join(json.dumps(option["value"]) for option in field["options"])
	before = "readonly " if field["read_only"] else ""
	return f"  {before}{_key(field['wire_name'])}?: {kind} | null;\n"


def _key(name: str) -> str:
	return name if PLAIN_NAME.fullmatch(name) else json.dumps(name)


FORM: dict[str, Callable[[Iterable[Described]], Any]] = {
	"jsonschema": json_schema,
	"rxdb": rxdb,
	"watermelon": watermelon,
	"typescript": typescript,
	"dart": dart,
}
